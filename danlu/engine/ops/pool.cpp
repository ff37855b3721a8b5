#include "danlu/engine/ops/pool.h"

#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/pool.h"
#include "danlu/engine/ops/op.h"
#include "danlu/engine/ops/require.h"

namespace danlu {
namespace {

kernels::Pool2dShape match(const char* op, const Tensor& x, const Pool2dOptions& o) {
  require_f32(op, x);
  if (x.rank() != 4) bad_shape(op, "x", x.shape(), "(N, H, W, C)");
  const kernels::Pool2dShape s{x.size(0),       x.size(1),       x.size(2),        x.size(3),       o.kernel.height,  o.kernel.width,
                               o.stride.height, o.stride.width,  o.padding.height, o.padding.width, o.count_include_pad};
  const bool sane = s.kernel_h >= 1 && s.kernel_w >= 1 && s.stride_h >= 1 && s.stride_w >= 1 && s.padding_h >= 0 && s.padding_w >= 0 &&
                    s.padding_h <= s.kernel_h / 2 && s.padding_w <= s.kernel_w / 2 && s.kernel_h <= kernels::kMaxPoolWindow / s.kernel_w;
  if (!sane || s.height + 2 * s.padding_h < s.kernel_h || s.width + 2 * s.padding_w < s.kernel_w) {
    bad_shape(op, "x", x.shape(), fmt::format("an image not smaller than the window of {} x {} (padding {} x {}, at most half of it)",
                                              s.kernel_h, s.kernel_w, s.padding_h, s.padding_w));
  }
  return s;
}

// Room for one 16-bit window position an element, as bytes: the engine has no 16-bit element type.
Tensor make_index(const Shape& y) { return Tensor::empty(y.insert(-1, 2), Dtype::u8); }

}  // namespace

Tensor max_pool2d(const Tensor& x, const Pool2dOptions& options) {
  const kernels::Pool2dShape s = match(op::max_pool2d, x, options);
  Tensor y = Tensor::empty({s.batch, s.out_height(), s.out_width(), s.channels});
  if (!recording(x)) {
    kernels::max_pool2d(s, x.data(), y.mutable_data(), nullptr);
    return y;
  }
  Tensor index = make_index(y.shape());
  kernels::max_pool2d(s, x.data(), y.mutable_data(), reinterpret_cast<uint16_t*>(index.mutable_raw_bytes()));
  record(op::max_pool2d, y, {&x}, [s, index, shape = x.shape()](GradContext& context) {
    Tensor dx = Tensor::empty(shape);
    kernels::max_pool2d_backward(s, context.dy().data(), reinterpret_cast<const uint16_t*>(index.raw_bytes()), dx.mutable_data());
    context.add(0, std::move(dx));
  });
  return y;
}

Tensor avg_pool2d(const Tensor& x, const Pool2dOptions& options) {
  const kernels::Pool2dShape s = match(op::avg_pool2d, x, options);
  Tensor y = Tensor::empty({s.batch, s.out_height(), s.out_width(), s.channels});
  kernels::avg_pool2d(s, x.data(), y.mutable_data());
  if (recording(x)) {
    record(op::avg_pool2d, y, {&x}, [s, shape = x.shape()](GradContext& context) {
      Tensor dx = Tensor::empty(shape);
      kernels::avg_pool2d_backward(s, context.dy().data(), dx.mutable_data());
      context.add(0, std::move(dx));
    });
  }
  return y;
}

}  // namespace danlu
