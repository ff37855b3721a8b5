#include "danlu/engine/ops/quantized_weight.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/float16.h"
#include "danlu/engine/ops/linear.h"

namespace danlu {
namespace {

// (20, 40): a weight is 0.5 ((row + column) % 16 - 8), which codes of 4 bits say exactly.
QuantizedWeight some_weight() {
  const kernels::PackedWeight layout{WeightFormat::q4, 20, 40, nullptr};
  Tensor packed = Tensor::zeros(QuantizedWeight::packed_shape(WeightFormat::q4, 20, 40), Dtype::u8);
  for (int64_t row = 0; row < 20; ++row) {
    for (int64_t group = 0; group < 2; ++group) {
      uint8_t codes[kernels::kGroup];
      for (int64_t i = 0; i < kernels::kGroup; ++i) codes[i] = static_cast<uint8_t>((row + group * kernels::kGroup + i) % 16);
      kernels::put_group(layout, packed.mutable_data<uint8_t>(), row, group, codes, f32_to_f16(0.5f));
    }
  }
  return {WeightFormat::q4, 20, 40, packed};
}

TEST(QuantizedWeight, StandsForItsNumbers) {
  const Tensor weight = some_weight().dequantize();
  for (int64_t i = 0; i < 20 * 40; ++i) ASSERT_EQ(weight.data()[i], 0.5f * static_cast<float>((i / 40 + i % 40) % 16 - 8)) << i;
}

TEST(QuantizedWeight, TakesThePlaceOfATensor) {
  const QuantizedWeight weight = some_weight();
  const Tensor dense = weight.dequantize(), x = Tensor::full({2, 3, 40}, 1), bias = Tensor::full({20}, 0.25f);  // rounded to 8 bits exactly
  const Tensor y = linear(x, weight, bias), expected = linear(x, dense, bias);
  ASSERT_EQ(y.shape(), expected.shape());
  for (int64_t i = 0; i < y.numel(); ++i) ASSERT_NEAR(y.data()[i], expected.data()[i], 1e-4);
  Tensor ids = Tensor::zeros({2, 2}, Dtype::i64);
  ids.mutable_data<int64_t>()[3] = 19;
  const Tensor rows = embedding(ids, weight);
  ASSERT_EQ(rows.shape(), (Shape{2, 2, 40}));
  for (int64_t i = 0; i < 40; ++i) EXPECT_EQ(rows.data()[3 * 40 + i], dense.data()[19 * 40 + i]);
}

TEST(QuantizedWeight, WhatDoesNotFitIsRefused) {
  EXPECT_THROW(QuantizedWeight(WeightFormat::q8, 20, 40, some_weight().packed()), ShapeError);
  EXPECT_THROW(linear(Tensor::zeros({2, 39}), some_weight()), ShapeError);
  EXPECT_THROW(linear(Tensor::zeros({2, 40}), some_weight(), Tensor::zeros({19})), ShapeError);
  Tensor ids = Tensor::zeros({1}, Dtype::i64);
  for (const int64_t id : {-1, 20}) {
    ids.mutable_data<int64_t>()[0] = id;
    EXPECT_THROW(embedding(ids, some_weight()), DataError) << id;
  }
}

TEST(QuantizedWeight, FormatsHaveNames) {
  for (const WeightFormat format : {WeightFormat::q8, WeightFormat::q4}) EXPECT_EQ(find_weight_format(weight_format_name(format)), format);
  EXPECT_FALSE(find_weight_format("q3"));
}

}  // namespace
}  // namespace danlu
