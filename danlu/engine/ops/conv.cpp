#include "danlu/engine/ops/conv.h"

#include <algorithm>
#include <array>

#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/conv.h"
#include "danlu/engine/kernels/elementwise.h"
#include "danlu/engine/kernels/reduce.h"
#include "danlu/engine/ops/activation_gradient.h"
#include "danlu/engine/ops/op.h"
#include "danlu/engine/ops/require.h"

namespace danlu {
namespace {

kernels::Conv2dShape match(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& o) {
  if (x.rank() != 4) bad_shape(op::conv2d, "x", x.shape(), "(N, H, W, C)");
  if (weight.rank() != 4) bad_shape(op::conv2d, "weight", weight.shape(), "(out, in / groups, height, width)");
  if (o.stride.height < 1 || o.stride.width < 1 || o.dilation.height < 1 || o.dilation.width < 1 || o.padding.height < 0 ||
      o.padding.width < 0 || o.groups < 1) {
    bad_shape(op::conv2d, "options", weight.shape(), "stride, dilation and groups >= 1 and padding >= 0");
  }
  const int64_t channels = x.size(3), filters = weight.size(0);
  if (weight.size(1) * o.groups != channels || filters % o.groups != 0) {
    bad_shape(op::conv2d, "weight", weight.shape(),
              fmt::format("(out, {} / groups, height, width) with out and {} multiples of groups = {}", channels, channels, o.groups));
  }
  if (bias.defined() && !(bias.shape() == Shape{filters})) bad_shape(op::conv2d, "bias", bias.shape(), Shape{filters}.str());
  const kernels::Conv2dShape s{x.size(0),       x.size(1),       x.size(2),          channels,         filters,
                               weight.size(2),  weight.size(3),  o.stride.height,    o.stride.width,   o.padding.height,
                               o.padding.width, o.dilation.height, o.dilation.width, o.groups};
  if (s.out_height() < 1 || s.out_width() < 1) {
    bad_shape(op::conv2d, "x", x.shape(), fmt::format("an image, with its padding, at least as large as the kernel {}", weight.shape().str()));
  }
  return s;
}

// Runs `kernel(dw, dbias)` into the gradients themselves, or, where there is something to add to, into a buffer first:
// oneDNN's weight gradient can only overwrite.
template <class Kernel>
void weight_gradients(GradContext& context, const Shape& weight_shape, int64_t filters, const Kernel& kernel) {
  const bool with_bias = context.needs(2);
  if (!context.needs(1)) {
    Tensor unused = Tensor::empty(weight_shape), db = Tensor::empty({filters});
    kernel(unused.mutable_data(), db.mutable_data());
    context.add(2, std::move(db));
    return;
  }
  auto dw = context.target(1);
  if (dw.accumulate) {
    Tensor more = Tensor::empty(weight_shape), db = Tensor::empty({filters});
    kernel(more.mutable_data(), with_bias ? db.mutable_data() : nullptr);
    kernels::add(dw.gradient.mutable_data(), dw.gradient.data(), more.data(), more.numel());
    if (with_bias) context.add(2, std::move(db));
    return;
  }
  if (!with_bias) return kernel(dw.gradient.mutable_data(), nullptr);
  auto db = context.target(2);
  if (db.accumulate) {
    Tensor more = Tensor::empty({filters});
    kernel(dw.gradient.mutable_data(), more.mutable_data());
    kernels::add(db.gradient.mutable_data(), db.gradient.data(), more.data(), filters);
  } else {
    kernel(dw.gradient.mutable_data(), db.gradient.mutable_data());
  }
}

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options) {
  require_f32(op::conv2d, x);
  require_f32(op::conv2d, weight);
  const kernels::Conv2dShape s = match(x, weight, bias, options);
  Tensor y = Tensor::empty({s.batch, s.out_height(), s.out_width(), s.filters});
  if (s.batch > 0) {
    kernels::conv2d_forward(s, x.data(), weight.data(), bias.defined() ? bias.data() : nullptr, y.mutable_data(), options.activation);
  }
  if (!(recording(x, weight) || recording(bias))) return y;

  const Activation activation = options.activation;
  const bool keeps_output = activation != Activation::none;
  record(op::conv2d, y, {&x, &weight, &bias},
         [s, activation, x = Saved(x), w = Saved(weight), y = keeps_output ? Saved(y) : Saved()](GradContext& context) {
    const Tensor dz = activation_gradient(activation, context.dy(), activation == Activation::none ? Tensor() : y.get());
    if (context.needs(1) || context.needs(2)) {
      weight_gradients(context, w.get().shape(), s.filters, [&](float* dw, float* db) {
        if (s.batch > 0) return kernels::conv2d_backward_weights(s, x.get().data(), dz.data(), dw, db);
        std::fill_n(dw, w.get().numel(), 0.0f);
        if (db != nullptr) std::fill_n(db, s.filters, 0.0f);
      });
    }
    if (context.needs(0)) {
      Tensor dx = Tensor::empty(x.get().shape());
      if (s.batch > 0) kernels::conv2d_backward_data(s, dz.data(), w.get().data(), dx.mutable_data());
      context.add(0, std::move(dx));
    }
  });
  return y;
}

namespace {

// The convolution that this is the transpose of: from y to x.
kernels::Conv2dShape match_transpose(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvTranspose2dOptions& o) {
  const char* op = op::conv_transpose2d;
  if (x.rank() != 4) bad_shape(op, "x", x.shape(), "(N, H, W, C)");
  if (weight.rank() != 4) bad_shape(op, "weight", weight.shape(), "(in, out / groups, height, width)");
  const auto below = [](const Size2d& a, const Size2d& b) { return a.height < b.height && a.width < b.width; };
  if (!below(0, o.stride) || !below(0, o.dilation) || !below(-1, o.padding) || !below(-1, o.output_padding) ||
      !below(o.output_padding, o.stride) || o.groups < 1) {
    bad_shape(op, "options", weight.shape(), "stride, dilation and groups >= 1, padding >= 0, and an output padding below the stride");
  }
  if (weight.size(0) != x.size(3) || x.size(3) % o.groups != 0) {
    bad_shape(op, "weight", weight.shape(), fmt::format("({0}, out / groups, height, width) with {0} a multiple of groups = {1}", x.size(3), o.groups));
  }
  const int64_t channels = weight.size(1) * o.groups;
  if (bias.defined() && !(bias.shape() == Shape{channels})) bad_shape(op, "bias", bias.shape(), Shape{channels}.str());
  const auto size = [](int64_t n, int64_t stride, int64_t padding, int64_t dilation, int64_t kernel, int64_t more) {
    return (n - 1) * stride - 2 * padding + dilation * (kernel - 1) + more + 1;
  };
  const int64_t height = size(x.size(1), o.stride.height, o.padding.height, o.dilation.height, weight.size(2), o.output_padding.height);
  const int64_t width = size(x.size(2), o.stride.width, o.padding.width, o.dilation.width, weight.size(3), o.output_padding.width);
  if (x.size(1) < 1 || x.size(2) < 1 || height < 1 || width < 1) bad_shape(op, "x", x.shape(), "an image of which the padding leaves something");
  return {x.size(0),       height,          width,           channels,          x.size(3),          weight.size(2),  weight.size(3), o.stride.height,
          o.stride.width,  o.padding.height, o.padding.width, o.dilation.height, o.dilation.width, o.groups};
}

void add_to_rows(Tensor& y, const Tensor& bias, int64_t rows) {
  kernels::Broadcast plan;
  std::array<int64_t, kernels::Broadcast::kMaxLoops> sizes;
  int rank = 0;
  const std::array<int64_t, 2> y_sizes = {rows, bias.numel()}, bias_sizes = {1, bias.numel()};
  kernels::Broadcast::plan(y_sizes, bias_sizes, plan, sizes, rank);
  kernels::binary(kernels::Binary::add, y.data(), bias.data(), y.mutable_data(), plan);
}

}  // namespace

Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvTranspose2dOptions& options) {
  require_f32(op::conv_transpose2d, x);
  require_f32(op::conv_transpose2d, weight);
  const kernels::Conv2dShape s = match_transpose(x, weight, bias, options);
  const Activation activation = options.activation;
  Tensor y = Tensor::empty({s.batch, s.height, s.width, s.channels});
  const int64_t pixels = s.batch * s.height * s.width;
  if (s.batch > 0) {
    kernels::conv2d_backward_data(s, x.data(), weight.data(), y.mutable_data());
    if (bias.defined()) add_to_rows(y, bias, pixels);
    activate(activation, y);
  }
  if (!(recording(x, weight) || recording(bias))) return y;

  record(op::conv_transpose2d, y, {&x, &weight, &bias},
         [s, activation, pixels, x = Saved(x), w = Saved(weight), y = activation != Activation::none ? Saved(y) : Saved()](GradContext& context) {
    const Tensor dz = activation_gradient(activation, context.dy(), activation == Activation::none ? Tensor() : y.get());
    if (context.needs(1)) {
      auto dw = context.target(1);
      Tensor fresh = dw.accumulate ? Tensor::empty(w.get().shape()) : dw.gradient;
      if (s.batch > 0) kernels::conv2d_backward_weights(s, dz.data(), x.get().data(), fresh.mutable_data(), nullptr);
      else std::fill_n(fresh.mutable_data(), fresh.numel(), 0.0f);
      if (dw.accumulate) kernels::add(dw.gradient.mutable_data(), dw.gradient.data(), fresh.data(), fresh.numel());
    }
    if (context.needs(2)) {
      Tensor db = Tensor::empty({s.channels});
      kernels::column_sum(dz.data(), db.mutable_data(), pixels, s.channels, false);
      context.add(2, std::move(db));
    }
    if (context.needs(0)) {
      Tensor dx = Tensor::empty(x.get().shape());
      if (s.batch > 0) kernels::conv2d_forward(s, dz.data(), w.get().data(), nullptr, dx.mutable_data(), Activation::none);
      context.add(0, std::move(dx));
    }
  });
  return y;
}

}  // namespace danlu
