// Products of 8-bit integers, for inference: a quarter of the memory of f32, and up to four times the multiplications a second on
// processors with VNNI (oneDNN). Others multiply the same integers as f32: the same answers but for rounding, at the speed of f32.
//
// A real number x is told as scale * q: q in 0..255 where x is never negative, in -127..127 otherwise. Weights have a scale for each
// output, which is the usual choice; sums are exact 32-bit integers.
// Source: Jacob et al. 2018, arXiv:1712.05877; Wu et al. 2020, arXiv:2004.09602, of which sections 3 and 4 are followed.
//
// Threads: parallel inside; may be called from any thread. The same bits for any number of threads.
// Errors: as in gemm.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "danlu/engine/kernels/conv.h"

namespace danlu::kernels {

struct Int8Format {
  float scale = 1;
  bool is_signed = false;  // int8_t, else uint8_t
  friend bool operator==(const Int8Format&, const Int8Format&) = default;
};

// q = x / scale, rounded to the nearest (halves to even) and cut off at both ends; a NaN becomes the least.
void quantize(const float* x, void* q, int64_t n, Int8Format format);

// What is done to a sum before it is rounded again.
enum class Int8Activation : uint8_t { none, relu, gelu };

// The weights of a linear layer or a convolution, prepared once for many products.
class Int8Product {
 public:
  // The linear layer: w (n, k), scales (n), bias (n) or null. `input` is how x will come.
  Int8Product(const int8_t* w, std::span<const float> scales, const float* bias, int64_t k, Int8Format input);
  // The convolution of images of any number, height and width: w as in conv.h, scales (filters).
  Int8Product(const int8_t* w, std::span<const float> scales, const float* bias, const Conv2dShape& shape, Int8Format input);
  ~Int8Product();
  Int8Product(const Int8Product&) = delete;
  Int8Product& operator=(const Int8Product&) = delete;

  // Where the result goes: real numbers, or integers again for a product that follows.
  struct Result {
    void* y;
    std::optional<Int8Format> format = {};
  };
  // y (m, n) = activation(x (m, k) w^T + bias)
  void linear(const void* x, int64_t m, Int8Activation activation, const Result& result) const;
  // y (batch, out_height, out_width, filters); `shape` is that of the constructor but for batch, height and width.
  void conv2d(const Conv2dShape& shape, const void* x, Int8Activation activation, const Result& result) const;

 private:
  struct Weights;
  std::unique_ptr<Weights> weights_;
};

// Max pooling of images of unsigned integers, which keeps their order. Windows as in pool.h; padding is 0.
struct Pool2dShape;
void max_pool2d_u8(const Pool2dShape& shape, const uint8_t* x, uint8_t* y);

}  // namespace danlu::kernels
