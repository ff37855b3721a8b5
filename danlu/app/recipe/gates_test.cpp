#include "danlu/app/recipe/gates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "danlu/base/error.h"

namespace danlu::app {
namespace {

using testing::HasSubstr;

const Json kMetrics = {{"auc", {{"value", 0.78}, {"better", "higher"}}},
                       {"ece", {{"value", 0.04}, {"better", "lower"}}},
                       {"ks", {{"value", nullptr}, {"better", "higher"}}}};

template <class Work>
std::string refusal(const Work& work) {
  try {
    work();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Gates, ABoundIsKeptFromTheSideThatTheMeasureSays) {
  const auto passes = [](const char* metric, double bound) { return judge({{metric, bound}}, kMetrics)["passed"].get<bool>(); };
  EXPECT_TRUE(passes("auc", 0.75));
  EXPECT_TRUE(passes("auc", 0.78));
  EXPECT_FALSE(passes("auc", 0.79));
  EXPECT_TRUE(passes("ece", 0.05));
  EXPECT_TRUE(passes("ece", 0.04));
  EXPECT_FALSE(passes("ece", 0.03));
  EXPECT_FALSE(passes("ks", -1));  // undefined
}

TEST(Gates, OneThatFailsFailsTheRun) {
  const Json judged = judge({{"auc", 0.9}, {"ece", 0.1}}, kMetrics);
  EXPECT_FALSE(judged["passed"]);
  EXPECT_EQ(judged["measures"].size(), 2u);
  EXPECT_THAT(gates_text(judged), testing::StartsWith("quality gates FAILED\n"));
  EXPECT_THAT(gates_text(judged), HasSubstr("FAILED  auc 0.7800, at least 0.9\n"));
  EXPECT_THAT(gates_text(judged), HasSubstr("passed  ece 0.0400, at most 0.1\n"));
  EXPECT_TRUE(judge(Json::object(), kMetrics).is_null());
  EXPECT_EQ(gates_text(nullptr), "");
}

TEST(Gates, AMeasureThatIsNotThereIsNamed) {
  EXPECT_THAT(refusal([] { judge({{"acu", 0.9}}, kMetrics); }), HasSubstr("evaluate.gates: got \"acu\"; expected a measure of this run; did you mean \"auc\"?"));
  EXPECT_THAT(refusal([] { check_gates_are_measured({{"bleu", 1}}, {"auc", "ece"}); }), HasSubstr("; there are auc, ece"));
}

TEST(Gates, BoundsAreFiniteNumbers) {
  const Locate nowhere;
  EXPECT_THAT(refusal([&] { check_gates(0.75, nowhere); }), HasSubstr("evaluate.gates: got 0.75; expected a bound for each measure, like {auc: 0.75}"));
  EXPECT_THAT(refusal([&] { check_gates({{"auc", "high"}}, nowhere); }), HasSubstr("evaluate.gates.auc: got \"high\"; expected a number"));
  EXPECT_THAT(refusal([&] { check_gates({{"auc", INFINITY}}, nowhere); }), HasSubstr("expected a number"));
  EXPECT_EQ(refusal([&] { check_gates(nullptr, nowhere); }), "accepted");
}

}  // namespace
}  // namespace danlu::app
