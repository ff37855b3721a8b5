#include "danlu/compress/cholesky.h"

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

TEST(InverseFactor, ItsSquareIsTheInverse) {
  constexpr int64_t n = 70;
  const Tensor x = normal({200, n}, 5), h = matmul(x, x, {.transpose_a = true, .transpose_b = false});
  const Tensor u = inverse_factor(h, 0), product = matmul(matmul(u, u, {.transpose_a = true, .transpose_b = false}), h);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      EXPECT_NEAR(product.data()[i * n + j], i == j ? 1 : 0, 1e-4);
      if (i > j) {
        EXPECT_EQ(u.data()[i * n + j], 0);
      }
    }
  }
}

TEST(InverseFactor, WhatIsNotFiniteIsRefused) {
  EXPECT_THROW(inverse_factor(Tensor::full({3, 3}, INFINITY), 0.01), DataError);
  EXPECT_THROW(inverse_factor(Tensor::full({3, 3}, NAN), 0.01), DataError);
}

}  // namespace
}  // namespace danlu::compress
