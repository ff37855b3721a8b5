// Sequences of different lengths in one tensor: token ids (N, T), padded behind their ends with nn::kPadding.
#pragma once

#include "danlu/engine/tensor/tensor.h"

namespace danlu::nn {

// i64 (N): positions up to the last token that is not padding.
Tensor lengths_of(const Tensor& ids);

// The mean over the positions [begin[n], end[n]) of x (N, T, C): (N, C), zero where there are none. begin and end: i64 (N).
Tensor mean_between(const Tensor& x, const Tensor& begin, const Tensor& end);
// Position at[n] of x: (N, C), zero where it is outside [0, T).
Tensor pick(const Tensor& x, const Tensor& at);

}  // namespace danlu::nn
