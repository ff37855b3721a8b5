#include "danlu/infer/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "danlu/base/error.h"
#include "danlu/base/temporary_directory.h"
#include "danlu/engine/tensor/allocator.h"
#include "danlu/engine/ops/random.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/train/checkpoint.h"

namespace danlu::infer {
namespace {

using testing::HasSubstr;

BundleConfig flowers() {
  BundleConfig config;
  config.name = "flowers";
  config.task = data::TaskKind::multiclass;
  config.input_shape = Shape{4};
  config.class_names = {"setosa", "versicolor", "virginica"};
  config.target = "species";
  config.model = {{"type", "mlp"}, {"hidden", {8}}};
  config.training = {{"seed", 1}};
  return config;
}

std::unique_ptr<nn::Module> make_model(const BundleConfig& config) {
  manual_seed(3);
  return models::parse_model(config.model).make(config.input_shape, config.outputs());
}

// The message of the DataError that reading gives; empty if there is none.
std::string refusal(const fs::path& directory) {
  try {
    read_bundle(directory);
  } catch (const DataError& error) {
    return error.message();
  }
  return "";
}

class BundleTest : public testing::Test {
 protected:
  BundleTest() { write_bundle(directory_.path(), flowers(), *model_, {{"scale", 2}}); }

  // Writes config.json with one key changed.
  void change(const char* key, const Json& value) const {
    Json json = flowers().to_json();
    json[key] = value;
    write_json(config_, json);
  }

  const TemporaryDirectory directory_;
  const fs::path config_ = directory_ / "config.json";
  const std::unique_ptr<nn::Module> model_ = make_model(flowers());
};

TEST_F(BundleTest, ComesBackAsWritten) {
  const Bundle bundle = read_bundle(directory_.path());
  EXPECT_EQ(bundle.config.to_json(), flowers().to_json());
  EXPECT_EQ(bundle.preprocess, (Json{{"scale", 2}}));
  EXPECT_EQ(train::weights_hash(*bundle.model), train::weights_hash(*model_));
  EXPECT_FALSE(bundle.model->is_training());
}

TEST_F(BundleTest, IsFoundInItsRunDirectory) {
  const TemporaryDirectory run;
  write_bundle(run / "bundle", flowers(), *model_, Json::object());
  EXPECT_EQ(read_bundle(run.path()).directory, run / "bundle");
}

TEST_F(BundleTest, NoBundleHintsAtRun) {
  const TemporaryDirectory empty;
  try {
    read_bundle(empty.path());
    FAIL() << "expected a FileError";
  } catch (const FileError& error) {
    EXPECT_THAT(error.message(), HasSubstr(empty.path().string()));
    EXPECT_THAT(error.message(), HasSubstr("danlu run RECIPE"));
  }
}

TEST_F(BundleTest, WrongFieldsAreNamedWithTheFile) {
  const struct {
    const char* key;
    Json value;
    const char* words;
  } cases[] = {
      {"format", "onnx", "not the configuration of a bundle"},
      {"format_version", 99, "format_version: got 99"},
      {"task", "translation", "task: got \"translation\""},
      {"input", "sound", "input: got \"sound\""},
      {"input_shape", {-4}, "input_shape: got [-4]; expected [features]"},
      {"input_shape", {4, 4, 1}, "input_shape: got [4,4,1]"},
      {"input_shape", "wide", "must be array"},
      {"class_names", {"yes", "no"}, "class_names: got 2 names for a multiclass task"},
      {"task", "regression", "class_names: got 3 names for a regression task"},
      {"name", nullptr, "must be string"},
      {"model", {{"type", "mlpp"}}, "did you mean \"mlp\"?"},
      {"model", {{"type", "cnn"}}, "cnn needs images"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(std::string(c.key) + " = " + to_line(c.value));
    change(c.key, c.value);
    EXPECT_THAT(refusal(directory_.path()), HasSubstr(config_.string()));
    EXPECT_THAT(refusal(directory_.path()), HasSubstr(c.words));
  }
  Json absent = flowers().to_json();
  absent.erase("target");
  write_json(config_, absent);
  EXPECT_THAT(refusal(directory_.path()), testing::AllOf(HasSubstr(config_.string()), HasSubstr("'target' not found")));
}

TEST_F(BundleTest, WeightsOfAnotherModelAreRefused) {
  change("model", {{"type", "mlp"}, {"hidden", {9}}});
  EXPECT_THAT(refusal(directory_.path()), testing::AllOf(HasSubstr("model.safetensors"), HasSubstr("got (8, 4)"), HasSubstr("(9, 4)")));
}

// Such a file must neither take the memory of the machine nor crash.
TEST_F(BundleTest, AbsurdWidthsAreRefusedBeforeTheirMemoryIsTaken) {
  const int64_t peak = allocator_stats().peak_bytes;
  for (const Json& hidden : {Json{10'000'000}, Json{9'999'999, 9'999'999}, Json(std::vector<int64_t>(10'000, 10'000))}) {
    change("model", {{"type", "mlp"}, {"hidden", hidden}});
    EXPECT_THAT(refusal(directory_.path()), testing::AllOf(HasSubstr(config_.string()), HasSubstr("larger than"), HasSubstr("model.safetensors")));
  }
  for (const int64_t features : {int64_t{1} << 40, INT64_MAX / 4, INT64_MAX}) {
    change("input_shape", {features});
    EXPECT_THAT(refusal(directory_.path()), HasSubstr(config_.string())) << features;
  }
  EXPECT_LT(allocator_stats().peak_bytes - peak, 4 << 20);
}

TEST_F(BundleTest, WordsForAMissingValueComeBack) {
  BundleConfig config = flowers();
  config.missing = {.words = {"-9", "none"}, .quoted = false};
  write_bundle(directory_.path(), config, *model_, Json::object());
  const Bundle bundle = read_bundle(directory_.path());
  EXPECT_EQ(bundle.config.missing.words, config.missing.words);
  EXPECT_FALSE(bundle.config.missing.quoted);
  change("missing", {{"words", 3}});
  EXPECT_THAT(refusal(directory_.path()), HasSubstr(config_.string()));
}

TEST_F(BundleTest, DamagedFilesAreNamed) {
  for (const char* name : {"config.json", "preprocess.json", "model.safetensors"}) {
    const std::string whole = read_file(directory_ / name);
    write_file_atomic(directory_ / name, whole.substr(0, whole.size() - 3));
    EXPECT_THAT(refusal(directory_.path()), HasSubstr(name)) << "cut short";
    write_file_atomic(directory_ / name, whole);
  }
  std::string weights = read_file(directory_ / "model.safetensors");
  weights.back() = static_cast<char>(weights.back() ^ 1);
  write_file_atomic(directory_ / "model.safetensors", weights);
  EXPECT_THAT(refusal(directory_.path()), HasSubstr("model.safetensors")) << "one bit of a weight";
}

}  // namespace
}  // namespace danlu::infer
