#include "danlu/eval/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/format.h"
#include "danlu/base/rng.h"
#include "danlu/eval/testing.h"

namespace danlu::eval {
namespace {

using testing::HasSubstr;
using testing::Not;

Predictions two_classes() {
  const std::vector<int64_t> labels{0, 0, 0, 0, 0, 0, 1, 1, 1, 1};
  const std::vector<double> positive{0.1, 0.2, 0.05, 0.3, 0.7, 0.15, 0.9, 0.8, 0.35, 0.95};
  return Predictions::classification(labels, positive, 2);
}

TEST(Report, TextOfTwoClasses) {
  const EvaluationReport report = evaluate(two_classes(), {.metrics = {"accuracy", "auc", "log_loss"}, .bootstrap = {}},
                                           {"良性", "malignant"}, "ab12");
  const std::string text = to_text(report);
  EXPECT_THAT(text, HasSubstr("10 samples, 2 classes; \"malignant\" from probability 0.5; data ab12\n"));
  EXPECT_THAT(text, HasSubstr("  metric     value      95% interval  better\n"
                              "  Accuracy  0.8000"));
  EXPECT_THAT(text, HasSubstr("  class      precision  recall      F1  specificity  samples  predicted\n"
                              "  良性          0.8333  0.8333  0.8333       0.7500        6          6\n"
                              "  malignant     0.7500  0.7500  0.7500       0.8333        4          4\n"));
  EXPECT_THAT(text, HasSubstr("  actual \\ predicted  良性  malignant\n"
                              "  良性                   5          1\n"
                              "  malignant              1          3\n"));
}

TEST(Report, JsonHoldsEverything) {
  const Json json = to_json(evaluate(two_classes(), {}, {"benign", "malignant"}, "ab12"));
  EXPECT_EQ(json["task"], "binary");
  EXPECT_EQ(json["samples"], 10);
  EXPECT_EQ(json["data_hash"], "ab12");
  EXPECT_EQ(json["metrics"].size(), default_metrics(Task::binary).size());
  const Json& accuracy = json["metrics"]["accuracy"];
  EXPECT_EQ(accuracy["value"], 0.8);
  EXPECT_LT(accuracy["low"].get<double>(), 0.8);
  EXPECT_GT(accuracy["high"].get<double>(), 0.8);
  EXPECT_EQ(json["metrics"]["brier"]["better"], "lower");
  EXPECT_EQ(json["classes"][1]["name"], "malignant");
  EXPECT_EQ(json["confusion"], Json::parse("[[5,1],[1,3]]"));
  EXPECT_EQ(json["reliability"].size(), 10u);
  EXPECT_EQ(parse_json(to_line(json), "report"), json);
}

TEST(Report, UndefinedIsNullAndSaidSo) {
  const std::vector<int64_t> labels{1, 1};
  const std::vector<double> positive{0.6, 0.7};
  const EvaluationReport report =
      evaluate(Predictions::classification(labels, positive, 2), {.metrics = {"auc"}, .bootstrap = {}}, {"no", "yes"});
  EXPECT_TRUE(std::isnan(report.value("auc")));
  EXPECT_TRUE(to_json(report)["metrics"]["auc"]["value"].is_null());
  EXPECT_THAT(to_text(report), HasSubstr("ROC-AUC  undefined"));
}

TEST(Report, Regression) {
  const std::vector<double> targets{1, 2, 3, 4}, values{1.5, 2, 2.5, 4};
  const EvaluationReport report = evaluate(Predictions::regression(targets, values), {});
  EXPECT_DOUBLE_EQ(report.value("mae"), 0.25);
  EXPECT_FALSE(to_json(report).contains("confusion"));
  EXPECT_THAT(to_text(report), HasSubstr("MAE     0.2500"));
  EXPECT_THAT(to_text(report), Not(HasSubstr("class")));
}

TEST(Report, ManyClassesShowTheirWorstConfusions) {
  constexpr int64_t kClasses = 30;
  std::vector<int64_t> labels;
  std::vector<double> probabilities;
  std::vector<std::string> names;
  for (int64_t k = 0; k < kClasses; ++k) {
    names.push_back(fmt::format("c{}", k));
    for (int64_t copy = 0; copy < 4; ++copy) {
      labels.push_back(k);
      for (int64_t j = 0; j < kClasses; ++j) probabilities.push_back(j == (k == 7 ? 9 : k) ? 1 : 0);
    }
  }
  const std::string text = to_text(evaluate(Predictions::classification(labels, probabilities, kClasses), {}, names));
  EXPECT_THAT(text, HasSubstr("  samples  actual  predicted\n"
                              "        4  c7      c9\n"));
  EXPECT_THAT(text, Not(HasSubstr("actual \\ predicted")));
}

TEST(Report, OptionsAreReadAndChecked) {
  EvaluateOptions options;
  read_options(Json::parse(R"({"metrics": ["auc", "ks"], "bootstrap": {"resamples": 50, "stratified": true}})"),
               options);
  EXPECT_EQ(options.bootstrap.resamples, 50);
  EXPECT_EQ(evaluate(two_classes(), options, {"a", "b"}).metrics.size(), 2u);
  options.metrics = {"aucc"};
  EXPECT_THAT(error_of<ConfigError>([&] {
                evaluate(two_classes(), options, {"a", "b"});
              }),
              HasSubstr("did you mean \"auc\"?"));
  EXPECT_THAT(error_of<ShapeError>([&] { evaluate(two_classes(), {}, {"a"}); }),
              HasSubstr("got 1 class names; expected 2"));
  EXPECT_THAT(error_of<ConfigError>([&] {
                evaluate(two_classes(), {}, {"a", "b"}).value("rmse");
              }),
              HasSubstr("\"rmse\""));
}

}  // namespace
}  // namespace danlu::eval
