// Images without labels, from a flat folder to images that are made, and to errors of what is rebuilt.
#include <gmock/gmock.h>

#include <algorithm>

#include "danlu/base/base64.h"
#include "danlu/base/json.h"
#include "danlu/base/rng.h"
#include "danlu/data/image/decode.h"
#include "tests/client.h"
#include "tests/misuse/refusal.h"
#include "tests/program.h"

namespace danlu::test {
namespace {

using testing::HasSubstr;

// A bright bar in a dark image, upright or lying, anywhere.
data::Image bar(Rng& rng, bool upright, int64_t size = 12) {
  data::Image image{size, size, 1, std::vector<uint8_t>(static_cast<size_t>(size * size), 0)};
  const int64_t at = 2 + rng.below(size - 5);
  for (int64_t i = 1; i + 1 < size; ++i) {
    for (int64_t j = at; j < at + 2; ++j) image.pixels[static_cast<size_t>(upright ? i * size + j : j * size + i)] = static_cast<uint8_t>(180 + rng.below(76));
  }
  return image;
}
data::Image bar(Rng& rng) { return bar(rng, rng.below(2) == 1); }

// Is what changes from column to column more than what changes from row to row?
bool stands_upright(const data::Image& image) {
  std::vector<double> rows(static_cast<size_t>(image.height)), columns(static_cast<size_t>(image.width));
  for (size_t i = 0; i < image.pixels.size(); ++i) {
    rows[i / columns.size()] += image.pixels[i];
    columns[i % columns.size()] += image.pixels[i];
  }
  return *std::max_element(columns.begin(), columns.end()) > *std::max_element(rows.begin(), rows.end());
}

void write_bars(const Project& project, int64_t count) {
  Rng rng(6), kinds_rng(7);
  for (int64_t i = 0; i < count; ++i) {
    write_file_atomic(project / "bars" / fmt::format("{:04}.png", i), data::encode_png(bar(rng)));
    const bool upright = i % 3 > 0;
    write_file_atomic(project / "kinds" / (upright ? "upright" : "lying") / fmt::format("{:04}.png", i), data::encode_png(bar(kinds_rng, upright)));
  }
}

const char* const kGan = R"(
data: {source: bars, split: {validation: 0.2, test: 0.2}}
model: {type: gan, latent: 6, width: 8}
train: {epochs: 6, batch_size: 32, adversarial_loss: hinge, optimizer: {type: adam, lr: 2e-3, beta1: 0.5}}
)";
const char* const kConditional = R"(
data: {source: kinds, split: {validation: 0.2, test: 0.2}}
model: {type: gan, latent: 6, width: 8, conditional: true}
train: {epochs: 100, batch_size: 32, adversarial_loss: hinge, validate_every: 60, optimizer: {type: adam, lr: 2e-3, beta1: 0.5}}
)";
const char* const kAutoencoder = R"(
data: {source: bars, split: {validation: 0.2, test: 0.2}}
model: {type: autoencoder, code: 12, width: 12}
train: {epochs: 60, batch_size: 32, optimizer: {type: adam, lr: 4e-3}}
)";

class ImagesAlone : public testing::Test {
 protected:
  ImagesAlone() {
    write_bars(project_, 300);
    project_.write("gan.yaml", kGan);
    project_.write("kinds.yaml", kConditional);
    project_.write("rebuild.yaml", kAutoencoder);
  }
  std::string hash(const char* run) const { return project_.run(run).info()["training"]["weights_hash"]; }
  void expect_one_hash(const char* run, const Words& words);
  Project project_;
};

