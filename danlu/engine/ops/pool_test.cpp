#include "danlu/engine/ops/pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/ops/reduce.h"

namespace danlu {
namespace {

using testing::ElementsAre;

// After a relu most windows are full of zeros: one pixel of each must get the gradient, and only one.
TEST(MaxPool, OfEqualsTheFirstGetsTheGradient) {
  const kernels::Isa before = kernels::active_isa();
  for (const kernels::Isa isa : kernels::supported_isas()) {
    kernels::set_isa(isa);
    SCOPED_TRACE(kernels::isa_name(isa));
    Tensor x = Tensor::zeros({1, 2, 4, 19});  // a vector and a tail of channels
    x.set_requires_grad();
    backward(sum(max_pool2d(x)));
    for (int64_t pixel = 0; pixel < 8; ++pixel) {
      for (int64_t c = 0; c < 19; ++c) {
        ASSERT_EQ(x.grad().data()[pixel * 19 + c], pixel == 0 || pixel == 2 ? 1 : 0) << "pixel " << pixel << ", channel " << c;
      }
    }
  }
  kernels::set_isa(before);
}

TEST(MaxPool, PaddingNeverWins) {
  Tensor x = Tensor::full({1, 2, 2, 1}, -5);
  EXPECT_THAT(max_pool2d(x, {.kernel = 2, .stride = 2, .padding = 1}).to_vector(), ElementsAre(-5, -5, -5, -5));
}

TEST(MaxPool, OverlappingWindowsAddUp) {
  Tensor x = Tensor::from({1, 1, 3, 1}, {1, 7, 2});
  x.set_requires_grad();
  backward(sum(max_pool2d(x, {.kernel = {1, 2}, .stride = 1})));
  EXPECT_THAT(x.grad().to_vector(), ElementsAre(0, 2, 0));
}

TEST(AvgPool, PaddingCountsUnlessToldOtherwise) {
  const Tensor x = Tensor::full({1, 2, 2, 1}, 8);
  EXPECT_THAT(avg_pool2d(x, {.kernel = 2, .stride = 2, .padding = 1}).to_vector(), ElementsAre(2, 2, 2, 2));
  EXPECT_THAT(avg_pool2d(x, {.kernel = 2, .stride = 2, .padding = 1, .count_include_pad = false}).to_vector(), ElementsAre(8, 8, 8, 8));
}

TEST(AvgPool, OfTheWholeImageIsTheMeanOfEachChannel) {
  const Tensor x = Tensor::from({1, 2, 2, 2}, {1, 10, 2, 20, 3, 30, 6, 60});
  EXPECT_THAT(avg_pool2d(x, {.kernel = 2, .stride = 1}).to_vector(), ElementsAre(3, 30));
}

}  // namespace
}  // namespace danlu
