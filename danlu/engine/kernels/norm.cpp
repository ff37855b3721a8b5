#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "danlu/engine/kernels/norm.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include <algorithm>
#include <cmath>
#include <vector>

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/norm.h"
#include "danlu/engine/kernels/vector_map.inl.h"

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {
namespace {

// Of each column: about its mean, and the sums of the distances from that and of their squares. The distances would add up to 0
// if the mean were exact; their sum corrects it (Chan, Golub, LeVeque 1983). All three begin as 0.
void add_moments(const float* x, int64_t rows, int64_t n, float* centre, float* distances, float* squares) {
  for (int64_t i = 0; i < rows; ++i) {
    map(centre, x + i * n, centre, n, [](F32, VecF sum, VecF v) HWY_ATTR { return hn::Add(sum, v); });
  }
  const float scale = 1.0f / static_cast<float>(rows);
  map(centre, centre, n, [scale](F32 d, VecF sum) HWY_ATTR { return hn::Mul(sum, hn::Set(d, scale)); });
  for (int64_t i = 0; i < rows; ++i) {
    map(distances, x + i * n, centre, distances, n, [](F32, VecF sum, VecF v, VecF m) HWY_ATTR { return hn::Add(sum, hn::Sub(v, m)); });
    map(squares, x + i * n, centre, squares, n, [](F32, VecF sum, VecF v, VecF m) HWY_ATTR {
      const VecF distance = hn::Sub(v, m);
      return hn::MulAdd(distance, distance, sum);
    });
  }
}

// y = x * scale[j] + shift[j]
void scale_columns(const float* x, const float* scale, const float* shift, float* y, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i) {
    map(x + i * n, scale, shift, y + i * n, n, [](F32, VecF v, VecF a, VecF b) HWY_ATTR { return hn::MulAdd(v, a, b); });
  }
}

// sum_dy[j] += dy and sum_dy_distance[j] += dy * (x - mean[j])
void add_gradient_columns(const float* dy, const float* x, const float* mean, int64_t rows, int64_t n, float* sum_dy, float* sum_dy_distance) {
  for (int64_t i = 0; i < rows; ++i) {
    const float* g = dy + i * n;
    map(sum_dy, g, sum_dy, n, [](F32, VecF s, VecF v) HWY_ATTR { return hn::Add(s, v); });
    const F32 d;
    const auto lanes = static_cast<int64_t>(hn::Lanes(d));
    const float* xi = x + i * n;
    int64_t j = 0;
    for (; j + lanes <= n; j += lanes) {
      const VecF distance = hn::Sub(hn::LoadU(d, xi + j), hn::LoadU(d, mean + j));
      hn::StoreU(hn::MulAdd(hn::LoadU(d, g + j), distance, hn::LoadU(d, sum_dy_distance + j)), d, sum_dy_distance + j);
    }
    for (; j < n; ++j) sum_dy_distance[j] += g[j] * (xi[j] - mean[j]);
  }
}

// sum_dy[j] += dy and sum_dy_xhat[j] += dy * (x - mean[i]) * rstd[i]
void add_gradient_rows(const float* dy, const float* x, const float* mean, const float* rstd, int64_t rows, int64_t n, float* sum_dy,
                       float* sum_dy_xhat) {
  for (int64_t i = 0; i < rows; ++i) {
    const float* g = dy + i * n;
    map(sum_dy, g, sum_dy, n, [](F32, VecF s, VecF v) HWY_ATTR { return hn::Add(s, v); });
    const float m = mean == nullptr ? 0.0f : mean[i], r = rstd[i];
    map(g, x + i * n, sum_dy_xhat, sum_dy_xhat, n, [m, r](F32 d, VecF v, VecF u, VecF s) HWY_ATTR {
      return hn::MulAdd(v, hn::Mul(hn::Sub(u, hn::Set(d, m)), hn::Set(d, r)), s);
    });
  }
}

// dx = a[j] * dy + b[j] * x + c[j]
void combine_columns(const float* dy, const float* x, const float* a, const float* b, const float* c, float* dx, int64_t rows, int64_t n) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = 0; i < rows; ++i, dy += n, x += n, dx += n) {
    int64_t j = 0;
    for (; j + lanes <= n; j += lanes) {
      const VecF linear = hn::MulAdd(hn::LoadU(d, b + j), hn::LoadU(d, x + j), hn::LoadU(d, c + j));
      hn::StoreU(hn::MulAdd(hn::LoadU(d, a + j), hn::LoadU(d, dy + j), linear), d, dx + j);
    }
    for (; j < n; ++j) dx[j] = a[j] * dy[j] + b[j] * x[j] + c[j];
  }
}

