#include "danlu/eval/measure_json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace danlu::eval {
namespace {

TEST(MeasureJson, WhatIsUndefinedIsNull) {
  EXPECT_EQ(number_or_null(0.5), Json(0.5));
  EXPECT_EQ(number_or_null(NAN), Json(nullptr));
  EXPECT_EQ(number_or_null(-HUGE_VAL), Json(nullptr));
  EXPECT_EQ(numbers_or_null(std::vector<double>{1, NAN}), Json::array({1.0, nullptr}));
  EXPECT_EQ(to_json(Interval{0.25, NAN}), Json::array({0.25, nullptr}));
  EXPECT_EQ(measure_json(0.5, "lower", {0.25, 0.75}), (Json{{"value", 0.5}, {"better", "lower"}, {"interval", {0.25, 0.75}}}));
  EXPECT_EQ(measure_json(NAN, "higher", {NAN, NAN}), (Json{{"value", nullptr}, {"better", "higher"}}));
  EXPECT_EQ(to_json(PairedComparison{.difference = 0.5, .interval = {0.25, 0.75}, .p_value = NAN}), (Json{{"difference", 0.5}, {"interval", {0.25, 0.75}}, {"p_value", nullptr}}));
}

}  // namespace
}  // namespace danlu::eval
