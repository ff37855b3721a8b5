// Dropout with a mask that is a function of (key, stream, element index): made again in the backward pass, never stored.
#pragma once

#include <cstdint>

namespace danlu::kernels {

// y[i] = x[i] * scale where the i-th number of the stream is >= threshold, else 0. Numbers are Philox4x32-10 (base/rng.h): of
// each 64 elements, element 16 w + k takes word w of counter 16 (i / 64) + k. The same bits on every instruction set and for
// any number of threads.
void dropout(const float* x, float* y, int64_t n, uint32_t threshold, float scale, uint64_t key, uint64_t stream);

}  // namespace danlu::kernels