void norm_rows(const float* x, const float* weight, const float* bias, float eps, bool centred, float* y, float* mean, float* rstd,
               int64_t rows, int64_t n) {
  const auto count = static_cast<float>(n);
  for (int64_t i = 0; i < rows; ++i, x += n, y += n) {
    float m = 0;
    if (centred) {
      m = map_sum(x, n, [](F32, VecF v) HWY_ATTR { return v; }) / count;
      mean[i] = m;
    }
    const float square = map_sum(x, n, [m](F32 d, VecF v) HWY_ATTR {
      const VecF distance = hn::Sub(v, hn::Set(d, m));
      return hn::Mul(distance, distance);
    });
    const float r = 1.0f / std::sqrt(square / count + eps);
    rstd[i] = r;
    map(x, y, n, [m, r](F32 d, VecF v) HWY_ATTR { return hn::Mul(hn::Sub(v, hn::Set(d, m)), hn::Set(d, r)); });
    if (weight != nullptr) map(y, weight, y, n, [](F32, VecF v, VecF w) HWY_ATTR { return hn::Mul(v, w); });
    if (bias != nullptr) map(y, bias, y, n, [](F32, VecF v, VecF b) HWY_ATTR { return hn::Add(v, b); });
  }
}

void norm_backward_rows(const float* dy, const float* x, const float* mean, const float* rstd, const float* weight, bool centred, float* dx,
                        int64_t rows, int64_t n) {
  const auto count = static_cast<float>(n);
  for (int64_t i = 0; i < rows; ++i, dy += n, x += n, dx += n) {
    const float m = mean == nullptr ? 0.0f : mean[i], r = rstd[i];
    const float* g = dy;
    if (weight != nullptr) {
      map(dy, weight, dx, n, [](F32, VecF v, VecF w) HWY_ATTR { return hn::Mul(v, w); });
      g = dx;
    }
    const float sum_g = centred ? map_sum(g, n, [](F32, VecF v) HWY_ATTR { return v; }) : 0.0f;
    // Of distances, not sum(g x) - m sum(g): far from 0 that would cancel.
    const float sum_g_xhat = r * map_sum(g, x, n, [m](F32 d, VecF v, VecF u) HWY_ATTR { return hn::Mul(v, hn::Sub(u, hn::Set(d, m))); });
    const float shift = sum_g / count, slope = sum_g_xhat / count * r;
    map(g, x, dx, n, [=](F32 d, VecF v, VecF u) HWY_ATTR {
      const VecF distance = hn::Sub(u, hn::Set(d, m));
      return hn::Mul(hn::Set(d, r), hn::NegMulAdd(distance, hn::Set(d, slope), hn::Sub(v, hn::Set(d, shift))));
    });
  }
}

}  // namespace
}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace danlu::kernels {
namespace {

HWY_EXPORT(add_moments);
HWY_EXPORT(scale_columns);
HWY_EXPORT(add_gradient_columns);
HWY_EXPORT(add_gradient_rows);
HWY_EXPORT(combine_columns);
HWY_EXPORT(norm_rows);
HWY_EXPORT(norm_backward_rows);

constexpr int64_t kGrain = 1 << 14;  // elements
constexpr int64_t kPiece = 256;      // rows of one partial sum

int64_t row_grain(int64_t n) { return kGrain / std::max<int64_t>(n, 1) + 1; }

// `width` numbers for each piece of the rows: piece(first row, last row, numbers) adds to a zeroed row of them. The pieces are
// of a fixed length and go to threads: the numbers are the same for any number of threads.
struct Pieces {
  int64_t count, width;
  std::vector<float> numbers;
  double at(int64_t piece, int64_t j) const { return static_cast<double>(numbers[static_cast<size_t>(piece * width + j)]); }
};

template <class Piece>
Pieces in_pieces(int64_t rows, int64_t width, const Piece& piece) {
  Pieces all{(rows + kPiece - 1) / kPiece, width, {}};
  all.numbers.resize(static_cast<size_t>(all.count * width));
  parallel_for(all.count, kGrain / std::max<int64_t>(kPiece * width, 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) piece(p * kPiece, std::min((p + 1) * kPiece, rows), all.numbers.data() + p * width);
  });
  return all;
}

// Sums of pieces, added in order and in double: finish(j, total).
template <class Piece, class Finish>
void sum_columns(int64_t rows, int64_t width, const Piece& piece, const Finish& finish) {
  const Pieces all = in_pieces(rows, width, piece);
  for (int64_t j = 0; j < width; ++j) {
    double total = 0;
    for (int64_t p = 0; p < all.count; ++p) total += all.at(p, j);
    finish(j, total);
  }
}

}  // namespace

void column_moments(const float* x, int64_t rows, int64_t n, float* mean, float* variance) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(add_moments);
  // Each piece makes its two passes while it is in cache.
  const Pieces all = in_pieces(rows, 3 * n, [&](int64_t b, int64_t e, float* sums) {
    kernel(x + b * n, e - b, n, sums, sums + n, sums + 2 * n);
  });
  const auto rows_of = [rows](int64_t piece) { return static_cast<double>(std::min(kPiece, rows - piece * kPiece)); };
  const double scale = 1.0 / static_cast<double>(std::max<int64_t>(rows, 1));
  for (int64_t j = 0; j < n; ++j) {
    const auto centre = [&](int64_t piece) { return all.at(piece, j); };
    const auto distances = [&](int64_t piece) { return all.at(piece, n + j); };
    double total = 0, squares = 0;
    for (int64_t p = 0; p < all.count; ++p) total += rows_of(p) * centre(p) + distances(p);
    const double m = total * scale;
    for (int64_t p = 0; p < all.count; ++p) {  // sum of (x - m)^2 = sum of ((x - centre) + (centre - m))^2
      const double step = centre(p) - m;
      squares += all.at(p, 2 * n + j) + 2 * step * distances(p) + rows_of(p) * step * step;
    }
    mean[j] = static_cast<float>(m);
    variance[j] = static_cast<float>(squares * scale);
  }
}

