// Initial values of weights, drawn from the generator of engine/ops/random.h (see manual_seed).
//
// The right scale keeps the variance of activations, and of gradients, constant through the layers; N(0, 1) does not.
// fan_in is the number of inputs that one output sums over: all axes of the weight but the first.
#pragma once

#include "danlu/engine/tensor/tensor.h"

namespace danlu::nn {

// N(0, 2 / fan_in): for layers followed by ReLU. Source: He, Zhang, Ren, Sun 2015, arXiv:1502.01852.
void he_normal(Tensor& weight);
// U(-a, a) with a^2 = 6 / (fan_in + fan_out): for tanh, sigmoid and linear outputs. Source: Glorot, Bengio 2010.
void xavier_uniform(Tensor& weight);
// N(0, deviation^2), and U(-bound, bound), for layers that ask for just that.
void normal(Tensor& weight, double deviation);
void uniform(Tensor& weight, double bound);

}  // namespace danlu::nn
