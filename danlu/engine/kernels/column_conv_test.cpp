#include "danlu/engine/kernels/column_conv.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/reference/conv.h"
#include "danlu/engine/kernels/testing.h"

namespace danlu::kernels {
namespace {

const std::vector<Conv2dShape> kShapes = {
    {.batch = 5,
     .height = 28,
     .width = 28,
     .channels = 1,
     .filters = 64,
     .kernel_h = 4,
     .kernel_w = 4,
     .stride_h = 2,
     .stride_w = 2,
     .padding_h = 1,
     .padding_w = 1},
    {.batch = 3, .height = 9, .width = 12, .channels = 3, .filters = 17, .kernel_h = 3, .kernel_w = 5, .padding_h = 2, .padding_w = 4},
    {.batch = 2, .height = 8, .width = 7, .channels = 4, .filters = 16, .kernel_h = 2, .kernel_w = 1, .stride_h = 3, .stride_w = 2}};  // pixels that
                                                                                                                                       // nothing sees

using ColumnConv = OnEveryIsa;
TEST_F(ColumnConv, FollowsTheDefinition) {
  on_every_isa([] {
    for (size_t i = 0; i < kShapes.size(); ++i) {
      SCOPED_TRACE(i);
      const Conv2dShape& s = kShapes[i];
      ASSERT_TRUE(column_conv_takes(s));
      const auto w = normal(s.filters * s.channels * s.kernel_h * s.kernel_w, 2),
                 dy = normal(s.batch * s.out_height() * s.out_width() * s.filters, 4);
      std::vector<float> dx(static_cast<size_t>(s.batch * s.height * s.width * s.channels), NAN);
      column_conv_backward_data(s, dy.data(), w.data(), dx.data());
      const auto expected = reference::conv_transpose2d<double>(s, {dy.begin(), dy.end()}, {w.begin(), w.end()}, {}, Activation::none);
      for (size_t j = 0; j < dx.size(); ++j) ASSERT_NEAR(dx[j], expected[j], 1e-4 * (1 + std::abs(expected[j]))) << j;
    }
  });
}

TEST_F(ColumnConv, TheSameBitsForAnyNumberOfThreads) {
  const int before = num_threads();
  const Conv2dShape& s = kShapes.front();
  const auto w = normal(s.filters * s.channels * s.kernel_h * s.kernel_w, 2), dy = normal(s.batch * s.out_height() * s.out_width() * s.filters, 4);
  std::vector<float> first;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    std::vector<float> dx(static_cast<size_t>(s.batch * s.height * s.width * s.channels));
    column_conv_backward_data(s, dy.data(), w.data(), dx.data());
    if (first.empty()) first = dx;
    EXPECT_EQ(dx, first) << threads << " threads";
  }
  set_num_threads(before);
}

TEST_F(ColumnConv, TakesFewChannelsOnly) {
  Conv2dShape grouped = kShapes.back(), dilated = grouped, many = grouped, few_filters = grouped;
  grouped.groups = 2;
  dilated.dilation_h = 2;
  many.channels = 5;
  few_filters.filters = 15;
  for (const Conv2dShape& s : {grouped, dilated, many, few_filters}) EXPECT_FALSE(column_conv_takes(s));
}

}  // namespace
}  // namespace danlu::kernels
