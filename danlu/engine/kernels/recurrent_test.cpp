#include "danlu/engine/kernels/recurrent.h"

#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/matmul_precision.h"
#include "danlu/engine/kernels/testing.h"

namespace danlu::kernels {
namespace {

struct Passes {
  std::vector<float> y, dinputs, dhidden;
  friend bool operator==(const Passes&, const Passes&) = default;
};

constexpr int64_t kBatch = 37, kLength = 9, kHidden = 50;

// Forward and backward over sequences of which some are shorter.
Passes passes(Cell cell, int threads) {
  const int before = num_threads();
  set_num_threads(threads);
  std::vector<int64_t> lengths(kBatch, kLength);
  for (size_t n = 0; n < lengths.size(); n += 3) lengths[n] = static_cast<int64_t>(n) % kLength;
  const RecurrentShape s{cell, kBatch, kLength, kHidden, false, lengths.data()};
  const auto inputs = normal(kBatch * kLength * s.gates(), 1), bias = normal(s.gates(), 2), dy = normal(kBatch * kLength * kHidden, 3);
  auto weight = normal(s.gates() * kHidden, 4);
  for (float& w : weight) w *= 0.2f;
  const std::vector<float> zeros(inputs.size());
  Passes p{std::vector<float>(dy.size()), zeros, zeros};
  std::vector<float> gates = zeros, inner(dy.size());
  recurrent(s, inputs.data(), weight.data(), bias.data(), nullptr, nullptr, p.y.data(), gates.data(), inner.data(), nullptr, nullptr);
  recurrent_backward(s, dy.data(), weight.data(), nullptr, nullptr, p.y.data(), gates.data(), inner.data(), p.dinputs.data(), p.dhidden.data());
  set_num_threads(before);
  return p;
}

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    aa += static_cast<double>(a[i]) * static_cast<double>(a[i]);
    bb += static_cast<double>(b[i]) * static_cast<double>(b[i]);
  }
  return ab / std::sqrt(aa * bb);
}

class RecurrentPrecision : public testing::TestWithParam<Cell> {};

TEST_P(RecurrentPrecision, MediumIsNearAndTheSameForAnyThreads) {
  if (!medium_precision_runs()) GTEST_SKIP() << "no format of half precision runs";
  const Passes exact = passes(GetParam(), 1);
  EXPECT_EQ(passes(GetParam(), 3), exact);
  const WithMatmulPrecision precision(MatmulPrecision::medium);
  const Passes medium = passes(GetParam(), 1);
  EXPECT_NE(medium, exact);
  EXPECT_GT(cosine(medium.y, exact.y), 1 - 1e-4);
  EXPECT_GT(cosine(medium.dinputs, exact.dinputs), 1 - 1e-4);
  for (const int threads : {2, 3}) EXPECT_EQ(passes(GetParam(), threads), medium) << threads << " threads";
}

INSTANTIATE_TEST_SUITE_P(Cells, RecurrentPrecision, testing::Values(Cell::rnn, Cell::lstm, Cell::gru));

}  // namespace
}  // namespace danlu::kernels
