// Copies that rearrange elements of 1, 4 or 8 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace danlu::kernels {

// y = x with its axes in another order: axis i of y is axis permutation[i] of x. At most 6 axes.
void transpose(const void* x, void* y, std::span<const int64_t> sizes, std::span<const int> permutation, size_t element_bytes);

// Copies `rows` blocks of `block_bytes` that are `x_stride` and `y_stride` bytes apart.
void copy_blocks(const void* x, size_t x_stride, void* y, size_t y_stride, int64_t rows, size_t block_bytes);

}  // namespace danlu::kernels
