// Normalisation layers as functions. weight and bias (C) may be undefined: then 1 and 0.
//
// Types     f32. Statistics are accurate (two passes) and do not depend on the number of threads.
// Gradient  dx, dweight, dbias. Saves x (shared, not copied) and the statistics; not y.
// Errors    ShapeError if sizes do not fit.
#pragma once

#include <utility>

#include "danlu/engine/tensor/tensor.h"

namespace danlu {

struct BatchNormOptions {
  bool training = true;
  float momentum = 0.1f;
  float eps = 1e-5f;
  float negative_slope = 1;  // of the activation that follows: 1 for none, 0 for ReLU, between for leaky ReLU
};

// Over all axes but the last: y = f((x - mean) / sqrt(var + eps) * weight + bias + residual) for each channel, where f(z) is z for z > 0 and
// negative_slope * z elsewhere, and the residual, of the shape of x, may be undefined: a block of a residual network in one reading of memory.
// Training: mean and (biased) variance of the batch; running = (1 - momentum) * running + momentum * batch, in place, with the
// unbiased variance. Otherwise: the running statistics, as constants.
//
// Shapes    x: (..., C), training: at least two values for each channel   running_mean, running_var: (C)
// Gradient  also dresidual. With an activation y is saved too.
// Source    Ioffe, Szegedy 2015, arXiv:1502.03167.
Tensor batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, Tensor& running_mean, Tensor& running_var,
                  const BatchNormOptions& options = {}, const Tensor& residual = {});

// Over the last axis: y = (x - mean(x)) / sqrt(var(x) + eps) * weight + bias, var biased.
// Shapes    x: (..., C), C >= 1     Source  Ba, Kiros, Hinton 2016, arXiv:1607.06450.
Tensor layer_norm(const Tensor& x, const Tensor& weight = {}, const Tensor& bias = {}, float eps = 1e-5f);

// Over the last axis: y = x / sqrt(mean(x^2) + eps) * weight.
// Source    Zhang, Sennrich 2019, arXiv:1910.07467.
Tensor rms_norm(const Tensor& x, const Tensor& weight = {}, float eps = 1e-5f);

// {sum, norm(sum)} with sum = x + residual, in one reading of memory: what begins each half of a Transformer's block.
// Shapes    x, residual: (..., C)
std::pair<Tensor, Tensor> add_layer_norm(const Tensor& x, const Tensor& residual, const Tensor& weight = {}, const Tensor& bias = {},
                                         float eps = 1e-5f);
std::pair<Tensor, Tensor> add_rms_norm(const Tensor& x, const Tensor& residual, const Tensor& weight = {}, float eps = 1e-5f);

// As layer_norm, over all pixels of a group of neighbouring channels of an image.
// Shapes    x: (N, ..., C), C a multiple of groups     Source  Wu, He 2018, arXiv:1803.08494.
Tensor group_norm(const Tensor& x, int64_t groups, const Tensor& weight = {}, const Tensor& bias = {}, float eps = 1e-5f);

}  // namespace danlu
