// Spectral normalisation: a weight divided by its largest singular value, so that the layer lengthens no vector.
#pragma once

#include "danlu/engine/tensor/tensor.h"

namespace danlu {

// y = weight / sigma with sigma = u^T W v, where W is the weight as a matrix of its first axis and the product of the others.
// With `iterations` above 0, u and v are first moved towards the vectors of the largest singular value, in place:
// u = W v / |W v|, v = W^T u / |W^T u|, so many times.
//
// Shapes    weight: (O, ...)   u: (O)   v: (product of the other axes)
// Gradient  dweight, with u and v as constants: their own derivatives vanish at the largest singular value. Saves y.
// Errors    ShapeError if sizes do not fit.
// Source    Miyato, Kataoka, Koyama, Yoshida 2018, arXiv:1802.05957.
Tensor spectral_norm(const Tensor& weight, Tensor& u, Tensor& v, int64_t iterations = 1);

}  // namespace danlu
