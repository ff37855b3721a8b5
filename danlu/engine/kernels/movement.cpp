#include "danlu/engine/kernels/movement.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "danlu/base/check.h"
#include "danlu/base/threads.h"

namespace danlu::kernels {
namespace {

constexpr int kMaxAxes = 6;
constexpr int64_t kGrainBytes = 1 << 17;

// Axes of y, outermost first, with their strides in x; axes that are neighbours in both are joined.
struct Loops {
  int count = 0;
  std::array<int64_t, kMaxAxes> sizes{}, strides{};
};

Loops plan(std::span<const int64_t> sizes, std::span<const int> permutation) {
  std::array<int64_t, kMaxAxes> x_strides{};
  int64_t stride = 1;
  for (size_t axis = sizes.size(); axis-- > 0;) {
    x_strides[axis] = stride;
    stride *= sizes[axis];
  }
  Loops loops;
  for (const int axis : permutation) {
    const auto a = static_cast<size_t>(axis);
    if (sizes[a] == 1) continue;
    const auto last = static_cast<size_t>(loops.count - 1);
    if (loops.count > 0 && loops.strides[last] == x_strides[a] * sizes[a]) {
      loops.sizes[last] *= sizes[a];
      loops.strides[last] = x_strides[a];
    } else {
      const auto next = static_cast<size_t>(loops.count++);
      loops.sizes[next] = sizes[a];
      loops.strides[next] = x_strides[a];
    }
  }
  if (loops.count == 0) {
    loops.count = 1;
    loops.sizes[0] = 1;
    loops.strides[0] = 1;
  }
  return loops;
}

// y (rows, columns) from x where y's rows are `row_stride` and its columns `column_stride` apart, in tiles that stay in cache.
template <class T>
void copy_plane(const T* x, T* y, int64_t rows, int64_t row_stride, int64_t columns, int64_t column_stride) {
  constexpr int64_t kTile = 16;
  if (column_stride == 1) {
    for (int64_t i = 0; i < rows; ++i) std::copy_n(x + i * row_stride, columns, y + i * columns);
    return;
  }
  for (int64_t i0 = 0; i0 < rows; i0 += kTile) {
    const int64_t i1 = std::min(i0 + kTile, rows);
    for (int64_t j0 = 0; j0 < columns; j0 += kTile) {
      const int64_t j1 = std::min(j0 + kTile, columns);
      for (int64_t i = i0; i < i1; ++i) {
        for (int64_t j = j0; j < j1; ++j) y[i * columns + j] = x[i * row_stride + j * column_stride];
      }
    }
  }
}

template <class T>
void transpose_as(const T* x, T* y, const Loops& loops) {
  const int last = loops.count - 1;
  const int64_t columns = loops.sizes[static_cast<size_t>(last)], column_stride = loops.strides[static_cast<size_t>(last)];
  const int64_t rows = last >= 1 ? loops.sizes[static_cast<size_t>(last - 1)] : 1;
  const int64_t row_stride = last >= 1 ? loops.strides[static_cast<size_t>(last - 1)] : 0;
  int64_t planes = 1;
  for (int loop = 0; loop < last - 1; ++loop) planes *= loops.sizes[static_cast<size_t>(loop)];
  const int64_t plane_bytes = rows * columns * static_cast<int64_t>(sizeof(T));
  parallel_for(planes, kGrainBytes / std::max<int64_t>(plane_bytes, 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      int64_t rest = plane, offset = 0;
      for (int loop = last - 2; loop >= 0; --loop) {
        const auto l = static_cast<size_t>(loop);
        offset += rest % loops.sizes[l] * loops.strides[l];
        rest /= loops.sizes[l];
      }
      copy_plane(x + offset, y + plane * rows * columns, rows, row_stride, columns, column_stride);
    }
  });
}

}  // namespace

void transpose(const void* x, void* y, std::span<const int64_t> sizes, std::span<const int> permutation, size_t element_bytes) {
  for (const int64_t size : sizes) {
    if (size == 0) return;
  }
  const Loops loops = plan(sizes, permutation);
  switch (element_bytes) {
    case 1: return transpose_as(static_cast<const uint8_t*>(x), static_cast<uint8_t*>(y), loops);
    case 4: return transpose_as(static_cast<const uint32_t*>(x), static_cast<uint32_t*>(y), loops);
    case 8: return transpose_as(static_cast<const uint64_t*>(x), static_cast<uint64_t*>(y), loops);
    default: DANLU_CHECK(false, "elements are of 1, 4 or 8 bytes");
  }
}

void copy_blocks(const void* x, size_t x_stride, void* y, size_t y_stride, int64_t rows, size_t block_bytes) {
  if (block_bytes == 0) return;
  parallel_for(rows, kGrainBytes / static_cast<int64_t>(block_bytes) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      std::memcpy(static_cast<std::byte*>(y) + static_cast<size_t>(i) * y_stride,
                  static_cast<const std::byte*>(x) + static_cast<size_t>(i) * x_stride, block_bytes);
    }
  });
}

}  // namespace danlu::kernels
