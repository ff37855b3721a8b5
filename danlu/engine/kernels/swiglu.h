// y = silu(gate) * up over rows x = (gate, up) of 2 n floats; y has rows of n.
#pragma once

#include <cstdint>

namespace danlu::kernels {

void swiglu(const float* x, float* y, int64_t rows, int64_t n);
void swiglu_backward(const float* dy, const float* x, float* dx, int64_t rows, int64_t n);

}  // namespace danlu::kernels
