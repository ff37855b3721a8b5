#include "danlu/compress/pick.h"

#include <gtest/gtest.h>

#include <numeric>

namespace danlu::compress {
namespace {

TEST(Pick, RowsOfAnyAxisInTheirOrder) {
  Tensor x = Tensor::empty({2, 3, 2});
  std::iota(x.mutable_span().begin(), x.mutable_span().end(), 0.0f);
  const auto picked = [&](int axis, const Indexes& rows) {
    const Tensor y = pick(x, axis, rows);
    return std::vector<float>(y.span().begin(), y.span().end());
  };
  EXPECT_EQ(picked(0, {1}), (std::vector<float>{6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(picked(1, {2, 0}), (std::vector<float>{4, 5, 0, 1, 10, 11, 6, 7}));
  EXPECT_EQ(picked(2, {1}), (std::vector<float>{1, 3, 5, 7, 9, 11}));
  EXPECT_EQ(pick(x, 1, {}).shape(), (Shape{2, 0, 2}));
}

TEST(Pick, TheLargestAndOfEqualsTheFirst) {
  EXPECT_EQ(largest({3, 5, 5, 1, 4}, 3), (Indexes{1, 2, 4}));
  EXPECT_EQ(largest({2, 2, 2}, 2), (Indexes{0, 1}));
  EXPECT_EQ(largest({1}, 0), Indexes{});
}

}  // namespace
}  // namespace danlu::compress