TEST_F(ImagesAlone, AGanFromAFolderToImagesServed) {
  const Outcome run = project_.danlu({"run", "gan.yaml"});
  ASSERT_EQ(run.code, 0) << run;
  const Json report = read_json(project_.run("gan").file("report.json"));
  for (const char* name : {"frechet_distance", "diversity", "nearest_distance", "least_distance"}) EXPECT_GE(report["metrics"][name]["value"].get<double>(), 0) << name;
  EXPECT_EQ(report["metrics"]["copies"]["value"].get<double>(), 0);
  const std::vector<Json> lines = project_.run("gan").lines("metrics.jsonl");
  ASSERT_EQ(lines.size(), 6u);
  for (const Json& line : lines) {
    EXPECT_GT(line["frechet_distance"].get<double>(), 0);
    EXPECT_EQ(line["frechet_distance"], line["validation_loss"]);
    EXPECT_TRUE(line["generator_loss"].is_number());
    EXPECT_TRUE(fs::exists(project_.run("gan").path() / fmt::format("samples/{:08}.png", line["step"].get<int64_t>())));
  }
  EXPECT_LT(lines.back()["frechet_distance"].get<double>(), lines.front()["frechet_distance"].get<double>());
  EXPECT_THAT(project_.read("runs/gan/report.html"), HasSubstr("data:image/png;base64"));

  // The images of a seed are the same however many are asked for, and whoever asks.
  ASSERT_EQ(project_.danlu({"generate", "gan", "--count", "20", "--seed", "7", "--out", "made"}).code, 0);
  ASSERT_EQ(project_.danlu({"generate", "gan", "--count", "3", "--seed", "7", "--out", "few"}, {"OMP_NUM_THREADS=2"}).code, 0);
  ASSERT_EQ(project_.danlu({"generate", "gan", "--count", "20", "--seed", "7", "--out", "grid.png"}).code, 0);
  EXPECT_EQ(data::read_image(project_ / "grid.png").height, 3 * 12 + 2 * 2);
  EXPECT_EQ(read_file(project_ / "few/000002.png"), read_file(project_ / "made/000002.png"));
  const ServedModels server(project_, {"gan"});
  const Json answer = post(server.port(), R"({"model": "gan", "n": 20, "seed": 7, "prompt": "passed over"})", "application/json", "/v1/images/generations").json();
  ASSERT_EQ(answer["data"].size(), 20u);
  for (const int i : {0, 2, 19}) {
    EXPECT_EQ(base64_decode(answer["data"][static_cast<size_t>(i)]["b64_json"].get<std::string>()), read_file(project_ / fmt::format("made/{:06}.png", i))) << i;
  }
  const auto refusal = [&](const char* body) { return post(server.port(), body, "application/json", "/v1/images/generations").json()["error"]["message"].get<std::string>(); };
  EXPECT_THAT(refusal(R"({"n": 0})"), HasSubstr("n: got 0; expected 1 to 256"));
  EXPECT_THAT(refusal(R"({"n": 1e9})"), HasSubstr("n"));
  EXPECT_THAT(refusal(R"({"size": "28x28"})"), HasSubstr("expected 12x12"));
  EXPECT_THAT(refusal(R"({"model": 3})"), HasSubstr("model"));
  EXPECT_THAT(refusal(R"({"response_format": "url"})"), HasSubstr("b64_json"));
  expect_refused(project_, {"predict", "gan", "made/000000.png"}, kFailed, {"makes images", "danlu generate"});
}

TEST_F(ImagesAlone, AConditionalGanMakesWhatItIsAskedFor) {
  const Outcome run = project_.danlu({"run", "kinds.yaml", "evaluate.gates.class_accuracy=0.8"});
  ASSERT_EQ(run.code, 0) << run;
  EXPECT_THAT(run.out + run.err, HasSubstr("class accuracy"));
  const Json report = read_json(project_.run("kinds").file("report.json"));
  EXPECT_GT(report["class_accuracy_of_real_halves"].get<double>(), 0.8);
  const std::vector<Json> lines = project_.run("kinds").lines("metrics.jsonl");
  EXPECT_TRUE(lines.back()["class_accuracy"].is_number());
  EXPECT_EQ(data::read_image(project_.run("kinds").file("samples/final.png")).height, 2 * 12 + 2) << "a row for each class";

  ASSERT_EQ(project_.danlu({"generate", "kinds", "--count", "40", "--seed", "7", "--class", "upright", "--out", "upright"}).code, 0);
  ASSERT_EQ(project_.danlu({"generate", "kinds", "--count", "40", "--seed", "7", "--out", "both"}).code, 0);
  ASSERT_EQ(project_.danlu({"generate", "kinds", "--count", "7", "--out", "grid.png"}).code, 0);
  EXPECT_EQ(data::read_image(project_ / "grid.png").height, 2 * 12 + 2);
  EXPECT_EQ(data::read_image(project_ / "grid.png").width, 4 * 12 + 3 * 2);
  int right = 0;
  for (int i = 0; i < 40; ++i) {
    right += stands_upright(data::read_image(project_ / fmt::format("upright/{:06}.png", i)));
    right += stands_upright(data::read_image(project_ / fmt::format("both/{:06}.png", i))) == (i % 2 == 1);  // lying, upright, lying ...
  }
  EXPECT_GT(right, 68) << "of 80";
  EXPECT_EQ(project_.read("upright/000003.png"), project_.read("both/000003.png")) << "of one seed, number and class";
  EXPECT_NE(project_.read("upright/000002.png"), project_.read("both/000002.png"));

  const ServedModels server(project_, {"kinds"});
  const auto ask = [&](const char* body) { return post(server.port(), body, "application/json", "/v1/images/generations").json(); };
  const Json answer = ask(R"({"n": 3, "seed": 7, "class": "upright"})");
  EXPECT_EQ(base64_decode(answer["data"][2]["b64_json"].get<std::string>()), project_.read("upright/000002.png"));
  EXPECT_THAT(ask(R"({"class": "slanted"})")["error"]["message"].get<std::string>(), HasSubstr("one of lying, upright"));
  expect_refused(project_, {"generate", "kinds", "--class", "slanted"}, kFailed, {"slanted", "lying, upright"});
}

TEST_F(ImagesAlone, TheSameConditionalGan) { expect_one_hash("kinds", {"run", "kinds.yaml", "train.save_every=3", "train.epochs=6"}); }

