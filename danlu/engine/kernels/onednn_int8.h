// Products of 8-bit integers by oneDNN; contracts as in int8.h.
#pragma once

#include <memory>
#include <vector>

#include "danlu/engine/kernels/int8.h"

namespace danlu::kernels {

// Does this processor, within the instruction set in use, multiply 8-bit integers without overflow of the sums? Before VNNI pairs of
// products were added in 16 bits, which is too few.
bool onednn_has_int8();

// One layer's weights, packed when a shape is met first.
class OnednnInt8 {
 public:
  // `w` and `bias` in units of the integer sums; all three must outlive it.
  OnednnInt8(const int8_t* w, const std::vector<float>& bias, const std::vector<float>& scales, bool signed_input);
  ~OnednnInt8();

  // `scales` of the constructor turn sums into y; divided by the scale of y where that is of integers.
  void linear(int64_t n, int64_t k, const void* x, int64_t m, Int8Activation activation, const Int8Product::Result& result);
  void conv2d(const Conv2dShape& shape, const void* x, Int8Activation activation, const Int8Product::Result& result);

 private:
  struct Packed;
  std::unique_ptr<Packed> packed_;
};

}  // namespace danlu::kernels
