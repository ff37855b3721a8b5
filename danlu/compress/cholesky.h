// The factor that round_weight() needs of a matrix of second moments.
#pragma once

#include "danlu/engine/tensor/tensor.h"

namespace danlu::compress {

// U, upper triangular, with U^T U = (H + damping mean(diagonal of H) I)^-1, for H (n, n), symmetric and positive semidefinite. In double inside.
// Throws DataError if H is not finite.
Tensor inverse_factor(const Tensor& h, double damping);

}  // namespace danlu::compress