void normalize_columns(const float* x, const float* mean, const float* rstd, const float* weight, const float* bias, float* y,
                       int64_t rows, int64_t n) {
  active_isa();
  std::vector<float> scale(static_cast<size_t>(n)), shift(static_cast<size_t>(n));
  for (int64_t j = 0; j < n; ++j) {
    const auto k = static_cast<size_t>(j);
    scale[k] = rstd[j] * (weight == nullptr ? 1.0f : weight[j]);
    shift[k] = (bias == nullptr ? 0.0f : bias[j]) - mean[j] * scale[k];
  }
  const auto kernel = HWY_DYNAMIC_DISPATCH(scale_columns);
  parallel_for(rows, row_grain(n), [&](int64_t b, int64_t e) { kernel(x + b * n, scale.data(), shift.data(), y + b * n, e - b, n); });
}

void column_gradient_sums(const float* dy, const float* x, const float* mean, const float* rstd, float* sum_dy, float* sum_dy_xhat,
                          int64_t rows, int64_t n) {
  const auto kernel = HWY_DYNAMIC_DISPATCH(add_gradient_columns);
  sum_columns(rows, 2 * n, [&](int64_t b, int64_t e, float* sums) { kernel(dy + b * n, x + b * n, mean, e - b, n, sums, sums + n); },
              [&](int64_t j, double total) {
                if (j < n) sum_dy[j] = static_cast<float>(total);
                else sum_dy_xhat[j - n] = static_cast<float>(total * static_cast<double>(rstd[j - n]));
              });
}

void normalize_columns_backward(const float* dy, const float* x, const float* mean, const float* rstd, const float* weight,
                                const float* sum_dy, const float* sum_dy_xhat, float* dx, int64_t rows, int64_t n) {
  // dx = a dy + b x + c, with numbers for each column.
  std::vector<float> a(static_cast<size_t>(n)), b(static_cast<size_t>(n)), c(static_cast<size_t>(n));
  const auto count = static_cast<float>(std::max<int64_t>(rows, 1));
  for (int64_t j = 0; j < n; ++j) {
    const auto k = static_cast<size_t>(j);
    a[k] = rstd[j] * (weight == nullptr ? 1.0f : weight[j]);
    if (sum_dy == nullptr) continue;
    b[k] = -a[k] * rstd[j] * sum_dy_xhat[j] / count;
    c[k] = -a[k] * sum_dy[j] / count - b[k] * mean[j];
  }
  const auto kernel = HWY_DYNAMIC_DISPATCH(combine_columns);
  parallel_for(rows, row_grain(n), [&](int64_t begin, int64_t end) {
    kernel(dy + begin * n, x + begin * n, a.data(), b.data(), c.data(), dx + begin * n, end - begin, n);
  });
}

void normalize_rows(const float* x, const float* weight, const float* bias, float eps, bool centred, float* y, float* mean, float* rstd,
                    int64_t rows, int64_t n) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(norm_rows);
  parallel_for(rows, row_grain(n), [&](int64_t b, int64_t e) {
    kernel(x + b * n, weight, bias, eps, centred, y + b * n, centred ? mean + b : nullptr, rstd + b, e - b, n);
  });
}

void normalize_rows_backward(const float* dy, const float* x, const float* mean, const float* rstd, const float* weight, bool centred,
                             float* dx, int64_t rows, int64_t n) {
  const auto kernel = HWY_DYNAMIC_DISPATCH(norm_backward_rows);
  parallel_for(rows, row_grain(n), [&](int64_t b, int64_t e) {
    kernel(dy + b * n, x + b * n, centred ? mean + b : nullptr, rstd + b, weight, centred, dx + b * n, e - b, n);
  });
}

void row_gradient_sums(const float* dy, const float* x, const float* mean, const float* rstd, float* sum_dy, float* sum_dy_xhat,
                       int64_t rows, int64_t n) {
  const auto kernel = HWY_DYNAMIC_DISPATCH(add_gradient_rows);
  sum_columns(rows, 2 * n,
              [&](int64_t b, int64_t e, float* sums) {
                kernel(dy + b * n, x + b * n, mean == nullptr ? nullptr : mean + b, rstd + b, e - b, n, sums, sums + n);
              },
              [&](int64_t j, double total) { (j < n ? sum_dy[j] : sum_dy_xhat[j - n]) = static_cast<float>(total); });
}

}  // namespace danlu::kernels
#endif
