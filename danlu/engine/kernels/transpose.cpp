#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "danlu/engine/kernels/transpose.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include <algorithm>

#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/tile.inl.h"
#include "danlu/engine/kernels/transpose.h"

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {
namespace {

constexpr int64_t kRows = 64;  // at a time, so that the lines of y that are being filled stay in the first-level cache

void transpose_strips(const float* x, int64_t x_row, int64_t rows, int64_t n, float* y, int64_t y_row) {
  for (int64_t i = 0; i < rows; i += kRows) transpose(x + i * x_row, x_row, std::min(kRows, rows - i), n, y + i, y_row);
}

}  // namespace
}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace danlu::kernels {
namespace {

HWY_EXPORT(transpose_strips);

}  // namespace

void transpose_in_cache(const float* x, int64_t x_row, int64_t rows, int64_t n, float* y, int64_t y_row) {
  active_isa();
  HWY_DYNAMIC_DISPATCH(transpose_strips)(x, x_row, rows, n, y, y_row);
}

}  // namespace danlu::kernels
#endif
