// A weight of a linear layer in 8 or 4 bits, chosen so that the layer's outputs change least.
//
// The nearest code for each number is best only if the inputs of a layer know nothing of each other. With the sums of products of
// calibration inputs, H = sum x x^T, the columns are rounded one after another, and what each rounding gets wrong is made up for by those that
// still have to be rounded.
//
// Source    Frantar et al. 2022 (GPTQ), arXiv:2210.17323; scales by least squares error over a grid, as quantisers of ggml have them.
#pragma once

#include "danlu/engine/ops/quantized_weight.h"

namespace danlu::compress {

// weight: (rows, columns). second_moments: (columns, columns), H above over any number of inputs, or undefined: to the nearest.
// Throws ShapeError; DataError for a weight that is not finite.
QuantizedWeight round_weight(const Tensor& weight, WeightFormat format, const Tensor& second_moments = {});

}  // namespace danlu::compress
