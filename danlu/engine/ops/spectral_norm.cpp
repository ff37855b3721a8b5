#include "danlu/engine/ops/spectral_norm.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/elementwise.h"
#include "danlu/engine/kernels/gemm.h"
#include "danlu/engine/kernels/reduce.h"
#include "danlu/engine/ops/op.h"
#include "danlu/engine/ops/require.h"

namespace danlu {
namespace {

constexpr double kLeastNorm = 1e-12;

void normalize(Tensor& x) {
  const double norm = std::sqrt(kernels::sum_of_squares(x.data(), x.numel()));
  kernels::affine(x.data(), static_cast<float>(1 / std::max(norm, kLeastNorm)), 0, x.mutable_data(), x.numel());
}

double dot(const float* a, const float* b, int64_t n) {
  double total = 0;
  for (int64_t i = 0; i < n; ++i) total += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return total;
}

}  // namespace

Tensor spectral_norm(const Tensor& weight, Tensor& u, Tensor& v, int64_t iterations) {
  require_f32(op::spectral_norm, weight);
  if (weight.rank() < 2 || weight.numel() == 0) bad_shape(op::spectral_norm, "weight", weight.shape(), "(out, ...) with elements");
  const int64_t rows = weight.size(0), columns = weight.shape().inner(0);
  if (!(u.shape() == Shape{rows})) bad_shape(op::spectral_norm, "u", u.shape(), Shape{rows}.str());
  if (!(v.shape() == Shape{columns})) bad_shape(op::spectral_norm, "v", v.shape(), Shape{columns}.str());
  const float* w = weight.data();
  for (int64_t i = 0; i < iterations; ++i) {
    kernels::gemm(false, true, 1, rows, columns, v.data(), w, 0, u.mutable_data());
    normalize(u);
    kernels::gemm(false, false, 1, columns, rows, u.data(), w, 0, v.mutable_data());
    normalize(v);
  }
  Tensor wv = Tensor::empty({rows}), y = Tensor::empty(weight.shape());
  kernels::gemm(false, true, 1, rows, columns, v.data(), w, 0, wv.mutable_data());
  const double sigma = dot(u.data(), wv.data(), rows);
  const auto scale = static_cast<float>(1 / sigma);
  kernels::affine(w, scale, 0, y.mutable_data(), y.numel());
  if (!recording(weight)) return y;
  // Copies of u and v: a further forward pass moves them before backward comes.
  record(op::spectral_norm, y, {&weight}, [scale, rows, columns, u = u.clone(), v = v.clone(), y = Saved(y)](GradContext& context) {
    // (dy - <dy, y> u v^T) / sigma
    const float* dy = context.dy().data();
    const double along = dot(dy, y.get().data(), rows * columns);
    Tensor dw = Tensor::empty(y.get().shape());
    for (int64_t i = 0; i < rows; ++i) {
      const auto factor = static_cast<float>(-along * static_cast<double>(u.data()[i]));
      const float* from = dy + i * columns;
      float* to = dw.mutable_data() + i * columns;
      for (int64_t j = 0; j < columns; ++j) to[j] = (from[j] + factor * v.data()[j]) * scale;
    }
    context.add(0, std::move(dw));
  });
  return y;
}

}  // namespace danlu
