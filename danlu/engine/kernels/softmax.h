// Softmax over the last axis of x (rows, n), and the losses that contain one, without ever keeping probabilities.
// Every function subtracts the row's maximum first, so that logits of any size give finite results.
// Threads: parallel over rows; results do not depend on the number of threads.
#pragma once

#include <cstdint>

namespace danlu::kernels {

void softmax(const float* x, float* y, int64_t rows, int64_t n);
// dx = y * (dy - sum(dy * y))
void softmax_backward(const float* dy, const float* y, float* dx, int64_t rows, int64_t n);

void log_softmax(const float* x, float* y, int64_t rows, int64_t n);
// dx = dy - exp(y) * sum(dy)
void log_softmax_backward(const float* dy, const float* y, float* dx, int64_t rows, int64_t n);

// Cross-entropy of logits x with class indexes: loss[i] = -sum_j q_j log softmax(x_i)_j with q = (1 - smoothing) one_hot(target)
// + smoothing / n. A row whose target is `ignore` has loss 0. log_sum_exp (rows) is kept for the backward pass.
// Targets must be in [0, n) or `ignore`: the caller checks.
void cross_entropy(const float* x, const int64_t* target, int64_t ignore, float smoothing, float* loss, float* log_sum_exp,
                   int64_t rows, int64_t n);
// dx = scale * (softmax(x) - q); 0 in ignored rows.
void cross_entropy_backward(const float* x, const int64_t* target, int64_t ignore, float smoothing, const float* log_sum_exp,
                            float scale, float* dx, int64_t rows, int64_t n);

// Both at once, in place: x becomes scale * (softmax(x) - one_hot(target)).
void cross_entropy_in_place(float* x, const int64_t* target, int64_t ignore, float scale, float* loss, int64_t rows, int64_t n);

// The same with probabilities q (rows, n) as targets (which need not sum to one).
void cross_entropy_soft(const float* x, const float* q, float smoothing, float* loss, float* log_sum_exp, int64_t rows, int64_t n);
void cross_entropy_soft_backward(const float* x, const float* q, float smoothing, const float* log_sum_exp, float scale, float* dx,
                                 int64_t rows, int64_t n);

}  // namespace danlu::kernels
