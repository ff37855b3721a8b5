// How two arrays of different shapes meet element by element (NumPy's rules), reduced to the fewest loops.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace danlu::kernels {

// Row-major loops over the result; a stride of 0 repeats an operand along that loop. Adjacent loops that can be one are one,
// so that the common cases (same shape, a row added to every row, a scalar) have one or two.
struct Broadcast {
  static constexpr int kMaxLoops = 6;
  int loops = 0;
  std::array<int64_t, kMaxLoops> sizes{};
  std::array<int64_t, kMaxLoops> a_strides{};
  std::array<int64_t, kMaxLoops> b_strides{};
  int64_t numel = 0;  // of the result

  // True if the shapes agree: sizes are equal or 1 from the last axis backwards; `result` then holds the common shape's
  // `rank` sizes.
  static bool plan(std::span<const int64_t> a, std::span<const int64_t> b, Broadcast& plan,
                   std::array<int64_t, kMaxLoops>& result, int& rank);
};

}  // namespace danlu::kernels
