#include "danlu/engine/kernels/amx_conv.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/matmul_precision.h"
#include "danlu/engine/kernels/testing.h"

namespace danlu::kernels {
namespace {

// Sums in double, by the definition.
struct Reference {
  std::vector<double> y, dx, dw;
  Reference(const Conv2dShape& s, const std::vector<float>& x, const std::vector<float>& w, const std::vector<float>& dy)
      : y(dy.size()), dx(x.size()), dw(w.size()) {
    const int64_t oh = s.out_height(), ow = s.out_width();
    for (int64_t n = 0; n < s.batch; ++n) {
      for (int64_t at = 0; at < oh * ow * s.kernel_h * s.kernel_w; ++at) {
        const int64_t v = at % s.kernel_w, u = at / s.kernel_w % s.kernel_h, j = at / (s.kernel_w * s.kernel_h) % ow,
                      i = at / (s.kernel_w * s.kernel_h * ow);
        const int64_t h = i * s.stride_h - s.padding_h + u, k = j * s.stride_w - s.padding_w + v;
        if (h < 0 || h >= s.height || k < 0 || k >= s.width) continue;
        for (int64_t f = 0; f < s.filters; ++f) {
          const auto out = static_cast<size_t>(((n * oh + i) * ow + j) * s.filters + f);
          for (int64_t c = 0; c < s.channels; ++c) {
            const auto in = static_cast<size_t>(((n * s.height + h) * s.width + k) * s.channels + c);
            const auto weight = static_cast<size_t>(((f * s.channels + c) * s.kernel_h + u) * s.kernel_w + v);
            y[out] += static_cast<double>(x[in]) * static_cast<double>(w[weight]);
            dx[in] += static_cast<double>(dy[out]) * static_cast<double>(w[weight]);
            dw[weight] += static_cast<double>(dy[out]) * static_cast<double>(x[in]);
          }
        }
      }
    }
  }
};

void expect_near(const char* what, const std::vector<float>& got, const std::vector<double>& expected) {
  for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], expected[i], 1e-3 + 1e-5 * std::abs(expected[i])) << what << " " << i;
}

class AmxConv : public OnEveryIsa {
 protected:
  void SetUp() override {
    if (supported_isas().back() < Isa::amx) GTEST_SKIP() << "no AMX";
    set_isa(Isa::amx);
  }
};

// Images smaller and larger than a tile, every stride, kernels that are no square, padding beyond the kernel's half, pixels that no output sees, more
// than one block of channels and of filters, and a batch of more than one chunk.
TEST_F(AmxConv, IsTheReferenceOfRoundedOperands) {
  const WithMatmulPrecision medium(MatmulPrecision::medium);
  for (const Conv2dShape& s :
       {Conv2dShape{.batch = 3, .height = 7, .width = 7, .channels = 32, .filters = 64, .kernel_h = 3, .kernel_w = 3, .padding_h = 1, .padding_w = 1},
        Conv2dShape{.batch = 2, .height = 9, .width = 20, .channels = 64, .filters = 32, .kernel_h = 3, .kernel_w = 2, .padding_h = 2},
        Conv2dShape{.batch = 2,
        .height = 14,
        .width = 15,
        .channels = 32,
        .filters = 32,
        .kernel_h = 4,
        .kernel_w = 4,
        .stride_h = 2,
        .stride_w = 2,
        .padding_h = 1,
        .padding_w = 1},
        Conv2dShape{.batch = 2, .height = 11, .width = 8, .channels = 32, .filters = 32, .kernel_h = 1, .kernel_w = 1, .stride_h = 2, .stride_w = 3},
        Conv2dShape{.batch = 1,
        .height = 10,
        .width = 13,
        .channels = 32,
        .filters = 32,
        .kernel_h = 5,
        .kernel_w = 3,
        .stride_h = 3,
        .stride_w = 1,
        .padding_h = 2,
        .padding_w = 3},
        Conv2dShape{.batch = 1, .height = 7, .width = 7, .channels = 64, .filters = 32, .kernel_h = 7, .kernel_w = 7},
        Conv2dShape{.batch = 70,
        .height = 12,
        .width = 12,
        .channels = 32,
        .filters = 32,
        .kernel_h = 3,
        .kernel_w = 3,
        .stride_h = 2,
        .stride_w = 2,
        .padding_h = 1,
        .padding_w = 1}}) {
    SCOPED_TRACE(testing::Message() << s.batch << " x " << s.height << " x " << s.width << ", kernel " << s.kernel_h << " x " << s.kernel_w
                                    << ", stride " << s.stride_h << " and " << s.stride_w);
    ASSERT_TRUE(amx_conv_takes(s));
    const int64_t ys = s.batch * s.out_height() * s.out_width() * s.filters;
    const auto x = bf16(normal(s.batch * s.height * s.width * s.channels, 1)), w = bf16(normal(s.filters * s.channels * s.kernel_h * s.kernel_w, 2)),
               dy = bf16(normal(ys, 3));
    const auto bias = normal(s.filters, 4);
    const Reference reference(s, x, w, dy);
    std::vector<float> y(dy.size(), NAN), dx(x.size(), NAN), dw(w.size(), NAN);
    amx_conv_forward(s, x.data(), w.data(), nullptr, y.data(), Activation::none);
    expect_near("y", y, reference.y);
    amx_conv_forward(s, x.data(), w.data(), bias.data(), y.data(), Activation::relu);
    auto rectified = reference.y;
    for (size_t i = 0; i < rectified.size(); ++i)
      rectified[i] = std::max(rectified[i] + static_cast<double>(bias[i % static_cast<size_t>(s.filters)]), 0.0);
    expect_near("y with bias", y, rectified);
    amx_conv_backward_data(s, dy.data(), w.data(), dx.data());
    expect_near("dx", dx, reference.dx);
    amx_conv_backward_weights(s, x.data(), dy.data(), dw.data());
    expect_near("dw", dw, reference.dw);
  }
}

TEST_F(AmxConv, TakesWhatFillsItsTilesOnly) {
  const Conv2dShape shape{.batch = 1, .height = 8, .width = 8, .channels = 32, .filters = 32, .kernel_h = 3, .kernel_w = 3};
  EXPECT_FALSE(amx_conv_takes(shape));
  const WithMatmulPrecision medium(MatmulPrecision::medium);
  EXPECT_TRUE(amx_conv_takes(shape));
  for (int64_t Conv2dShape::*const number : {&Conv2dShape::channels, &Conv2dShape::filters}) {
    Conv2dShape other = shape;
    other.*number = 48;
    EXPECT_FALSE(amx_conv_takes(other));
  }
  Conv2dShape groups = shape, dilated = shape;
  groups.groups = 2;
  dilated.dilation_w = 2;
  EXPECT_FALSE(amx_conv_takes(groups));
  EXPECT_FALSE(amx_conv_takes(dilated));
  set_isa(Isa::avx512);
  EXPECT_FALSE(amx_conv_takes(shape));
}

}  // namespace
}  // namespace danlu::kernels
