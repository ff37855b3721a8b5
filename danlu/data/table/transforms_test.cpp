#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "danlu/base/error.h"
#include "danlu/base/rng.h"
#include "danlu/data/table/encode.h"
#include "danlu/data/table/impute.h"
#include "danlu/data/table/outliers.h"
#include "danlu/data/table/scale.h"
#include "danlu/data/table/statistics.h"

namespace danlu::data {
namespace {

constexpr double kGap = std::numeric_limits<double>::quiet_NaN();
using Values = std::vector<double>;

TEST(Statistics, KnownValues) {
  const Values values = {4, kGap, 1, 3, 2};
  EXPECT_EQ(sorted_present(values), (Values{1, 2, 3, 4}));
  EXPECT_DOUBLE_EQ(quantile_of(Values{1, 2, 3, 4}, 0.25), 1.75);
  EXPECT_DOUBLE_EQ(quantile_of(Values{5}, 0.9), 5);
  EXPECT_DOUBLE_EQ(moments_of(values).mean, 2.5);
  EXPECT_DOUBLE_EQ(moments_of(values).deviation, std::sqrt(1.25));
  EXPECT_NEAR(moments_of(Values{0, 0, 0, 8}).skewness, 1.1547005, 1e-6);
  EXPECT_EQ(moments_of(Values{0.1, 0.1, 0.1}).deviation, 0);
}

TEST(Imputer, EveryMethod) {
  const Values training = {kGap, 1, 2, 2, 7, kGap};
  const auto filled = [&](const char* method, Values values) {
    Imputer::fit(training, method, -1, true).apply(values);
    return values;
  };
  EXPECT_EQ(filled("mean", {kGap, 5}), (Values{3, 5}));
  EXPECT_EQ(filled("median", {kGap, 5}), (Values{2, 5}));
  EXPECT_EQ(filled("mode", {kGap, 5}), (Values{2, 5}));
  EXPECT_EQ(filled("constant", {kGap, 5}), (Values{-1, 5}));
  EXPECT_EQ(filled("ffill", {kGap, 5, kGap, kGap, 6}), (Values{2, 5, 5, 5, 6}));
  EXPECT_EQ(filled("bfill", {kGap, 5, kGap, kGap, 6, kGap}), (Values{5, 5, 6, 6, 6, 2}));
  EXPECT_THROW(Imputer::fit(Values{kGap}, "median", 0, true), DataError);
}

TEST(OutlierBounds, EveryMethod) {
  Values training(101);
  for (size_t i = 0; i < training.size(); ++i) training[i] = static_cast<double>(i);
  const auto bounds = [&](const char* method, std::optional<double> threshold) {
    const auto b = OutlierBounds::fit(training, {method, "clip", threshold, 0.05});
    return std::pair(b.low(), b.high());
  };
  EXPECT_EQ(bounds("iqr", {}), std::pair(-50.0, 150.0));
  EXPECT_EQ(bounds("percentile", {}), std::pair(5.0, 95.0));
  EXPECT_NEAR(bounds("zscore", 2).second, 50 + 2 * std::sqrt(850), 1e-9);
  EXPECT_FALSE(OutlierBounds::fit(training, {}).active());
}

TEST(OutlierBounds, EveryAction) {
  const Values training = {0, 1, 2, 3, 4};
  const auto applied = [&](const char* action) {
    Values values = {-100, 2, kGap, 100};
    OutlierBounds::fit(training, {"percentile", action, {}, 0}).apply(values);
    return values;
  };
  EXPECT_EQ(applied("clip")[0], 0);
  EXPECT_EQ(applied("clip")[3], 4);
  EXPECT_EQ(applied("flag")[3], 100);
  EXPECT_TRUE(std::isnan(applied("missing")[0]));
  EXPECT_EQ(applied("missing")[1], 2);
  EXPECT_EQ(applied("drop")[3], 4) << "rows that are not dropped are clipped";
  EXPECT_TRUE(std::isnan(applied("clip")[2])) << "a gap stays a gap";
}

TEST(Scaler, InverseUndoesApply) {
  Rng rng(1);
  Values training;
  for (int i = 0; i < 500; ++i) training.push_back(std::exp(2.0 * rng.normal()) - 1);
  for (const std::string& method : scale_methods()) {
    const Scaler scaler = Scaler::fit(training, method);
    const Scaler loaded = Scaler::from_json(SavedState(Json::parse(scaler.to_json().dump()), "scaler"));
    for (const double x : training) {
      EXPECT_NEAR(scaler.inverse(scaler.apply(x)), x, 1e-9 * (1 + std::abs(x))) << method;
      EXPECT_EQ(scaler.apply(x), loaded.apply(x)) << method;
    }
  }
}

TEST(Scaler, RangesAndConstants) {
  const Values training = {2, 4, 6};
  EXPECT_DOUBLE_EQ(Scaler::fit(training, "minmax").apply(2), 0);
  EXPECT_DOUBLE_EQ(Scaler::fit(training, "minmax").apply(6), 1);
  EXPECT_DOUBLE_EQ(Scaler::fit(training, "standard").apply(4), 0);
  EXPECT_DOUBLE_EQ(Scaler::fit(training, "quantile").apply(5), 0.75);
  EXPECT_DOUBLE_EQ(Scaler::fit(training, "quantile").apply(100), 1);
  EXPECT_DOUBLE_EQ(Scaler::fit(training, "quantile").apply(-100), 0);
  const Values constant = {0.1, 0.1, 0.1};
  for (const std::string& method : scale_methods()) {
    const double y = Scaler::fit(constant, method).apply(0.1);
    EXPECT_NEAR(y, method == "none" ? 0.1 : method == "quantile" ? 0.5 : 0, 1e-15) << method;
  }
  EXPECT_THROW(Scaler::fit(Values{1e308, -1e308, 1.5e308}, "standard"), DataError);
}

TEST(CategoryEncoder, KeepsTheFrequentAndFoldsTheRest) {
  const std::vector<Cell> training = {"b", "a", "b", "c", Cell{}, "a", "d"};
  EncodeOptions options;
  options.max_categories = 2;
  const CategoryEncoder encoder = CategoryEncoder::fit(training, {}, "", options);
  EXPECT_EQ(encoder.categories(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(encoder.feature_names("c"), (std::vector<std::string>{"c=a", "c=b", "c=(unknown)"}))
      << "training fills the slot";
  options.max_categories = 100;
  options.min_count = 2;
  EXPECT_EQ(CategoryEncoder::fit(training, {}, "", options).categories(), encoder.categories());
  options.min_count = 1;
  EXPECT_EQ(CategoryEncoder::fit(training, {"d", "z"}, "?", options).categories(),
            (std::vector<std::string>{"d", "z", "a", "b", "c", "?"}));
}

TEST(CategoryEncoder, InverseUndoesWrite) {
  const std::vector<Cell> three = {"a", "b", "c"}, two = {"no", "yes"};
  for (const auto& training : {three, two}) {
    for (const char* method : {"one_hot", "ordinal"}) {
      for (const char* unknown : {"zero", "reserve"}) {
        EncodeOptions options;
        options.method = method;
        options.unknown = unknown;
        const CategoryEncoder encoder = CategoryEncoder::fit(training, {}, "", options);
        std::vector<float> features(static_cast<size_t>(encoder.num_features()));
        for (const Cell cell : training) {
          encoder.write(static_cast<double>(encoder.index_of(cell)), features.data());
          EXPECT_EQ(encoder.inverse(features), std::string(cell)) << method << " " << unknown;
        }
        encoder.write(static_cast<double>(encoder.index_of("other")), features.data());
        EXPECT_EQ(encoder.inverse(features), std::nullopt) << method << " " << unknown;
      }
    }
  }
}

TEST(CategoryEncoder, NumbersMatchByValue) {
  const std::vector<Cell> training = {"0.0", "1.0", "x"};
  const CategoryEncoder encoder = CategoryEncoder::fit(training, {}, "", {});
  EXPECT_EQ(encoder.index_of("1"), 1);
  EXPECT_EQ(encoder.index_of("2"), 3);
  EXPECT_EQ(encoder.index_of("nan"), 3);
}

TEST(LabelEncoder, OrdersAndRoundTrips) {
  const std::vector<Cell> words = {"b", "a", "b"}, numbers = {"10", "9", "-1"};
  EXPECT_EQ(LabelEncoder::fit(words, {}).names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(LabelEncoder::fit(numbers, {}).names(), (std::vector<std::string>{"-1", "9", "10"}));
  const LabelEncoder declared = LabelEncoder::fit(words, {"b", "c", "a"});
  EXPECT_EQ(declared.encode("a"), 2);
  EXPECT_EQ(declared.decode(2), "a");
  EXPECT_EQ(declared.encode("z"), std::nullopt);
  EXPECT_THROW(declared.decode(3), DataError);
}

}  // namespace
}  // namespace danlu::data
