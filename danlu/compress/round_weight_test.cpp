#include "danlu/compress/round_weight.h"

#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/rng.h"
#include "danlu/engine/ops/linear.h"

namespace danlu::compress {
namespace {

Tensor normal(const Shape& shape, uint64_t seed) {
  Rng rng(seed);
  Tensor x = Tensor::empty(shape);
  for (float& v : x.mutable_span()) v = rng.normal();
  return x;
}

// Inputs whose channels have much in common.
Tensor correlated(int64_t rows, int64_t columns, uint64_t seed) {
  const Tensor few = normal({rows, 8}, seed), spread = normal({8, columns}, seed + 1), own = normal({rows, columns}, seed + 2);
  Tensor x = matmul(few, spread);
  for (int64_t i = 0; i < x.numel(); ++i) x.mutable_data()[i] += 0.3f * own.data()[i];
  return x;
}

double mean_square(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (int64_t i = 0; i < a.numel(); ++i) sum += std::pow(static_cast<double>(a.data()[i]) - static_cast<double>(b.data()[i]), 2);
  return sum / static_cast<double>(a.numel());
}

double relative_error(const Tensor& weight, const QuantizedWeight& q) {
  return std::sqrt(mean_square(weight, q.dequantize()) / mean_square(weight, Tensor::zeros(weight.shape())));
}

TEST(RoundWeight, EightBitsLoseLittleAndFourMore) {
  const Tensor weight = normal({50, 100}, 1);
  EXPECT_LT(relative_error(weight, round_weight(weight, WeightFormat::q8)), 0.006);
  const double four = relative_error(weight, round_weight(weight, WeightFormat::q4));
  EXPECT_LT(four, 0.10);
  EXPECT_GT(four, 0.05);
}

TEST(RoundWeight, WhatCodesCanSayIsKept) {
  Tensor weight = Tensor::empty({17, 64});
  for (int64_t i = 0; i < weight.numel(); ++i) weight.mutable_data()[i] = 0.25f * static_cast<float>(i % 16 - 8);
  for (const auto format : {WeightFormat::q8, WeightFormat::q4}) EXPECT_EQ(mean_square(weight, round_weight(weight, format).dequantize()), 0);
  const Tensor zero = Tensor::zeros({3, 40});
  EXPECT_EQ(mean_square(zero, round_weight(zero, WeightFormat::q4).dequantize()), 0);
}

TEST(RoundWeight, CalibrationHalvesTheErrorOfTheOutputs) {
  const Tensor weight = normal({64, 96}, 2), x = correlated(2000, 96, 3);
  const Tensor moments = matmul(x, x, {.transpose_a = true, .transpose_b = false});
  const Tensor expected = linear(x, weight);
  for (const auto format : {WeightFormat::q8, WeightFormat::q4}) {
    const double nearest = mean_square(expected, linear(x, round_weight(weight, format).dequantize()));
    const double calibrated = mean_square(expected, linear(x, round_weight(weight, format, moments).dequantize()));
    EXPECT_LT(calibrated, 0.5 * nearest);
  }
}

TEST(RoundWeight, InputsThatAreAlwaysZeroDoNoHarm) {
  const Tensor weight = normal({8, 40}, 4);
  const Tensor rounded = round_weight(weight, WeightFormat::q8, Tensor::zeros({40, 40})).dequantize();
  EXPECT_LT(mean_square(weight, rounded), 1e-3);
}

TEST(RoundWeight, RefusesWhatIsNoWeight) {
  EXPECT_THROW(round_weight(Tensor::zeros({4}), WeightFormat::q8), ShapeError);
  EXPECT_THROW(round_weight(Tensor::zeros({4, 4}), WeightFormat::q8, Tensor::zeros({5, 5})), ShapeError);
  EXPECT_THROW(round_weight(Tensor::full({4, 4}, NAN), WeightFormat::q8), DataError);
  EXPECT_THROW(round_weight(Tensor::zeros({4, 4}), WeightFormat::q8, Tensor::full({4, 4}, INFINITY)), DataError);
  EXPECT_THROW(round_weight(Tensor::full({4, 4}, 1e9f), WeightFormat::q4), DataError);
}

}  // namespace
}  // namespace danlu::compress
