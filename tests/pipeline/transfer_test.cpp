// Transfer learning: a run begins with the weights of another.
#include <gmock/gmock.h>

#include "danlu/base/json.h"
#include "danlu/formats/safetensors.h"
#include "tests/misuse/refusal.h"
#include "tests/program.h"
#include "tests/same_weights.h"
#include "tests/samples.h"

namespace danlu::test {
namespace {

using testing::HasSubstr;

// Bright, dark and striped squares.
void write_three_kinds(const fs::path& directory, int64_t count) {
  write_squares(directory, count, 77);
  Rng rng(3);
  for (int64_t i = 0; i < count / 2; ++i) {
    data::Image image{8, 8, 1, {}};
    for (int p = 0; p < 64; ++p) image.pixels.push_back(static_cast<uint8_t>((p % 2 == 0 ? 170 : 10) + rng.below(60)));
    write_file_atomic(directory / "striped" / fmt::format("{}.png", i), data::encode_png(image));
  }
}

class TransferLearning : public testing::Test {
 protected:
  TransferLearning() {
    write_squares(project_ / "squares", 80);
    write_three_kinds(project_ / "kinds", 60);
    project_.write("base.yaml", "data: {source: squares}\nmodel: {type: resnet, width: 8, blocks: [1, 1]}\ntrain: {epochs: 3, batch_size: 16}\n");
    project_.write("new.yaml", "data: {source: kinds}\nmodel: {type: resnet, width: 8, blocks: [1, 1]}\ntransfer: {from: base}\n"
                               "train: {epochs: 4, batch_size: 16, freeze: [stem, stages.0], lr_scale: {stages.1: 0.1}}\n");
  }
  Tensor weight(const std::string& run, const std::string& name) const {
    return formats::SafetensorsFile(project_.run(run).bundle() / "model.safetensors").read(name);
  }
  Project project_;
};

TEST_F(TransferLearning, KeepsWhatIsFrozenAndLearnsANewHead) {
  ASSERT_EQ(project_.danlu({"run", "base.yaml"}).code, 0);
  const Outcome run = project_.danlu({"run", "new.yaml"});
  ASSERT_EQ(run.code, 0) << run;
  EXPECT_THAT(run.out, HasSubstr("head.weight: (3, 16) here, (1, 16) in base"));
  for (const char* name : {"stem.conv.weight", "stages.0.0.second.norm.bias", "stem.norm.running_mean"}) {
    const Tensor before = weight("base", name), after = weight("new", name);
    for (int64_t i = 0; i < before.numel(); ++i) ASSERT_EQ(after.data()[i], before.data()[i]) << name;
  }
  const Tensor before = weight("base", "stages.1.0.first.conv.weight"), after = weight("new", "stages.1.0.first.conv.weight");
  EXPECT_FALSE(std::equal(before.span().begin(), before.span().end(), after.span().begin()));
  EXPECT_EQ(project_.run("new").info()["transfer"]["from"], "base");
  // The run stands for itself: the other one is not asked again.
  fs::remove_all(project_ / "runs" / "base");
  const Outcome verified = project_.danlu({"verify", "new"});
  EXPECT_EQ(verified.code, 0) << verified;
}

TEST_F(TransferLearning, TheSameWeightsForOneAndTwoThreadsAndAfterAnInterruption) {
  ASSERT_EQ(project_.danlu({"run", "base.yaml"}).code, 0);
  expect_same_weights(project_, {"run", "new.yaml"}, "new");
}

TEST_F(TransferLearning, ALanguageModelGoesOnWithOtherText) {
  project_.write("text/one.txt", sentences(60));
  project_.write("other/one.txt", "the quick brown fox jumps over the lazy dog.\n\nthe quick brown dog sleeps.\n\n" + sentences(30));
  const std::string model = "model: {type: gpt, layers: 1, heads: 2, width: 16, context: 16}\ntrain: {steps: 20, batch_size: 4}\n";
  project_.write("first.yaml", "data: {source: text}\ntokenizer: {vocab_size: 300}\n" + model);
  project_.write("second.yaml", "data: {source: other}\ntransfer: {from: first}\n" + model);
  ASSERT_EQ(project_.danlu({"run", "first.yaml"}).code, 0);
  const Outcome run = project_.danlu({"run", "second.yaml"});
  ASSERT_EQ(run.code, 0) << run;
  EXPECT_THAT(run.out, HasSubstr("0 begin anew"));
  EXPECT_EQ(project_.read("runs/second/tokenizer/tokenizer.json"), project_.read("runs/first/tokenizer/tokenizer.json"));
  expect_refused(project_, {"run", "second.yaml", "transfer.from=frist"}, kFailed, {"frist"});
}

TEST_F(TransferLearning, RefusesWhatIsNotThere) {
  ASSERT_EQ(project_.danlu({"run", "base.yaml"}).code, 0);
  expect_refused(project_, {"run", "new.yaml", "transfer.from=bsae"}, kFailed, {"bsae"});
  expect_refused(project_, {"run", "new.yaml", "train.freeze=[stm]"}, kUsage, {"got \"stm\"", "did you mean \"stem\"?"});
  expect_refused(project_, {"run", "new.yaml", "train.lr_scale={stages: -1}"}, kUsage, {"train.lr_scale.stages", "got -1"});
  expect_refused(project_, {"run", "new.yaml", "model={type: mlp}"}, kUsage, {"nothing of base fits this model"});
}

}  // namespace
}  // namespace danlu::test
