// Elementwise operations on f32 tensors, with NumPy's broadcasting for the binary ones.
//
// Gradient  of a broadcast operand is summed over the axes along which it was repeated.
// Errors    ShapeError if shapes do not broadcast; DtypeError for other types than f32.
// Threads   parallel for large tensors; results do not depend on the number of threads.
#pragma once

#include "danlu/engine/tensor/tensor.h"

namespace danlu {

Tensor add(const Tensor& a, const Tensor& b);
Tensor sub(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, const Tensor& b);

// scale * x + shift
Tensor affine(const Tensor& x, float scale, float shift);
// x limited to [low, high]; the gradient is zero outside and at the limits.
Tensor clamp(const Tensor& x, float low, float high);

Tensor neg(const Tensor& x);
Tensor exp(const Tensor& x);
Tensor log(const Tensor& x);   // -infinity at 0, NaN below
Tensor sqrt(const Tensor& x);  // NaN below 0
Tensor square(const Tensor& x);
Tensor abs(const Tensor& x);      // gradient 0 at 0
Tensor relu(const Tensor& x);     // gradient 0 at 0
Tensor leaky_relu(const Tensor& x);  // x / 5 below 0. Source: arXiv:1511.06434
Tensor sigmoid(const Tensor& x);  // 1 / (1 + exp(-x))
Tensor tanh(const Tensor& x);
Tensor gelu(const Tensor& x);       // x * Phi(x), by erf to 1.5e-7. Source: Hendrycks, Gimpel 2016, arXiv:1606.08415
Tensor gelu_tanh(const Tensor& x);  // its tanh approximation, as in GPT-2
Tensor silu(const Tensor& x);       // x * sigmoid(x)

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator-(const Tensor& x) { return neg(x); }
inline Tensor operator+(const Tensor& a, float b) { return affine(a, 1, b); }
inline Tensor operator-(const Tensor& a, float b) { return affine(a, 1, -b); }
inline Tensor operator*(const Tensor& a, float b) { return affine(a, b, 0); }
inline Tensor operator*(float a, const Tensor& b) { return affine(b, a, 0); }
inline Tensor operator/(const Tensor& a, float b) { return affine(a, 1 / b, 0); }

}  // namespace danlu
