#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "danlu/engine/kernels/reduce.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include <algorithm>
#include <cmath>
#include <vector>

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/reduce.h"
#include "danlu/engine/kernels/vector_map.inl.h"
#include "danlu/engine/kernels/workspace.h"

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {
namespace {

float sum_row(const float* x, int64_t n) {
  return map_sum(x, n, [](F32, VecF v) HWY_ATTR { return v; });
}

float sum_squares_row(const float* x, int64_t n) {
  return map_sum(x, n, [](F32, VecF v) HWY_ATTR { return hn::Mul(v, v); });
}

// y[0, width) = (accumulate ? y : 0) + scale * sum over `rows` rows that are `stride` apart.
void sum_columns(const float* x, int64_t stride, float* y, int64_t rows, int64_t width, float scale, bool accumulate) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const VecF factor = hn::Set(d, scale);
  int64_t j = 0;
  // Four vectors of columns at a time stay in registers down the rows.
  for (; j + 4 * lanes <= width; j += 4 * lanes) {
    VecF s0 = hn::Zero(d), s1 = hn::Zero(d), s2 = hn::Zero(d), s3 = hn::Zero(d);
    for (int64_t i = 0; i < rows; ++i) {
      const float* row = x + i * stride + j;
      s0 = hn::Add(s0, hn::LoadU(d, row));
      s1 = hn::Add(s1, hn::LoadU(d, row + lanes));
      s2 = hn::Add(s2, hn::LoadU(d, row + 2 * lanes));
      s3 = hn::Add(s3, hn::LoadU(d, row + 3 * lanes));
    }
    const auto finish = [&](VecF s, float* out) HWY_ATTR {
      hn::StoreU(accumulate ? hn::MulAdd(s, factor, hn::LoadU(d, out)) : hn::Mul(s, factor), d, out);
    };
    finish(s0, y + j);
    finish(s1, y + j + lanes);
    finish(s2, y + j + 2 * lanes);
    finish(s3, y + j + 3 * lanes);
  }
  for (; j < width; j += lanes) {
    const int64_t count = std::min(lanes, width - j);
    VecF s = hn::Zero(d);
    for (int64_t i = 0; i < rows; ++i) {
      const float* row = x + i * stride + j;
      s = hn::Add(s, count == lanes ? hn::LoadU(d, row) : load_tail(d, row, count));
    }
    s = hn::Mul(s, factor);
    if (accumulate) s = hn::Add(s, count == lanes ? hn::LoadU(d, y + j) : load_tail(d, y + j, count));
    if (count == lanes) {
      hn::StoreU(s, d, y + j);
    } else {
      store_tail(s, d, y + j, count);
    }
  }
}

}  // namespace
}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace danlu::kernels {
namespace {

HWY_EXPORT(sum_row);
HWY_EXPORT(sum_squares_row);
HWY_EXPORT(sum_columns);

constexpr int64_t kGrain = 1 << 15;  // elements
constexpr int64_t kPiece = 1 << 14;  // elements of one partial sum of a long row

int64_t rows_grain(int64_t elements_a_row) { return kGrain / std::max<int64_t>(elements_a_row, 1) + 1; }

// Adds piece(begin, end) over [0, n) in pieces of kPiece, in order, the pieces themselves in parallel.
template <class Piece>
double sum_pieces(int64_t n, const Piece& piece) {
  const int64_t pieces = (n + kPiece - 1) / kPiece;
  if (pieces <= 1) return n > 0 ? static_cast<double>(piece(int64_t{0}, n)) : 0.0;
  std::vector<float> partial(static_cast<size_t>(pieces));
  parallel_for(pieces, 4, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) partial[static_cast<size_t>(p)] = piece(p * kPiece, std::min((p + 1) * kPiece, n));
  });
  double total = 0;
  for (const float s : partial) total += s;
  return total;
}

