// Losses. Each takes raw outputs of a model (logits where there are probabilities) and returns a scalar.
//
// Reduction  mean divides by the number of terms that count (for cross_entropy: rows that are not ignored), as PyTorch does;
//            0 terms give 0. sum does not divide.
// Gradient   with respect to the first argument only.
// Errors     ShapeError if shapes differ; DataError for a class index outside [0, C); ConfigError for a setting out of range.
// Numbers    finite for logits of any finite size.
#pragma once

#include <cstdint>

#include "danlu/engine/tensor/tensor.h"

namespace danlu {

enum class Reduction { mean, sum };

struct CrossEntropyOptions {
  float label_smoothing = 0;    // in [0, 1): this much of the target is spread over all classes
  int64_t ignore_index = -100;  // rows with this target do not count
  Reduction reduction = Reduction::mean;
};

// -sum_c q_c log softmax(logits)_c
//
// Shapes  logits: (..., C)   target: (...) i64 class indexes, or (..., C) f32 probabilities (one-hot, for example)
Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options = {});

struct LossOptions {
  Tensor mask{};  // f32 weights of the shape of the first argument; undefined for none. mean divides by their sum.
  Reduction reduction = Reduction::mean;
};

// Binary cross-entropy of sigmoid(logits), for targets in [0, 1]. Shapes: both the same.
Tensor bce_with_logits(const Tensor& logits, const Tensor& target, const LossOptions& options = {});
// max(0, 1 - t x)^2 of margins x, for targets t of 1 and -1: the loss of a support vector machine whose violations count squared. Shapes:
// both the same.
Tensor squared_hinge_loss(const Tensor& x, const Tensor& target, const LossOptions& options = {});
// (x - t)^2
Tensor mse_loss(const Tensor& x, const Tensor& target, const LossOptions& options = {});
// |x - t|
Tensor l1_loss(const Tensor& x, const Tensor& target, const LossOptions& options = {});
// r^2 / 2 where |r| <= delta, else delta (|r| - delta / 2). Source: Huber 1964. delta > 0.
Tensor huber_loss(const Tensor& x, const Tensor& target, float delta = 1.0f, const LossOptions& options = {});

}  // namespace danlu
