#include "danlu/engine/kernels/broadcast.h"

#include <algorithm>

namespace danlu::kernels {

bool Broadcast::plan(std::span<const int64_t> a, std::span<const int64_t> b, Broadcast& plan,
                     std::array<int64_t, kMaxLoops>& result, int& rank) {
  rank = static_cast<int>(std::max(a.size(), b.size()));
  plan = Broadcast{};
  plan.numel = 1;
  int64_t a_stride = 1, b_stride = 1;
  // From the innermost axis outwards; loops are collected in that order and turned round at the end.
  for (int axis = rank - 1; axis >= 0; --axis) {
    const int64_t from_end = rank - axis;
    const int64_t a_size = from_end <= static_cast<int64_t>(a.size()) ? a[a.size() - static_cast<size_t>(from_end)] : 1;
    const int64_t b_size = from_end <= static_cast<int64_t>(b.size()) ? b[b.size() - static_cast<size_t>(from_end)] : 1;
    if (a_size != b_size && a_size != 1 && b_size != 1) return false;
    const int64_t size = a_size == 1 ? b_size : a_size;
    result[static_cast<size_t>(axis)] = size;
    plan.numel *= size;
    const int64_t a_step = a_size == 1 ? 0 : a_stride, b_step = b_size == 1 ? 0 : b_stride;
    a_stride *= a_size;
    b_stride *= b_size;
    if (size == 1) continue;
    const auto last = static_cast<size_t>(plan.loops - 1);
    const auto joins = [&](int64_t step, int64_t inner_step, int64_t inner_size) {
      return step == inner_step * inner_size && (step != 0 || inner_step == 0);
    };
    if (plan.loops > 0 && joins(a_step, plan.a_strides[last], plan.sizes[last]) &&
        joins(b_step, plan.b_strides[last], plan.sizes[last])) {
      plan.sizes[last] *= size;
    } else {
      const auto next = static_cast<size_t>(plan.loops++);
      plan.sizes[next] = size;
      plan.a_strides[next] = a_step;
      plan.b_strides[next] = b_step;
    }
  }
  if (plan.loops == 0) {
    plan.loops = 1;
    plan.sizes[0] = 1;
  }
  std::reverse(plan.sizes.begin(), plan.sizes.begin() + plan.loops);
  std::reverse(plan.a_strides.begin(), plan.a_strides.begin() + plan.loops);
  std::reverse(plan.b_strides.begin(), plan.b_strides.begin() + plan.loops);
  return true;
}

}  // namespace danlu::kernels
