#include "danlu/engine/ops/norm.h"

#include <cmath>

#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/norm.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/engine/ops/movement.h"
#include "danlu/engine/ops/op.h"
#include "danlu/engine/ops/require.h"

namespace danlu {
namespace {

const float* data_or_null(const Tensor& t) { return t.defined() ? t.data() : nullptr; }

void require_channels(const char* op, const char* what, const Tensor& t, int64_t channels) {
  if (!t.defined()) return;
  require_f32(op, t);
  if (!(t.shape() == Shape{channels})) bad_shape(op, what, t.shape(), Shape{channels}.str());
}

int64_t channels_of(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  require_f32(op, x);
  if (x.rank() < 1 || x.size(-1) < 1) bad_shape(op, "x", x.shape(), "(..., C) with C >= 1");
  require_channels(op, "weight", weight, x.size(-1));
  require_channels(op, "bias", bias, x.size(-1));
  return x.size(-1);
}

Saved saved_or_none(const Tensor& t) { return t.defined() ? Saved(t) : Saved(); }

// What backward needs of a normalisation of rows, x apart.
struct RowNorm {
  int64_t rows, n;
  Tensor mean, rstd;  // no mean if not centred
  bool has_weight;
  Saved weight;
};

// Input 0 of the entry is x; 1 and 2 are weight and bias.
void row_norm_backward(const RowNorm& norm, const Tensor& x, GradContext& context) {
  const bool centred = norm.mean.defined(), sums = context.needs(1) || context.needs(2);
  GradContext::Target dx{};
  if (context.needs(0)) dx = context.target(0);
  Tensor sum_dy, sum_dy_xhat;
  if (sums) sum_dy = Tensor::empty({norm.n}), sum_dy_xhat = Tensor::empty({norm.n});
  const auto data = [](Tensor& t) { return t.defined() ? t.mutable_data() : nullptr; };
  kernels::normalize_rows_backward(context.dy().data(), x.data(), data_or_null(norm.mean), norm.rstd.data(),
                                   norm.has_weight ? norm.weight.get().data() : nullptr, centred, dx.accumulate, data(dx.gradient),
                                   data(sum_dy), data(sum_dy_xhat), norm.rows, norm.n);
  if (!sums) return;
  context.add(1, std::move(sum_dy_xhat));
  context.add(2, std::move(sum_dy));
}

RowNorm row_norm(const Tensor& x, const Tensor& weight, bool centred) {
  const int64_t rows = x.shape().outer(-1);
  return {rows, x.size(-1), centred ? Tensor::empty({rows}) : Tensor(), Tensor::empty({rows}), weight.defined(), saved_or_none(weight)};
}

Tensor over_rows(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias, float eps, bool centred) {
  channels_of(op, x, weight, bias);
  RowNorm norm = row_norm(x, weight, centred);
  Tensor y = Tensor::empty(x.shape());
  kernels::normalize_rows(x.data(), data_or_null(weight), data_or_null(bias), eps, centred, y.mutable_data(),
                          centred ? norm.mean.mutable_data() : nullptr, norm.rstd.mutable_data(), norm.rows, norm.n);
  if (recording(x, weight) || recording(bias)) {
    record(op, y, {&x, &weight, &bias}, [norm, x = Saved(x)](GradContext& context) { row_norm_backward(norm, x.get(), context); });
  }
  return y;
}

// Two entries on the tape, the sum and its normalisation: in backward the second adds to the gradient that reached the sum from
// elsewhere, in place, and the first hands the total to both terms.
std::pair<Tensor, Tensor> add_over_rows(const char* op, const Tensor& x, const Tensor& residual, const Tensor& weight, const Tensor& bias,
                                        float eps, bool centred) {
  channels_of(op, x, weight, bias);
  require_f32(op, residual);
  if (!(residual.shape() == x.shape())) bad_shape(op, "residual", residual.shape(), x.shape().str());
  RowNorm norm = row_norm(x, weight, centred);
  Tensor sum = Tensor::empty(x.shape()), y = Tensor::empty(x.shape());
  kernels::add_normalize_rows(x.data(), residual.data(), data_or_null(weight), data_or_null(bias), eps, centred, sum.mutable_data(),
                              y.mutable_data(), centred ? norm.mean.mutable_data() : nullptr, norm.rstd.mutable_data(), norm.rows, norm.n);
  if (recording(x, residual)) {
    record(op, sum, {&x, &residual}, [](GradContext& context) {
      context.add(0, context.dy());
      context.add(1, context.dy());
    });
  }
  if (recording(sum, weight) || recording(bias)) {
    record(op, y, {&sum, &weight, &bias}, [norm, sum = Saved(sum)](GradContext& context) { row_norm_backward(norm, sum.get(), context); });
  }
  return {sum, y};
}

}  // namespace

Tensor batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, Tensor& running_mean, Tensor& running_var,
                  const BatchNormOptions& o, const Tensor& residual) {
  const int64_t n = channels_of(op::batch_norm, x, weight, bias), rows = x.shape().outer(-1);
  require_channels(op::batch_norm, "running_mean", running_mean, n);
  require_channels(op::batch_norm, "running_var", running_var, n);
  if (residual.defined()) {
    require_f32(op::batch_norm, residual);
    if (!(residual.shape() == x.shape())) bad_shape(op::batch_norm, "residual", residual.shape(), x.shape().str());
  }
  if (o.training && rows < 2) {
    bad_shape(op::batch_norm, "x", x.shape(), "at least two values for each channel in training; take a larger batch");
  }
  Tensor mean = Tensor::empty({n}), rstd = Tensor::empty({n});
  if (o.training) {
    Tensor variance = Tensor::empty({n});
    kernels::column_moments(x.data(), rows, n, mean.mutable_data(), variance.mutable_data());
    const float unbiased = static_cast<float>(rows) / static_cast<float>(rows - 1);
    float* running_m = running_mean.mutable_data();
    float* running_v = running_var.mutable_data();
    for (int64_t j = 0; j < n; ++j) {
      running_m[j] += o.momentum * (mean.data()[j] - running_m[j]);
      running_v[j] += o.momentum * (variance.data()[j] * unbiased - running_v[j]);
      rstd.mutable_data()[j] = 1.0f / std::sqrt(variance.data()[j] + o.eps);
    }
  } else {
    mean.copy_from(running_mean);
    for (int64_t j = 0; j < n; ++j) rstd.mutable_data()[j] = 1.0f / std::sqrt(running_var.data()[j] + o.eps);
  }
  Tensor y = Tensor::empty(x.shape());
  kernels::normalize_columns(x.data(), mean.data(), rstd.data(), data_or_null(weight), data_or_null(bias), data_or_null(residual), o.negative_slope,
                             y.mutable_data(), rows, n);
  if (!(recording(x, weight) || recording(bias, residual))) return y;
  const bool active = o.negative_slope != 1;
  record(op::batch_norm, y, {&x, &weight, &bias, &residual},
         [=, training = o.training, slope = o.negative_slope, x = Saved(x), y = active ? Saved(y) : Saved(), has_weight = weight.defined(),
          weight = saved_or_none(weight)](GradContext& context) {
    const float* dy = context.dy().data();
    const float* out = active ? y.get().data() : nullptr;
    Tensor sum_dz = Tensor::empty({n}), sum_dz_xhat = Tensor::empty({n});
    kernels::column_gradient_sums(dy, out, slope, x.get().data(), mean.data(), rstd.data(), sum_dz.mutable_data(), sum_dz_xhat.mutable_data(), rows, n);
    Tensor dx, dresidual;
    if (context.needs(0) || (active && context.needs(3))) dx = Tensor::empty(x.get().shape());
    if (active && context.needs(3)) dresidual = Tensor::empty(x.get().shape());
    if (dx.defined()) {
      kernels::normalize_columns_backward(dy, out, slope, x.get().data(), mean.data(), rstd.data(), has_weight ? weight.get().data() : nullptr,
                                          training ? sum_dz.data() : nullptr, training ? sum_dz_xhat.data() : nullptr, dx.mutable_data(),
                                          dresidual.defined() ? dresidual.mutable_data() : nullptr, rows, n);
    }
    if (context.needs(0)) context.add(0, std::move(dx));
    if (context.needs(3)) context.add(3, active ? std::move(dresidual) : context.dy());
    context.add(1, std::move(sum_dz_xhat));
    context.add(2, std::move(sum_dz));
  });
  return y;
}

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, float eps) {
  return over_rows(op::layer_norm, x, weight, bias, eps, true);
}