TEST_F(ImagesAlone, ClassesAreForConditionalGans) {
  expect_refused(project_, {"run", "kinds.yaml", "data.source=kinds/lying"}, kFailed, {"got no directories", "one for each class"});
  fs::create_directories(project_ / "one");
  fs::copy(project_ / "kinds/lying", project_ / "one/lying");
  expect_refused(project_, {"run", "kinds.yaml", "data.source=one"}, kUsage, {"model.conditional", "1 classes", "at least two"});
  expect_refused(project_, {"run", "gan.yaml", "data.classes=[a, b]"}, kUsage, {"data.classes", "model.conditional"});
  expect_refused(project_, {"run", "gan.yaml", "evaluate.gates.class_accuracy=0.8"}, kUsage, {"class_accuracy"});
}

TEST_F(ImagesAlone, AnAutoencoderTellsTheStrange) {
  const Outcome run = project_.danlu({"run", "rebuild.yaml"});
  ASSERT_EQ(run.code, 0) << run;
  Rng rng(77);
  data::Image noise = bar(rng);
  for (uint8_t& p : noise.pixels) p = static_cast<uint8_t>(rng.below(256));
  write_file_atomic(project_ / "ask/bar.png", data::encode_png(bar(rng)));
  write_file_atomic(project_ / "ask/noise.png", data::encode_png(noise));
  const auto error_of = [&](const char* file) { return parse_json(project_.danlu({"predict", "rebuild", file}).out, file)["value"].get<double>(); };
  const double usual = error_of("ask/bar.png"), strange = error_of("ask/noise.png");
  EXPECT_GT(strange, 4 * usual);
  const Json report = read_json(project_.run("rebuild").file("report.json"));
  EXPECT_GT(strange, report["error_quantiles"]["0.999"].get<double>());

  const ServedModels server(project_, {"rebuild"});
  const Json answer = post(server.port(), to_line(Json{{"image", base64_encode(read_file(project_ / "ask/bar.png"))}})).json();
  EXPECT_NEAR(answer["predictions"][0]["value"].get<double>(), usual, 1e-6);
}

void ImagesAlone::expect_one_hash(const char* run, const Words& words) {
  ASSERT_EQ(project_.danlu(words, {"OMP_NUM_THREADS=1"}).code, 0);
  const std::string one = hash(run);
  Words afresh = words;
  afresh.push_back("--fresh");
  ASSERT_EQ(project_.danlu(afresh, {"OMP_NUM_THREADS=2"}).code, 0);
  EXPECT_EQ(hash(run), one);

  fs::remove_all(project_ / "runs");
  for (bool killed = false; !killed;) {
    const auto process = project_.start(words, {"OMP_NUM_THREADS=2"});
    while (process->is_running() && !fs::exists(project_.run(run).checkpoints() / "last.safetensors")) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    process->signal(SIGKILL);
    killed = process->wait().code == -SIGKILL;
    if (!killed) fs::remove_all(project_ / "runs");
  }
  const Outcome again = project_.danlu(words, {"OMP_NUM_THREADS=1"});
  EXPECT_EQ(again.code, 0) << again;
  EXPECT_EQ(hash(run), one);
}

TEST_F(ImagesAlone, TheSameGanForOneAndTwoThreadsAndAfterAnInterruption) { expect_one_hash("gan", {"run", "gan.yaml", "train.save_every=3"}); }
TEST_F(ImagesAlone, TheSameGanWithBatchNorm) {
  expect_one_hash("gan", {"run", "gan.yaml", "train.save_every=3", "model.discriminator_norm=batch", "train.adversarial_loss=non_saturating", "train.accumulate=2"});
}
TEST_F(ImagesAlone, TheSameAutoencoder) { expect_one_hash("rebuild", {"run", "rebuild.yaml", "train.epochs=6", "model.layers=dense"}); }

TEST_F(ImagesAlone, BatchesOfOneCanBeLearntFrom) {
  const Outcome run = project_.danlu({"run", "gan.yaml", "train.batch_size=1", "train.epochs=", "train.steps=5", "model.discriminator_norm=batch"});
  EXPECT_EQ(run.code, 0) << run;
}

TEST_F(ImagesAlone, BadOnesAreRefused) {
  expect_refused(project_, {"run", "gan.yaml", "data.image.height=30", "data.image.width=30"}, kUsage, {"multiples of 4 from 8 to 64", "(30, 30, 1)", "data.image.height"});
  expect_refused(project_, {"run", "gan.yaml", "data.split.test=0"}, kUsage, {"test split of 0 images"});
  expect_refused(project_, {"run", "gan.yaml", "train.monitor=accuracy"}, kUsage, {"train.monitor"});
  expect_refused(project_, {"run", "gan.yaml", "evaluate.kfold.folds=3"}, kUsage, {"evaluate.kfold"});
  expect_refused(project_, {"run", "gan.yaml", "train.adversarial_loss=hinged"}, kUsage, {"hinged", "hinge"});
  fs::create_directories(project_ / "empty");
  expect_refused(project_, {"run", "gan.yaml", "data.source=empty"}, kFailed, {"got 0 files", "none a PNG or JPEG"});
  project_.write("bars/0001.png", "no image");
  expect_refused(project_, {"run", "gan.yaml"}, kFailed, {"1 bad of 300 files", "on_bad_file: skip"});
}

}  // namespace
}  // namespace danlu::test
