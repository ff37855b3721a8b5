// Normalisation. Statistics are taken in two passes (mean, then squared distances from it), over pieces of fixed length that
// are joined in order and in double: results do not depend on the number of threads. weight and bias may be null.
#pragma once

#include <cstdint>

namespace danlu::kernels {

// Mean and biased variance of each column of x (rows, n).
void column_moments(const float* x, int64_t rows, int64_t n, float* mean, float* variance);

// y = f(z), z = (x - mean) * rstd * weight + bias + residual, column by column, with f(z) = z where z > 0 and negative_slope * z elsewhere:
// 1 for no activation, 0 for ReLU. The residual may be null.
void normalize_columns(const float* x, const float* mean, const float* rstd, const float* weight, const float* bias, const float* residual,
                       float negative_slope, float* y, int64_t rows, int64_t n);

// sum_dz = sum of dz, sum_dz_xhat = sum of dz * (x - mean) * rstd, column by column; dz is dy through f, known from y, which is null where
// there is no activation.
void column_gradient_sums(const float* dy, const float* y, float negative_slope, const float* x, const float* mean, const float* rstd, float* sum_dz,
                          float* sum_dz_xhat, int64_t rows, int64_t n);

// dx = weight * rstd * (dz - sum_dz / rows - xhat * sum_dz_xhat / rows). Null sums: the statistics were constants, and
// dx = weight * rstd * dz. dresidual = dz, unless it is null.
void normalize_columns_backward(const float* dy, const float* y, float negative_slope, const float* x, const float* mean, const float* rstd,
                                const float* weight, const float* sum_dz, const float* sum_dz_xhat, float* dx, float* dresidual, int64_t rows,
                                int64_t n);

// y = (x - mean) * rstd * weight + bias, row by row; mean and rstd (rows) are written. With `centred` false the mean is taken as
// 0 (RMS norm) and not written.
void normalize_rows(const float* x, const float* weight, const float* bias, float eps, bool centred, float* y, float* mean,
                    float* rstd, int64_t rows, int64_t n);
// The same of sum = x + residual, which is written too.
void add_normalize_rows(const float* x, const float* residual, const float* weight, const float* bias, float eps, bool centred,
                        float* sum, float* y, float* mean, float* rstd, int64_t rows, int64_t n);

// dx, added to what is there if `accumulate`; and over all rows the sums of dy (of bias the gradient) and of dy * xhat (of weight).
// Each of the three may be null.
void normalize_rows_backward(const float* dy, const float* x, const float* mean, const float* rstd, const float* weight, bool centred,
                             bool accumulate, float* dx, float* sum_dy, float* sum_dy_xhat, int64_t rows, int64_t n);

}  // namespace danlu::kernels