Tensor rms_norm(const Tensor& x, const Tensor& weight, float eps) {
  return over_rows(op::rms_norm, x, weight, {}, eps, false);
}

std::pair<Tensor, Tensor> add_layer_norm(const Tensor& x, const Tensor& residual, const Tensor& weight, const Tensor& bias, float eps) {
  return add_over_rows(op::add_layer_norm, x, residual, weight, bias, eps, true);
}

std::pair<Tensor, Tensor> add_rms_norm(const Tensor& x, const Tensor& residual, const Tensor& weight, float eps) {
  return add_over_rows(op::add_rms_norm, x, residual, weight, {}, eps, false);
}

Tensor group_norm(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias, float eps) {
  const int64_t channels = channels_of(op::group_norm, x, weight, bias);
  if (x.rank() < 2 || groups < 1 || channels % groups != 0) {
    bad_shape(op::group_norm, "x", x.shape(), fmt::format("(N, ..., C) with C a multiple of {} groups", groups));
  }
  // Pixels and channels of a group side by side make a row; normalising it is layer_norm.
  const int64_t images = x.size(0), pixels = x.shape().inner(0) / channels, width = channels / groups;
  const Tensor rows = reshape(transpose(reshape(x, {images, pixels, groups, width}), {0, 2, 1, 3}), {images * groups, pixels * width});
  const Tensor normal = transpose(reshape(over_rows(op::group_norm, rows, {}, {}, eps, true), {images, groups, pixels, width}), {0, 2, 1, 3});
  Tensor y = reshape(normal, x.shape());
  if (weight.defined()) y = mul(y, weight);
  if (bias.defined()) y = add(y, bias);
  return y;
}

}  // namespace danlu
