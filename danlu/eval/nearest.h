// The nearest of many images to each of a few: whether a model that makes images has learnt some by heart.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "danlu/engine/tensor/tensor.h"

namespace danlu::eval {

struct Nearest {
  int64_t index = 0;    // in the set; the first of equals
  double distance = 0;  // root mean square over the pixels, of 1 from black to white; 0 only for equal images
};

// queries: u8 (Q, ...), set: u8 (N, ...) of the same sizes; `among` are the samples of the set to look through, at least one. Exact, in
// integers. Throws ShapeError or DtypeError. Threads: parallel inside.
std::vector<Nearest> nearest_images(const Tensor& queries, const Tensor& set, std::span<const int64_t> among);

// For each of the rows (Q, F) the number of the one of (N, F), N >= 1, that is nearest by Euclid's distance; the first of equals. Throws
// ShapeError. Threads: parallel inside.
std::vector<int64_t> nearest_rows(const Tensor& queries, const Tensor& set);

}  // namespace danlu::eval
