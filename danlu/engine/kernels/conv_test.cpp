#include "danlu/engine/kernels/conv.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/half_gemm.h"
#include "danlu/engine/kernels/matmul_precision.h"
#include "danlu/engine/kernels/reproducible.h"
#include "danlu/engine/kernels/testing.h"

namespace danlu::kernels {
namespace {

struct Gradients {
  std::vector<float> y, dx, dw, dbias;
  friend bool operator==(const Gradients&, const Gradients&) = default;
};

// Of numbers that are as they come or rounded to bf16.
Gradients gradients(const Conv2dShape& s, int threads, const std::function<std::vector<float>(std::vector<float>)>& made = std::identity()) {
  const int before = num_threads();
  set_num_threads(threads);
  const int64_t xs = s.batch * s.height * s.width * s.channels, ws = s.filters * s.channels / s.groups * s.kernel_h * s.kernel_w,
                ys = s.batch * s.out_height() * s.out_width() * s.filters;
  const auto x = made(normal(xs, 1)), w = made(normal(ws, 2)), bias = normal(s.filters, 3), dy = made(normal(ys, 4));
  Gradients g{std::vector<float>(dy.size()), std::vector<float>(x.size()), std::vector<float>(w.size()), std::vector<float>(bias.size())};
  conv2d_forward(s, x.data(), w.data(), bias.data(), g.y.data(), Activation::none);
  conv2d_backward_data(s, dy.data(), w.data(), g.dx.data());
  conv2d_backward_weights(s, x.data(), dy.data(), g.dw.data(), g.dbias.data());
  set_num_threads(before);
  return g;
}

const std::vector<Conv2dShape> kShapes = {
    {.batch = 64, .height = 14, .width = 14, .channels = 32, .filters = 64, .kernel_h = 3, .kernel_w = 3, .padding_h = 1, .padding_w = 1},
    {.batch = 33, .height = 28, .width = 28, .channels = 1, .filters = 32, .kernel_h = 3, .kernel_w = 3},
    {.batch = 7, .height = 9, .width = 11, .channels = 12, .filters = 18, .kernel_h = 3, .kernel_w = 2, .stride_h = 2, .padding_w = 1, .groups = 3},
    {.batch = 1, .height = 32, .width = 32, .channels = 16, .filters = 16, .kernel_h = 5, .kernel_w = 5, .padding_h = 2, .padding_w = 2}};

class ConvThreads : public testing::TestWithParam<MatmulPrecision> {};
TEST_P(ConvThreads, TheSameBitsForAnyNumber) {
  if (GetParam() == MatmulPrecision::medium && !medium_precision_runs()) GTEST_SKIP() << "no format of half precision runs";
  const WithMatmulPrecision precision(GetParam());
  for (size_t i = 0; i < kShapes.size(); ++i) {
    SCOPED_TRACE(i);
    const Gradients one = gradients(kShapes[i], 1);
    for (const int threads : {2, 3, 4}) EXPECT_EQ(gradients(kShapes[i], threads), one) << threads << " threads";
  }
}

TEST_P(ConvThreads, PartsOfTheBatchAddUpToTheWhole) {
  if (GetParam() == MatmulPrecision::medium && !medium_precision_runs()) GTEST_SKIP() << "no format of half precision runs";
  const WithMatmulPrecision precision(GetParam());
  for (size_t i = 0; i < kShapes.size(); ++i) {
    SCOPED_TRACE(i);
    const Gradients parts = gradients(kShapes[i], 2);
    const AnyDivision any;
    const Gradients whole = gradients(kShapes[i], 2);
    for (size_t j = 0; j < whole.dw.size(); ++j) ASSERT_NEAR(parts.dw[j], whole.dw[j], 2e-3) << j;
    for (size_t j = 0; j < whole.dbias.size(); ++j) ASSERT_NEAR(parts.dbias[j], whole.dbias[j], 2e-3) << j;
  }
}

INSTANTIATE_TEST_SUITE_P(Precisions, ConvThreads, testing::Values(MatmulPrecision::highest, MatmulPrecision::medium),
                         [](const auto& precision) { return precision.param == MatmulPrecision::medium ? "medium" : "highest"; });

void expect_near(const std::vector<float>& a, const std::vector<float>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 2e-3 + 1e-4f * std::abs(b[i])) << i;
}

TEST(ConvMedium, IsTheF32OneOfRoundedOperands) {
  if (!medium_precision_runs()) GTEST_SKIP() << "no format of half precision runs";
  for (size_t i = 0; i < kShapes.size(); ++i) {
    SCOPED_TRACE(i);
    const bool rounds = kShapes[i].channels >= 16 && half_format() == HalfFormat::bf16;  // it has the channels, and no groups
    const Gradients exact = gradients(kShapes[i], 2), of_rounded = gradients(kShapes[i], 2, bf16);
    const WithMatmulPrecision precision(MatmulPrecision::medium);
    const Gradients medium = gradients(kShapes[i], 2);
    EXPECT_EQ(medium == exact, !rounds);
    if (!rounds) continue;
    expect_near(medium.y, of_rounded.y);
    expect_near(medium.dx, of_rounded.dx);
    expect_near(medium.dw, of_rounded.dw);
    EXPECT_EQ(medium.dbias, exact.dbias);  // no product
  }
}

}  // namespace
}  // namespace danlu::kernels
