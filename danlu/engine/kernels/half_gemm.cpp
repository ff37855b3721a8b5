#include "danlu/engine/kernels/half_gemm.h"

#include <algorithm>

#include "danlu/engine/kernels/isa.h"

namespace danlu::kernels {

HalfFormat half_format() {
  if (active_isa() < Isa::amx && f16_gemm_runs()) return HalfFormat::f16;
  return bf16_gemm_runs() ? HalfFormat::bf16 : HalfFormat::none;
}

bool half_gemm_pays(int64_t m, int64_t n, int64_t k) { return std::min(m, n) >= 16 && k >= 16; }

void half_gemm(const SmallGemm& product) {
  if (half_format() == HalfFormat::f16)
    f16_gemm(product);
  else
    bf16_gemm(product);
}

int64_t HalfRight::floats(int64_t k, int64_t n) {
  switch (half_format()) {
    case HalfFormat::f16:
      return F16Right::floats(k, n);
    case HalfFormat::bf16:
      return Bf16Right::floats(k, n);
    default:
      return 0;
  }
}

HalfRight::HalfRight(const float* b, int64_t b_row, bool b_transposed, int64_t k, int64_t n, float* memory)
    : right_(half_format() == HalfFormat::f16 ? decltype(right_)(std::in_place_type<F16Right>, b, b_row, b_transposed, k, n, memory)
                                              : decltype(right_)(std::in_place_type<Bf16Right>, b, b_row, b_transposed, k, n, memory)) {}

void HalfRight::multiply(int64_t m, const float* a, int64_t a_row, float* c, int64_t c_row, bool accumulate, const float* bias) const {
  std::visit([&](const auto& right) { right.multiply(m, a, a_row, c, c_row, accumulate, bias); }, right_);
}

}  // namespace danlu::kernels
