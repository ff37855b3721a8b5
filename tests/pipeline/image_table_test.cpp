// Images that a table names, and several things said of each, from the files to the served answer.
#include <gmock/gmock.h>

#include "danlu/base/base64.h"
#include "danlu/base/json.h"
#include "danlu/base/rng.h"
#include "danlu/data/image/decode.h"
#include "tests/client.h"
#include "tests/misuse/refusal.h"
#include "tests/program.h"
#include "tests/same_weights.h"

namespace danlu::test {
namespace {

using testing::HasSubstr;

constexpr int64_t kSize = 12;

// A bar in a dark image: upright or lying, bright or not, at a place.
data::Image bar(bool upright, bool bright, int64_t at, Rng& rng) {
  data::Image image{kSize, kSize, 1, std::vector<uint8_t>(kSize * kSize)};
  for (uint8_t& p : image.pixels) p = static_cast<uint8_t>(rng.below(20));
  for (int64_t i = 0; i < kSize; ++i) {
    for (int64_t j = at; j < at + 2; ++j) image.pixels[static_cast<size_t>(upright ? i * kSize + j : j * kSize + i)] = static_cast<uint8_t>((bright ? 200 : 90) + rng.below(40));
  }
  return image;
}

class ImageTables : public testing::Test {
 protected:
  ImageTables() {
    Rng rng(4);
    std::string csv = "file,kind,bright,upright,at\n";
    for (int i = 0; i < 400; ++i) {
      const bool upright = rng.below(2) == 1, bright = rng.below(2) == 1;
      const int64_t at = rng.below(kSize - 2);
      const std::string name = fmt::format("{}/{:03}.png", i % 2 == 0 ? "one" : "two", i);
      write_file_atomic(project_ / "photos" / name, data::encode_png(bar(upright, bright, at, rng)));
      csv += fmt::format("{},{},{},{},{}\n", name, upright ? "upright" : "lying", bright ? 1 : 0, upright ? 1 : 0, at);
    }
    project_.write("photos/bars.csv", csv);
    project_.write("targets.yaml", recipe("targets: {kind: {classes: [lying, upright]}, at: {task: regression}}"));
    project_.write("labels.yaml", recipe("labels: [bright, upright]"));
    project_.write("number.yaml", recipe("target: at, task: regression"));
    write_file_atomic(project_ / "ask/bar.png", data::encode_png(bar(true, false, 7, rng)));
  }
  static std::string recipe(const std::string& target) {
    return "data: {source: photos/bars.csv, image: {column: file}, " + target + R"(}
model: {type: cnn, layers: [conv: {filters: 8, kernel: 3, padding: 1}, relu, max_pool: 2, flatten, linear: 32, relu]}
train: {epochs: 12, batch_size: 16, optimizer: {type: adamw, lr: 3e-3}}
)";
  }
  double value(const char* run, const char* metric) const { return read_json(project_.run(run).file("report.json"))["metrics"][metric]["value"].get<double>(); }
  void expect_served_as_predicted(const char* run, const Json& said) const {
    const ServedModels server(project_, {run});
    const Json answer = post(server.port(), to_line(Json{{"image", base64_encode(project_.read("ask/bar.png"))}})).json();
    Json expected = said;
    expected.erase("file");
    EXPECT_EQ(answer["predictions"][0], expected);
  }
  Project project_;
};

TEST_F(ImageTables, SeveralTargets) {
  const Outcome run = project_.danlu({"run", "targets.yaml", "evaluate.gates={kind.accuracy: 0.95, at.r2: 0.8}"});
  ASSERT_EQ(run.code, 0) << run;
  const std::string page = project_.read("runs/targets/report.html");
  for (const char* heading : {"<h3>kind</h3>", "<h3>at</h3>"}) EXPECT_THAT(page, HasSubstr(heading));
  const Outcome predicted = project_.danlu({"predict", "targets", "ask/bar.png"});
  ASSERT_EQ(predicted.code, 0) << predicted;
  const Json said = json_lines(predicted.out).at(0);
  EXPECT_EQ(said["targets"]["kind"]["label"], "upright");
  EXPECT_NEAR(said["targets"]["at"]["value"].get<double>(), 7, 2) << "in the column's own unit";
  expect_served_as_predicted("targets", said);
  EXPECT_EQ(project_.danlu({"verify", "targets"}).code, 0);
}

TEST_F(ImageTables, SeveralLabels) {
  const Outcome run = project_.danlu({"run", "labels.yaml", "evaluate.gates={f1_micro: 0.95}"});
  ASSERT_EQ(run.code, 0) << run;
  EXPECT_THAT(project_.read("runs/labels/report.html"), HasSubstr("data:image/png;base64"));
  const Json said = json_lines(project_.danlu({"predict", "labels", "ask/bar.png"}).out).at(0);
  EXPECT_EQ(said["labels"], Json({"upright"}));
  expect_served_as_predicted("labels", said);
  EXPECT_EQ(project_.danlu({"explain", "labels", "ask/bar.png"}).code, 0);
}

TEST_F(ImageTables, ANumber) {
  const Outcome run = project_.danlu({"run", "number.yaml"});
  ASSERT_EQ(run.code, 0) << run;
  EXPECT_GT(value("number", "r2"), 0.7);
  const Json said = json_lines(project_.danlu({"predict", "number", "ask/bar.png"}).out).at(0);
  EXPECT_NEAR(said["value"].get<double>(), 7, 2.5);
  expect_served_as_predicted("number", said);
}

TEST_F(ImageTables, TheSameWeightsForOneAndTwoThreadsAndAfterAnInterruption) {
  expect_same_weights(project_, {"run", "targets.yaml", "train.epochs=4", "data.augment.shift=0.1"}, "targets");
}

TEST_F(ImageTables, ARunIsOfItsImagesAndOfWhatIsSaidOfThem) {
  ASSERT_EQ(project_.danlu({"prepare", "labels.yaml"}).code, 0);
  std::string csv = project_.read("photos/bars.csv");
  const size_t at = csv.find(",lying,");
  csv.replace(at, 7, ",upright,");
  project_.write("photos/bars.csv", csv);
  EXPECT_THAT(project_.danlu({"train", "labels"}).err, HasSubstr("has changed"));
}

TEST_F(ImageTables, BadOnesAreRefused) {
  expect_refused(project_, {"run", "targets.yaml", "data.image.column=fyle"}, kFailed, {"fyle", "did you mean \"file\"?"});
  expect_refused(project_, {"run", "targets.yaml", "data.image.on_bad_file=skip"}, kUsage, {"data.image.on_bad_file", "leave bad ones out"});
  expect_refused(project_, {"run", "targets.yaml", "data.source=photos"}, kUsage, {"data.image.column", "images that a table names"});
  expect_refused(project_, {"run", "targets.yaml", "data.image.column=kind"}, kFailed, {"named below photos", "none of them there", "the first of which is"});
  project_.write("photos/bars.csv", project_.read("photos/bars.csv") + "three/1.png,lying,0,0,3\n");
  expect_refused(project_, {"run", "targets.yaml"}, kFailed, {"1 bad of 401 files", "photos/three/1.png: no such file"});
  project_.write("photos/bars.csv", "file,kind,bright,upright,at\none/000.png,lying,0,0,1\n,upright,1,1,2\n");
  expect_refused(project_, {"run", "targets.yaml"}, kFailed, {"photos/bars.csv:3", "column \"file\"", "the file of an image"});
}

}  // namespace
}  // namespace danlu::test
