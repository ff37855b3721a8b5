#include "danlu/engine/ops/movement.h"

#include <algorithm>
#include <array>

#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/movement.h"
#include "danlu/engine/ops/op.h"
#include "danlu/engine/ops/require.h"

namespace danlu {

Tensor reshape(const Tensor& x, std::span<const int64_t> sizes) {
  std::vector<int64_t> known(sizes.begin(), sizes.end());
  int64_t product = 1;
  bool overflow = false;
  int64_t* derived = nullptr;
  for (int64_t& size : known) {
    if (size == -1 && derived == nullptr) derived = &size;
    else overflow = __builtin_mul_overflow(product, size, &product) || overflow;
  }
  if (derived != nullptr && !overflow && product > 0 && x.numel() % product == 0) *derived = x.numel() / product;
  const bool fits = !overflow && std::all_of(known.begin(), known.end(), [](int64_t size) { return size >= 0; });
  if (!fits || Shape(known).numel() != x.numel()) {
    bad_shape(op::reshape, "x", x.shape(), fmt::format("as many elements as ({}) has", fmt::join(sizes, ", ")));
  }
  Tensor y = x.view(Shape(known));
  if (recording(x)) {
    record(op::reshape, y, {&x}, [shape = x.shape()](GradContext& context) { context.add(0, context.dy().view(shape)); });
  }
  return y;
}

Tensor transpose(const Tensor& x, std::span<const int> permutation) {
  const auto rank = static_cast<size_t>(x.rank());
  std::vector<int64_t> sizes(rank);
  std::array<int, Shape::kMaxRank> order{}, inverse{};
  std::array<bool, Shape::kMaxRank> seen{};
  bool valid = permutation.size() == rank;
  for (size_t i = 0; valid && i < rank; ++i) {
    const int axis = x.shape().normalize_axis(permutation[i]);
    valid = !seen[static_cast<size_t>(axis)];
    seen[static_cast<size_t>(axis)] = true;
    order[i] = axis;
    inverse[static_cast<size_t>(axis)] = static_cast<int>(i);
    sizes[i] = x.size(axis);
  }
  if (!valid) bad_shape(op::transpose, "x", x.shape(), fmt::format("each axis once; got the permutation ({})", fmt::join(permutation, ", ")));
  Tensor y = Tensor::empty(Shape(sizes), x.dtype());
  kernels::transpose(x.raw_bytes(), y.mutable_raw_bytes(), x.shape().sizes(), {order.data(), rank}, dtype_bytes(x.dtype()));
  if (recording(x)) {
    record(op::transpose, y, {&x}, [shape = x.shape(), inverse, rank](GradContext& context) {
      Tensor dx = Tensor::empty(shape);
      kernels::transpose(context.dy().raw_bytes(), dx.mutable_raw_bytes(), context.dy().shape().sizes(), {inverse.data(), rank}, sizeof(float));
      context.add(0, std::move(dx));
    });
  }
  return y;
}

Tensor slice(const Tensor& x, int axis, int64_t begin, int64_t end) {
  const int a = x.shape().normalize_axis(axis);
  const int64_t n = x.size(a);
  if (begin < 0) begin += n;
  if (end < 0) end += n;
  if (begin < 0 || begin > end || end > n) {
    bad_shape(op::slice, "x", x.shape(), fmt::format("at least {} elements along axis {} for [{}, {})", end, a, begin, end));
  }
  const size_t element = dtype_bytes(x.dtype());
  const size_t inner = static_cast<size_t>(x.shape().inner(a)) * element;
  const size_t x_stride = static_cast<size_t>(n) * inner, block = static_cast<size_t>(end - begin) * inner;
  const size_t offset = static_cast<size_t>(begin) * inner;
  Tensor y;
  if (a == 0) {
    y = x.rows(begin, end);
  } else {
    y = Tensor::empty(x.shape().with(a, end - begin), x.dtype());
    kernels::copy_blocks(x.raw_bytes() + offset, x_stride, y.mutable_raw_bytes(), block, x.shape().outer(a), block);
  }
  if (recording(x)) {
    record(op::slice, y, {&x}, [=, shape = x.shape()](GradContext& context) {
      Tensor dx = Tensor::zeros(shape);
      kernels::copy_blocks(context.dy().raw_bytes(), block, dx.mutable_raw_bytes() + offset, x_stride, shape.outer(a), block);
      context.add(0, std::move(dx));
    });
  }
  return y;
}

namespace {

// Where a part lies in the result of concat.
struct Part {
  size_t offset, block;  // bytes: from the start of a row of the result, and of one row of the part
  Shape shape;
};

}  // namespace

Tensor concat(const std::vector<Tensor>& parts, int axis) {
  if (parts.empty()) bad_shape(op::concat, "parts", Shape{}, "at least one tensor");
  const Shape& first = parts[0].shape();
  const int a = first.normalize_axis(axis);
  int64_t total = 0;
  for (const Tensor& part : parts) {
    if (part.rank() != first.rank() || !(part.shape().with(a, first[a]) == first) || part.dtype() != parts[0].dtype()) {
      bad_shape(op::concat, "part", part.shape(), fmt::format("{} but for axis {}", first.str(), a));
    }
    total += part.size(a);
  }
  Tensor y = Tensor::empty(first.with(a, total), parts[0].dtype());
  const size_t inner = static_cast<size_t>(first.inner(a)) * dtype_bytes(y.dtype());
  const size_t stride = static_cast<size_t>(total) * inner;
  const int64_t outer = first.outer(a);
  size_t offset = 0;
  bool any = false;
  std::vector<Part> layout;
  for (const Tensor& part : parts) {
    const size_t block = static_cast<size_t>(part.size(a)) * inner;
    kernels::copy_blocks(part.raw_bytes(), block, y.mutable_raw_bytes() + offset, stride, outer, block);
    layout.push_back({offset, block, part.shape()});
    offset += block;
    any = any || recording(part);
  }
  if (any) {
    std::vector<const Tensor*> inputs;
    for (const Tensor& part : parts) inputs.push_back(&part);
    record(op::concat, y, inputs, [=](GradContext& context) {
      for (size_t i = 0; i < layout.size(); ++i) {
        if (!context.needs(static_cast<int>(i))) continue;
        Tensor dx = Tensor::empty(layout[i].shape);
        kernels::copy_blocks(context.dy().raw_bytes() + layout[i].offset, stride, dx.mutable_raw_bytes(), layout[i].block, outer, layout[i].block);
        context.add(static_cast<int>(i), std::move(dx));
      }
    });
  }
  return y;
}

}  // namespace danlu
