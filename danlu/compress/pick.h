// Some of the rows of a tensor's axis.
#pragma once

#include <cstdint>
#include <vector>

#include "danlu/engine/tensor/tensor.h"

namespace danlu::compress {

using Indexes = std::vector<int64_t>;

// (outer, n, inner) to (outer, rows, inner) around `axis`.
Tensor pick(const Tensor& x, int axis, const Indexes& rows);
// The `count` largest scores, of equals the first, in their order.
Indexes largest(const std::vector<double>& scores, int64_t count);

}  // namespace danlu::compress
