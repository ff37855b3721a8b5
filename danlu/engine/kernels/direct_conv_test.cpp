#include "danlu/engine/kernels/direct_conv.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/reference/conv.h"
#include "danlu/engine/kernels/testing.h"

namespace danlu::kernels {
namespace {

std::vector<double> doubles(const std::vector<float>& x) { return {x.begin(), x.end()}; }

// Strides beside dilations, windows that leave the image on every side or skip its end, kernels below their stride, rows that no window
// meets, one pixel, blocks of filters that are not full, images that go together, and more pixels than pass at once.
const std::vector<Conv2dShape> kShapes = {
    {.batch = 3, .height = 7, .width = 7, .channels = 16, .filters = 24, .kernel_h = 3, .kernel_w = 3, .padding_h = 1, .padding_w = 1},
    {.batch = 2, .height = 14, .width = 10, .channels = 8, .filters = 16, .kernel_h = 4, .kernel_w = 4, .stride_h = 2, .stride_w = 2, .padding_h = 1, .padding_w = 1},
    {.batch = 3, .height = 11, .width = 9, .channels = 8, .filters = 24, .kernel_h = 3, .kernel_w = 2, .stride_h = 2, .stride_w = 3, .padding_h = 2, .padding_w = 1, .dilation_h = 2, .dilation_w = 3},
    {.batch = 1, .height = 13, .width = 12, .channels = 8, .filters = 8, .kernel_h = 2, .kernel_w = 1, .stride_h = 4, .stride_w = 3},
    {.batch = 2, .height = 1, .width = 4, .channels = 8, .filters = 8, .kernel_h = 1, .kernel_w = 2, .stride_h = 3, .padding_h = 1},
    {.batch = 7, .height = 1, .width = 5, .channels = 8, .filters = 8, .kernel_h = 1, .kernel_w = 5},
    {.batch = 2, .height = 3, .width = 3, .channels = 40, .filters = 8, .kernel_h = 5, .kernel_w = 5, .padding_h = 4, .padding_w = 3},
    {.batch = 1, .height = 12, .width = 13, .channels = 8, .filters = 32, .kernel_h = 3, .kernel_w = 3},
    {.batch = 3, .height = 6, .width = 7, .channels = 4, .filters = 11, .kernel_h = 1, .kernel_w = 1, .stride_h = 2, .stride_w = 2},
    {.batch = 2, .height = 5, .width = 5, .channels = 21, .filters = 3, .kernel_h = 3, .kernel_w = 3, .padding_h = 1, .padding_w = 1}};

// dw[o, c, u, v] as the definition says.
std::vector<double> weight_gradient(const Conv2dShape& s, const std::vector<float>& x, const std::vector<float>& dy) {
  std::vector<double> dw(static_cast<size_t>(s.filters * s.channels * s.kernel_h * s.kernel_w));
  size_t from = 0;
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t i = 0; i < s.out_height(); ++i) {
      for (int64_t j = 0; j < s.out_width(); ++j) {
        for (int64_t o = 0; o < s.filters; ++o, ++from) {
          for (int64_t u = 0; u < s.kernel_h; ++u) {
            for (int64_t v = 0; v < s.kernel_w; ++v) {
              const int64_t row = i * s.stride_h + u * s.dilation_h - s.padding_h,
                            column = j * s.stride_w + v * s.dilation_w - s.padding_w;
              if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
              for (int64_t c = 0; c < s.channels; ++c) {
                dw[static_cast<size_t>(((o * s.channels + c) * s.kernel_h + u) * s.kernel_w + v)] +=
                    static_cast<double>(dy[from]) *
                    static_cast<double>(
                        x[static_cast<size_t>(((n * s.height + row) * s.width + column) * s.channels + c)]);
              }
            }
          }
        }
      }
    }
  }
  return dw;
}

void expect_near(const std::vector<float>& y, const std::vector<double>& expected) {
  ASSERT_EQ(y.size(), expected.size());
  for (size_t i = 0; i < y.size(); ++i)
    ASSERT_NEAR(y[i], expected[i], 1e-4 * (1 + std::abs(expected[i]))) << "element " << i;
}

