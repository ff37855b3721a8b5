#include "danlu/infer/predictor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "danlu/base/error.h"
#include "danlu/base/temporary_directory.h"
#include "danlu/data/image/preprocess.h"
#include "danlu/data/table/csv.h"
#include "danlu/data/table/preprocessor.h"
#include "danlu/infer/testing.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/nn/layers.h"

namespace danlu::infer {
namespace {

using testing::HasSubstr;

const char* const kPatients = "age,dose,ill,weight\n20,1,no,60\n30,2,no,70\n40,3,yes,80\n50,4,yes,90\n";

data::TablePreprocessor fit(const data::Table& table, const std::string& target) {
  data::TableOptions options;
  options.target = target;
  for (const char* name : {"age", "dose", "weight", "ill"}) {
    if (std::string(name) != "age" && std::string(name) != "dose" && name != target) options.columns[name].drop = true;
  }
  std::vector<int64_t> rows(4);
  std::iota(rows.begin(), rows.end(), 0);
  return data::TablePreprocessor::fit(table, rows, data::infer_schema(table, data::type_overrides(options)), options);
}

BundleConfig config_for(const data::TablePreprocessor& preprocessor) {
  BundleConfig config;
  config.name = "patients";
  config.task = preprocessor.task();
  config.input_shape = Shape{2};
  config.class_names = preprocessor.class_names();
  config.target = preprocessor.target();
  config.model = "logistic";
  return config;
}

// A logistic model with these two weights and this bias.
nn::Sequential linear_model(float age, float dose, float bias) {
  nn::Linear linear(2, 1);
  linear.weight.copy_from(Tensor::from({1, 2}, {age, dose}));
  linear.bias.fill(bias);
  return nn::Sequential(std::move(linear));
}

TEST(Predictor, AnswersForTheClassesOfATable) {
  const TemporaryDirectory directory;
  const data::Table table = data::parse_csv(kPatients, "patients.csv");
  const auto preprocessor = fit(table, "ill");
  write_bundle(directory.path(), config_for(preprocessor), linear_model(1, 0.5f, 0.25f), preprocessor.to_json());

  Predictor predictor(directory.path());
  EXPECT_EQ(predictor.name(), "patients");
  EXPECT_EQ(predictor.num_parameters(), 3);
  EXPECT_EQ(predictor.class_names(), (std::vector<std::string>{"no", "yes"}));
  EXPECT_EQ(predictor.input_columns(), (std::vector<std::string>{"age", "dose"}));
  const auto answers = predictor.decode(predictor.run(predictor.encode(table)));
  ASSERT_EQ(answers.size(), 4u);
  // Standardised, 20 .. 50 and 1 .. 4 are both -3, -1, 1, 3 over the square root of 5.
  for (int i = 0; i < 4; ++i) {
    const double p = 1 / (1 + std::exp(-(1.5 * (2 * i - 3) / std::sqrt(5.0) + 0.25)));
    const Prediction& answer = answers[static_cast<size_t>(i)];
    EXPECT_NEAR(answer.probabilities[1], p, 1e-6);
    EXPECT_NEAR(answer.probabilities[0], 1 - p, 1e-6);
    EXPECT_EQ(answer.label, i < 2 ? "no" : "yes");
  }
  const Json json = to_json(answers[3], predictor.class_names());
  EXPECT_EQ(json.at("label"), "yes");
  EXPECT_EQ(json.at("probabilities").at("yes"), answers[3].probabilities[1]);
}

TEST(Predictor, GivesNumbersInTheirOwnUnit) {
  const TemporaryDirectory directory;
  const data::Table table = data::parse_csv(kPatients, "patients.csv");
  const auto preprocessor = fit(table, "weight");
  write_bundle(directory.path(), config_for(preprocessor), linear_model(1, 0, 0), preprocessor.to_json());
  Predictor predictor(directory.path());
  const auto answers = predictor.decode(predictor.run(predictor.encode(table)));
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(answers[static_cast<size_t>(i)].value, 60 + 10 * i, 1e-3);
  EXPECT_TRUE(to_json(answers[0], predictor.class_names()).contains("value"));
}

TEST(Predictor, RefusesWhatItDoesNotTake) {
  const TemporaryDirectory directory;
  const data::Table table = data::parse_csv(kPatients, "patients.csv");
  const auto preprocessor = fit(table, "ill");
  write_bundle(directory.path(), config_for(preprocessor), linear_model(1, 1, 0), preprocessor.to_json());
  const Predictor predictor(directory.path());
  const auto message = [](const auto& question) -> std::string {
    try {
      question();
    } catch (const DataError& error) {
      return error.message();
    }
    return "";
  };
  EXPECT_THAT(message([&] { predictor.encode(data::parse_csv("age\n20\n", "new.csv")); }), HasSubstr("\"dose\""));
  EXPECT_THAT(message([&] { predictor.encode(data::parse_csv("age,dose\n20,much\n", "new.csv")); }), HasSubstr("much"));
  EXPECT_THAT(message([&] { predictor.encode(std::span<const data::Image>()); }), HasSubstr("takes rows of a table"));
}

TEST(Predictor, TransformsMustFitTheModel) {
  const TemporaryDirectory directory;
  const data::Table table = data::parse_csv(kPatients, "patients.csv");
  BundleConfig config = config_for(fit(table, "ill"));
  config.input = InputKind::image;
  config.input_shape = Shape{1, 2, 1};
  const auto model = models::parse_model(config.model).make(config.input_shape, config.outputs());
  write_bundle(directory.path(), config, *model, data::ImagePreprocess(2, 2, {0.5}, {0.5}).to_json());
  try {
    const Predictor predictor(directory.path());
    FAIL() << "expected a DataError";
  } catch (const DataError& error) {
    EXPECT_THAT(error.message(), HasSubstr((directory / "preprocess.json").string()));
    EXPECT_THAT(error.message(), HasSubstr("(2, 2, 1); the model takes (1, 2, 1)"));
  }
}

// A class and a number from one model.
class Heads : public testing::Test {
 protected:
  Heads() {
    data::TableOptions options;
    options.targets["ill"] = {};
    options.targets["weight"].task = "regression";
    const std::vector<int64_t> rows = data::all_rows(table_);
    const auto preprocessor = data::TablePreprocessor::fit(table_, rows, data::infer_schema(table_, data::type_overrides(options)), options);
    BundleConfig config = config_for(preprocessor);
    config.class_names = {};
    config.heads = {{.name = "ill", .task = data::TaskKind::binary, .class_names = {"no", "yes"}}, {.name = "weight", .task = data::TaskKind::regression}};
    nn::Linear linear(2, 2);
    linear.weight.copy_from(Tensor::from({2, 2}, {1, 0.5f, 1, 0}));
    linear.bias.fill(0);
    write_bundle(directory_.path(), config, nn::Sequential(std::move(linear)), preprocessor.to_json());
  }
  const TemporaryDirectory directory_;
  const data::Table table_ = data::parse_csv(kPatients, "patients.csv");
};

TEST_F(Heads, AnswerEachForItsTarget) {
  Predictor predictor(directory_.path());
  const auto answers = predictor.decode(predictor.run(predictor.encode(table_)));
  EXPECT_EQ(answers[0].targets.at("ill").at("label"), "no");
  EXPECT_EQ(answers[3].targets.at("ill").at("label"), "yes");
  EXPECT_NEAR(answers[3].targets.at("weight").at("value").get<double>(), 90, 1e-3);
}

TEST_F(Heads, ThatAreNotThoseOfTheTransformsAreRefused) {
  const Json config = read_json(directory_ / "config.json"), preprocess = read_json(directory_ / "preprocess.json");
  const Json &heads = config["heads"], &targets = preprocess["target"]["targets"];
  const char* const fitted = "preprocess.json";
  expect_refused(directory_.path(),
                 {
                     {"config.json", "/heads", {heads[1], heads[0]}, "target 1: ill, binary of 2 classes; the model of config.json has head 1: weight, regression task", fitted},
                     {"config.json", "/heads/0/name", "well", "head 1: well, binary of 2 classes", fitted},
                     {"config.json", "/heads/1/task", "binary", "heads: got 0 class names"},
                     {"config.json", "/heads/1", {{"name", "weight"}, {"task", "binary"}, {"class_names", {"light", "heavy"}}}, "head 2: weight, binary of 2 classes", fitted},
                     {"config.json", "/heads/1/name", "ill", "two of the name ill"},
                     {"config.json", "/heads", Json::array({heads[0]}), "of 1 heads"},
                     {"config.json", "/heads", {heads[0], heads[1], {{"name", "x"}, {"task", "regression"}, {"class_names", Json::array()}}}, "", "model.safetensors"},
                     {"config.json", "/heads/0/class_names", {"no", "yes", "perhaps"}, "got 3 class names for the binary head ill"},
                     {"preprocess.json", "/target/targets", {targets[1], targets[0]}, "target 1: weight, regression task"},
                     {"preprocess.json", "/target/targets", {targets[0], targets[1], targets[1]}, "3 targets; the model of config.json has 2 heads"},
                     {"preprocess.json", "/target/targets/0", {{"name", "ill"}, {"reason", ""}, {"task", "multiclass"}, {"classes", {"no", "a bit", "yes"}}}, "target 1: ill, multiclass of 3 classes"},
                     {"preprocess.json", "/target", targets[0], "a binary of 2 classes; the model of config.json has a multitask task"},
                 },
                 [&] { Predictor predictor(directory_.path()); });
}

TEST(Predictor, TheTaskOfTheTransformsMustBeThatOfTheModel) {
  const data::Table table = data::parse_csv(kPatients, "patients.csv");
  const auto refusal = [&](const char* target, data::TaskKind task, std::vector<std::string> classes) {
    const TemporaryDirectory directory;
    const auto preprocessor = fit(table, target);
    BundleConfig config = config_for(preprocessor);
    config.task = task;
    config.class_names = std::move(classes);
    const auto model = models::parse_model(config.model).make(config.input_shape, config.outputs());
    write_bundle(directory.path(), config, *model, preprocessor.to_json());
    EXPECT_THAT([&] { Predictor predictor(directory.path()); }, testing::ThrowsMessage<DataError>(HasSubstr((directory / "preprocess.json").string())));
  };
  refusal("ill", data::TaskKind::regression, {});
  refusal("ill", data::TaskKind::multiclass, {"no", "a bit", "yes"});
  refusal("ill", data::TaskKind::multilabel, {"no", "yes"});
  refusal("ill", data::TaskKind::clustering, {"1", "2"});
  refusal("weight", data::TaskKind::binary, {"light", "heavy"});
}

TEST(Prediction, AClassMayHaveAnEmptyName) {
  const Json one = to_json(Prediction{.label = "", .probabilities = {0.9, 0.1}}, {"", "x"});
  EXPECT_EQ(one["label"], "");
  EXPECT_FALSE(one.contains("labels"));
  const Json none = to_json(Prediction{.label = "", .probabilities = {0.1, 0.1}, .several_labels = true}, {"a", "b"});
  EXPECT_EQ(none["labels"], Json::array());
  EXPECT_FALSE(none.contains("label"));
}

}  // namespace
}  // namespace danlu::infer
