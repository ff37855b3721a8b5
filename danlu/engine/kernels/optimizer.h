// Optimiser steps over flat arrays: one pass reads the gradient once and writes the parameter and its moments once.
//
// g is scaled by `grad_scale` on the way (clipping and averaging cost no pass of their own), and l2 * p is added to it: g' below.
// Decay is per array: call once for each group of parameters.
// Threads: the steps run on the calling thread; every element stands alone, so arrays may be divided anyhow.
#pragma once

#include <cstdint>

namespace danlu::kernels {

// m = momentum * m + g';  p -= lr * (nesterov ? g' + momentum * m : m). Without momentum (m null) p -= lr * g'.
struct SgdStep {
  float lr, grad_scale, l2, momentum;
  bool nesterov;
};
void sgd(const SgdStep& step, float* p, const float* g, float* m, int64_t n);

// Kingma and Ba 2015 (Adam), Loshchilov and Hutter 2019 (decoupled decay). t counts updates from 1.
//   m = b1 m + (1 - b1) g';  v = b2 v + (1 - b2) g'^2
//   p = p (1 - lr decay) - lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
struct AdamStep {
  float lr, grad_scale, l2, decay, beta1, beta2, eps;
  int64_t t;
};
void adam(const AdamStep& step, float* p, const float* g, float* m, float* v, int64_t n);

// Duchi, Hazan, Singer 2011: s += g'^2; p -= lr g' / (sqrt(s) + eps)
struct AdagradStep {
  float lr, grad_scale, l2, eps;
};
void adagrad(const AdagradStep& step, float* p, const float* g, float* s, int64_t n);

// Tieleman and Hinton 2012: s = alpha s + (1 - alpha) g'^2; u = g' / (sqrt(s) + eps); with momentum (m not null)
// m = momentum m + u and p -= lr m, else p -= lr u.
struct RmspropStep {
  float lr, grad_scale, l2, alpha, eps, momentum;
};
void rmsprop(const RmspropStep& step, float* p, const float* g, float* s, float* m, int64_t n);

// g += strength * sign(p): the subgradient of strength * |p|_1.
void add_l1_gradient(float strength, const float* p, float* g, int64_t n);

}  // namespace danlu::kernels