// y (n) = (accumulate ? y : 0) + scale * sum over the rows of x (rows, n). Of a large matrix in pieces of some rows, which depend on its size alone: each
// is read from front to back, and their sums are added up in order.
void sum_rows(const float* x, float* y, int64_t rows, int64_t n, float scale, bool accumulate) {
  constexpr int64_t kMostPieces = 32;
  const auto kernel = HWY_DYNAMIC_DISPATCH(sum_columns);
  const int64_t piece = std::max(kGrain / std::max<int64_t>(n, 1) + 1, (rows + kMostPieces - 1) / kMostPieces), pieces = (rows + piece - 1) / piece;
  if (pieces <= 1) return kernel(x, n, y, rows, n, scale, accumulate);
  Workspace workspace(pieces * n);
  float* const partial = workspace.take(pieces * n);
  parallel_for(pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) kernel(x + p * piece * n, n, partial + p * n, std::min(piece, rows - p * piece), n, 1.0f, false);
  });
  kernel(partial, n, y, pieces, n, scale, accumulate);
}

}  // namespace

void sum(const float* x, float* y, int64_t outer, int64_t n, int64_t inner, float scale) {
  active_isa();
  if (inner == 1) {
    const auto kernel = HWY_DYNAMIC_DISPATCH(sum_row);
    if (outer == 1) {
      y[0] = scale * static_cast<float>(sum_pieces(n, [&](int64_t begin, int64_t end) { return kernel(x + begin, end - begin); }));
      return;
    }
    parallel_for(outer, rows_grain(n), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) y[i] = scale * kernel(x + i * n, n);
    });
    return;
  }
  if (outer == 1) return sum_rows(x, y, n, inner, scale, false);
  const auto kernel = HWY_DYNAMIC_DISPATCH(sum_columns);
  parallel_for(outer, rows_grain(n * inner), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) kernel(x + i * n * inner, inner, y + i * inner, n, inner, scale, false);
  });
}

void sum_backward(const float* dy, float* dx, int64_t outer, int64_t n, int64_t inner, float scale) {
  parallel_for(outer * n, rows_grain(inner), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end;) {
      const int64_t o = row / n, last = std::min(end, (o + 1) * n);
      if (inner == 1) {
        std::fill(dx + row, dx + last, scale * dy[o]);
        row = last;
      }
      for (; row < last; ++row) {
        for (int64_t j = 0; j < inner; ++j) dx[row * inner + j] = scale * dy[o * inner + j];
      }
    }
  });
}

void max(const float* x, float* y, int64_t* index, int64_t outer, int64_t n, int64_t inner) {
  parallel_for(outer, rows_grain(n * inner), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      for (int64_t j = 0; j < inner; ++j) {
        const float* column = x + i * n * inner + j;
        int64_t best = 0;
        for (int64_t k = 1; k < n && !std::isnan(column[best * inner]); ++k) {
          const float value = column[k * inner];
          if (value > column[best * inner] || std::isnan(value)) best = k;
        }
        if (y != nullptr) y[i * inner + j] = column[best * inner];
        if (index != nullptr) index[i * inner + j] = best;
      }
    }
  });
}

void max_backward(const float* dy, const int64_t* index, float* dx, int64_t outer, int64_t n, int64_t inner) {
  parallel_for(outer, rows_grain(n * inner), [&](int64_t begin, int64_t end) {
    std::fill(dx + begin * n * inner, dx + end * n * inner, 0.0f);
    for (int64_t i = begin; i < end; ++i) {
      for (int64_t j = 0; j < inner; ++j) {
        dx[(i * n + index[i * inner + j]) * inner + j] = dy[i * inner + j];
      }
    }
  });
}

double sum_of_squares(const float* x, int64_t n) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(sum_squares_row);
  return sum_pieces(n, [&](int64_t begin, int64_t end) { return kernel(x + begin, end - begin); });
}

void column_sum(const float* x, float* y, int64_t rows, int64_t n, bool accumulate) {
  active_isa();
  sum_rows(x, y, rows, n, 1.0f, accumulate);
}

}  // namespace danlu::kernels
#endif
