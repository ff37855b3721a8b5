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

}  // namespace
}  // namespace danlu::infer
