// Elementwise kernels: one function of each element, or of each pair with broadcasting.
//
// Threads: parallel above about 32 k elements; results do not depend on the number of threads. y may alias an input.
#pragma once

#include <cstdint>

#include "danlu/engine/kernels/broadcast.h"

namespace danlu::kernels {

enum class Unary { neg, exp, log, sqrt, square, abs, relu, leaky_relu, sigmoid, tanh, gelu, gelu_tanh, silu };
enum class Binary { add, sub, mul, div };

// y = f(x)
void unary(Unary f, const float* x, float* y, int64_t n);
// dx = dy * f'(x), given x and y = f(x). Of the two only the one that unary_backward_uses() names is read.
void unary_backward(Unary f, const float* dy, const float* x, const float* y, float* dx, int64_t n);
enum class Uses { input, output, neither };
Uses unary_backward_uses(Unary f);

// y = a (+, -, *, /) b
void binary(Binary f, const float* a, const float* b, float* y, const Broadcast& plan);

// The sum over the loops along which operand a (or b) was repeated: the gradient of a broadcast. `x` has the result's shape,
// `out` the operand's; out is overwritten.
enum class Operand { a, b };
void reduce_broadcast(const float* x, float* out, int64_t out_numel, const Broadcast& plan, Operand operand);

void add(float* y, const float* a, const float* b, int64_t n);
// y = scale * x + shift
void affine(const float* x, float scale, float shift, float* y, int64_t n);
// y = max(low, min(high, x)); its gradient dx = dy where low < x < high, else 0.
void clamp(const float* x, float low, float high, float* y, int64_t n);
void clamp_backward(const float* dy, const float* x, float low, float high, float* dx, int64_t n);

}  // namespace danlu::kernels
