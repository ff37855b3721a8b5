// Reference dropout, with the mask as kernels/dropout.h defines it.
#pragma once

#include <vector>

#include "danlu/base/rng.h"

namespace danlu::kernels::reference {

template <class T>
std::vector<T> dropout(const std::vector<T>& x, uint32_t threshold, T scale, uint64_t key, uint64_t stream) {
  std::vector<T> y;
  for (uint64_t i = 0; i < x.size(); ++i) {
    const uint64_t group = i / 64, word = i % 64 / 16, counter = 16 * group + i % 16;
    y.push_back(philox(key, counter, stream)[word] >= threshold ? x[i] * scale : T(0));
  }
  return y;
}

}  // namespace danlu::kernels::reference
