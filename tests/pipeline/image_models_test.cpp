// The networks for images, from a folder of PNG files to the served answer.
#include <gmock/gmock.h>

#include "danlu/base/base64.h"
#include "danlu/base/json.h"
#include "tests/client.h"
#include "tests/program.h"
#include "tests/same_weights.h"
#include "tests/samples.h"

namespace danlu::test {
namespace {

using testing::HasSubstr;

class ImageModels : public testing::TestWithParam<const char*> {
 protected:
  ImageModels() {
    write_squares(project_ / "squares", 120);
    project_.write("squares.yaml", std::string("data: {source: squares}\ntrain: {epochs: 6, batch_size: 16, optimizer: {type: adamw, lr: 3e-3}}\nmodel: ") + GetParam() + "\n");
  }
  Project project_;
};

TEST_P(ImageModels, FromTheFolderToTheServedAnswer) {
  const Outcome run = project_.danlu({"run", "squares.yaml"});
  ASSERT_EQ(run.code, 0) << run;
  EXPECT_GT(read_json(project_.run("squares").file("report.json"))["metrics"]["accuracy"]["value"].get<double>(), 0.9);

  Rng rng(1);
  const std::string png = square_png(true, rng);
  project_.write("one.png", png);
  const Outcome predicted = project_.danlu({"predict", "squares", "one.png"});
  ASSERT_EQ(predicted.code, 0) << predicted;
  const Json line = parse_json(predicted.out, "line");
  EXPECT_EQ(line["label"], "bright");
  const ServedModels server(project_, {"squares"});
  const Json answer = post(server.port(), to_line(Json{{"image", base64_encode(png)}})).json();
  EXPECT_NEAR(answer["predictions"][0]["probabilities"]["bright"].get<double>(), line["probabilities"]["bright"].get<double>(), 1e-5);
}

TEST_P(ImageModels, TheSameWeightsForOneAndTwoThreadsAndAfterAnInterruption) {
  expect_same_weights(project_, {"run", "squares.yaml", "train.epochs=4"}, "squares");
}

INSTANTIATE_TEST_SUITE_P(Networks, ImageModels,
                         testing::Values("{type: resnet, width: 8, blocks: [1, 1]}", "{type: mobilenet, width: 8, blocks: [1, 1], expansion: 2}",
                                         "{type: vgg, width: 8, blocks: [1, 1], hidden: 16}", "{type: vit, patch: 2, layers: 1, heads: 2, width: 16}"));

}  // namespace
}  // namespace danlu::test