using DirectConv = OnEveryIsa;
TEST_F(DirectConv, FollowsTheDefinition) {
  on_every_isa([] {
    for (size_t i = 0; i < kShapes.size(); ++i) {
      SCOPED_TRACE(i);
      const Conv2dShape& s = kShapes[i];
      const int64_t xs = s.batch * s.height * s.width * s.channels,
                    ws = s.filters * s.channels * s.kernel_h * s.kernel_w;
      const auto x = normal(xs, 1), w = normal(ws, 2), bias = normal(s.filters, 3),
                 dy = normal(s.batch * s.out_height() * s.out_width() * s.filters, 4);
      std::vector<float> y(dy.size(), NAN), dx(x.size(), NAN), dw(w.size(), NAN);
      for (const Activation activation : {Activation::none, Activation::relu, Activation::tanh}) {
        direct_conv_forward(s, x.data(), w.data(), bias.data(), y.data(), activation);
        expect_near(y, reference::conv2d<double>(s, doubles(x), doubles(w), doubles(bias), activation));
      }
      direct_conv_forward(s, x.data(), w.data(), nullptr, y.data(), Activation::none);
      expect_near(y, reference::conv2d<double>(s, doubles(x), doubles(w), {}, Activation::none));
      direct_conv_backward_data(s, dy.data(), w.data(), dx.data());
      expect_near(dx, reference::conv_transpose2d<double>(s, doubles(dy), doubles(w), {}, Activation::none));
      direct_conv_backward_weights(s, x.data(), dy.data(), dw.data());
      expect_near(dw, weight_gradient(s, x, dy));
    }
  });
}

TEST_F(DirectConv, TheSameBitsForAnyNumberOfThreads) {
  const int before = num_threads();
  for (const Conv2dShape& s : kShapes) {
    const auto x = normal(s.batch * s.height * s.width * s.channels, 1),
               w = normal(s.filters * s.channels * s.kernel_h * s.kernel_w, 2),
               dy = normal(s.batch * s.out_height() * s.out_width() * s.filters, 4);
    std::vector<std::vector<float>> first;
    for (const int threads : {1, 2, 3, 5}) {
      set_num_threads(threads);
      std::vector<std::vector<float>> made = {dy, x, w};
      direct_conv_forward(s, x.data(), w.data(), nullptr, made[0].data(), Activation::none);
      direct_conv_backward_data(s, dy.data(), w.data(), made[1].data());
      direct_conv_backward_weights(s, x.data(), dy.data(), made[2].data());
      if (first.empty()) first = made;
      EXPECT_EQ(made, first) << threads << " threads";
    }
  }
  set_num_threads(before);
}

TEST_F(DirectConv, IsTakenWithAvx2AndWholeVectors) {
  const Conv2dShape whole = kShapes.front();
  Conv2dShape odd = whole, grouped = whole, one_pixel = whole;
  odd.channels = 12;
  grouped.groups = 2;
  one_pixel.kernel_h = one_pixel.kernel_w = 1;
  Conv2dShape one_pixel_strided = one_pixel, one_pixel_odd = one_pixel;
  one_pixel_strided.stride_h = 2;
  one_pixel_odd.channels = 12;
  Conv2dShape erring = one_pixel_odd;  // where oneDNN 2.6 writes beyond its memory
  erring.stride_w = 2;
  for (const Isa isa : supported_isas()) {
    SCOPED_TRACE(isa_name(isa));
    set_isa(isa);
    for (const Conv2dShape& s : {whole, erring}) EXPECT_EQ(direct_conv_takes(s), isa == Isa::avx2);
    for (const Conv2dShape& s : {odd, grouped, one_pixel, one_pixel_strided, one_pixel_odd}) EXPECT_FALSE(direct_conv_takes(s));
  }
}

}  // namespace
}  // namespace danlu::kernels
