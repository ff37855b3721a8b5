// Elementwise losses: a value and a derivative for every pair (x, target). The caller reduces.
#pragma once

#include <cstdint>

namespace danlu::kernels {

enum class PointwiseLoss {
  bce_with_logits,  // max(x, 0) - x t + log(1 + exp(-|x|))
  squared_hinge,    // max(0, 1 - t x)^2
  squared,          // (x - t)^2
  absolute,         // |x - t|
  huber             // r^2 / 2 where |r| <= delta, else delta (|r| - delta / 2); r = x - t
};

// loss[i] = weight[i] * f(x[i], t[i]); weight may be null. `delta` is Huber's and ignored by the others.
void pointwise_loss(PointwiseLoss f, const float* x, const float* t, const float* weight, float delta, float* loss, int64_t n);
// dx[i] = scale * weight[i] * df/dx
void pointwise_loss_backward(PointwiseLoss f, const float* x, const float* t, const float* weight, float delta, float scale,
                             float* dx, int64_t n);

}  // namespace danlu::kernels
