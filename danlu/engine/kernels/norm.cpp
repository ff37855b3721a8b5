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

// A whole vector, or the last `count` numbers of a row.
struct Whole {
  HWY_INLINE VecF load(F32 d, const float* p) const { return hn::LoadU(d, p); }
  HWY_INLINE void store(VecF v, F32 d, float* p) const { hn::StoreU(v, d, p); }
};
struct Tail {
  int64_t count;
  HWY_INLINE VecF load(F32 d, const float* p) const { return load_tail(d, p, count); }
  HWY_INLINE void store(VecF v, F32 d, float* p) const { store_tail(v, d, p, count); }
};

// body(d, j, Whole or Tail) for each vector of a row of n numbers, which begins at j.
template <class Body>
HWY_INLINE void for_vectors(int64_t n, const Body& body) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t j = 0;
  for (; j + lanes <= n; j += lanes) body(d, j, Whole{});
  if (j < n) body(d, j, Tail{n - j});
}

// term(d, i * n + j, j, part, sums) adds the numbers j... of row i to its two sums, for all rows. The sums of a few rows at a time are
// kept in registers, in two chains so that no addition waits for the one before.
template <class Term>
HWY_INLINE void add_over_rows(int64_t rows, int64_t n, float* first, float* second, const Term& term) {
  constexpr int64_t kChunk = 16;
  for (int64_t begin = 0; begin < rows; begin += kChunk) {
    const int64_t end = HWY_MIN(begin + kChunk, rows);
    for_vectors(n, [&](F32 d, int64_t j, auto part) HWY_ATTR {
      VecF even[2] = {part.load(d, first + j), part.load(d, second + j)}, odd[2] = {hn::Zero(d), hn::Zero(d)};
      int64_t i = begin;
      for (; i + 2 <= end; i += 2) {
        term(d, i * n + j, j, part, even);
        term(d, (i + 1) * n + j, j, part, odd);
      }
      if (i < end) term(d, i * n + j, j, part, even);
      part.store(hn::Add(even[0], odd[0]), d, first + j);
      part.store(hn::Add(even[1], odd[1]), d, second + j);
    });
  }
}

// Of each column: about its mean, and the sums of the distances from that and of their squares. The distances would add up to 0
// if the mean were exact; their sum corrects it (Chan, Golub, LeVeque 1983). All three begin as 0.
void add_moments(const float* x, int64_t rows, int64_t n, float* centre, float* distances, float* squares) {
  add_over_rows(rows, n, centre, distances, [x](F32 d, int64_t at, int64_t, auto part, VecF* sums) HWY_ATTR {
    sums[0] = hn::Add(sums[0], part.load(d, x + at));
  });
  const float scale = 1.0f / static_cast<float>(rows);
  map(centre, centre, n, [scale](F32 d, VecF sum) HWY_ATTR { return hn::Mul(sum, hn::Set(d, scale)); });
  add_over_rows(rows, n, distances, squares, [x, centre](F32 d, int64_t at, int64_t j, auto part, VecF* sums) HWY_ATTR {
    const VecF distance = hn::Sub(part.load(d, x + at), part.load(d, centre + j));
    sums[0] = hn::Add(sums[0], distance);
    sums[1] = hn::MulAdd(distance, distance, sums[1]);
  });
}

// v where `sign` is positive, v * slope elsewhere: leaky ReLU, and, by the sign of what came of it, its gradient.
HWY_INLINE VecF leaky(F32 d, VecF v, VecF sign, float slope) {
  return hn::IfThenElse(hn::Gt(sign, hn::Zero(d)), v, hn::Mul(v, hn::Set(d, slope)));
}

// y = leaky(x * scale[j] + shift[j] + residual); the residual may be null.
void scale_columns(const float* x, const float* scale, const float* shift, const float* residual, float slope, float* y, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i, x += n, y += n) {
    for_vectors(n, [&](F32 d, int64_t j, auto part) HWY_ATTR {
      VecF z = hn::MulAdd(part.load(d, x + j), part.load(d, scale + j), part.load(d, shift + j));
      if (residual != nullptr) z = hn::Add(z, part.load(d, residual + j));
      part.store(slope == 1 ? z : leaky(d, z, z, slope), d, y + j);
    });
    if (residual != nullptr) residual += n;
  }
}

// dz of y = leaky(z), where y is null if that is z.
template <class Part>
HWY_INLINE VecF through_leaky(F32 d, const float* dy, const float* y, float slope, int64_t at, Part part) {
  const VecF gradient = part.load(d, dy + at);
  return y == nullptr ? gradient : leaky(d, gradient, part.load(d, y + at), slope);
}

// sum_dz[j] += dz and sum_dz_distance[j] += dz * (x - mean[j])
void add_gradient_columns(const float* dy, const float* y, float slope, const float* x, const float* mean, int64_t rows, int64_t n, float* sum_dz,
                          float* sum_dz_distance) {
  add_over_rows(rows, n, sum_dz, sum_dz_distance, [=](F32 d, int64_t at, int64_t j, auto part, VecF* sums) HWY_ATTR {
    const VecF dz = through_leaky(d, dy, y, slope, at, part);
    sums[0] = hn::Add(sums[0], dz);
    sums[1] = hn::MulAdd(dz, hn::Sub(part.load(d, x + at), part.load(d, mean + j)), sums[1]);
  });
}

// dx = a[j] * dz + b[j] * x + c[j], and, unless null, dresidual = dz
void combine_columns(const float* dy, const float* y, float slope, const float* x, const float* a, const float* b, const float* c, float* dx,
                     float* dresidual, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i) {
    for_vectors(n, [&](F32 d, int64_t j, auto part) HWY_ATTR {
      const int64_t at = i * n + j;
      const VecF dz = through_leaky(d, dy, y, slope, at, part);
      const VecF linear = hn::MulAdd(part.load(d, b + j), part.load(d, x + at), part.load(d, c + j));
      part.store(hn::MulAdd(part.load(d, a + j), dz, linear), d, dx + at);
      if (dresidual != nullptr) part.store(dz, d, dresidual + at);
    });
  }
}

// y = (x - m) * r * weight + bias
HWY_INLINE void normalize(const float* x, float m, float r, const float* weight, const float* bias, float* y, int64_t n) {
  const auto unit = [m, r](F32 d, VecF v) HWY_ATTR { return hn::Mul(hn::Sub(v, hn::Set(d, m)), hn::Set(d, r)); };
  if (weight != nullptr && bias != nullptr) {
    map(x, weight, bias, y, n, [unit](F32 d, VecF v, VecF w, VecF b) HWY_ATTR { return hn::MulAdd(unit(d, v), w, b); });
  } else if (weight != nullptr) {
    map(x, weight, y, n, [unit](F32 d, VecF v, VecF w) HWY_ATTR { return hn::Mul(unit(d, v), w); });
  } else if (bias != nullptr) {
    map(x, bias, y, n, [unit](F32 d, VecF v, VecF b) HWY_ATTR { return hn::Add(unit(d, v), b); });
  } else {
    map(x, y, n, unit);
  }
}

// Of x, or of sum = x + residual if there is a residual.
void norm_rows(const float* x, const float* residual, const float* weight, const float* bias, float eps, bool centred, float* sum, float* y,
               float* mean, float* rstd, int64_t rows, int64_t n) {
  const auto count = static_cast<float>(n);
  for (int64_t i = 0; i < rows; ++i) {
    const float* row = x + i * n;
    if (residual != nullptr) {
      map(row, residual + i * n, sum + i * n, n, [](F32, VecF u, VecF v) HWY_ATTR { return hn::Add(u, v); });
      row = sum + i * n;
    }
    float m = 0;
    if (centred) {
      m = map_sum(row, n, [](F32, VecF v) HWY_ATTR { return v; }) / count;
      mean[i] = m;
    }
    const float square = map_sum(row, n, [m](F32 d, VecF v) HWY_ATTR {
      const VecF distance = hn::Sub(v, hn::Set(d, m));
      return hn::Mul(distance, distance);
    });
    rstd[i] = 1.0f / std::sqrt(square / count + eps);
    normalize(row, m, rstd[i], weight, bias, y + i * n, n);
  }
}

// sum_dy[j] += dy and sum_dy_xhat[j] += dy * (x - m) * r
HWY_INLINE void add_gradient_row(const float* dy, const float* x, float m, float r, float* sum_dy, float* sum_dy_xhat, int64_t n) {
  map(sum_dy, dy, sum_dy, n, [](F32, VecF s, VecF v) HWY_ATTR { return hn::Add(s, v); });
  map(dy, x, sum_dy_xhat, sum_dy_xhat, n, [m, r](F32 d, VecF v, VecF u, VecF s) HWY_ATTR {
    return hn::MulAdd(v, hn::Mul(hn::Sub(u, hn::Set(d, m)), hn::Set(d, r)), s);
  });
}

// g = dy * weight: dx = r * (g - mean(g) - xhat * mean(g xhat)), plus dx if `accumulate`.
HWY_INLINE void norm_backward_row(const float* dy, const float* x, float m, float r, const float* weight, bool centred, bool accumulate,
                                  float* g, float* dx, int64_t n) {
  const auto count = static_cast<float>(n);
  if (weight != nullptr) map(dy, weight, g, n, [](F32, VecF v, VecF w) HWY_ATTR { return hn::Mul(v, w); });
  const float* from = weight != nullptr ? g : dy;
  const float sum_g = centred ? map_sum(from, n, [](F32, VecF v) HWY_ATTR { return v; }) : 0.0f;
  // Of distances, not sum(g x) - m sum(g): far from 0 that would cancel.
  const float sum_g_xhat = r * map_sum(from, x, n, [m](F32 d, VecF v, VecF u) HWY_ATTR { return hn::Mul(v, hn::Sub(u, hn::Set(d, m))); });
  const float shift = sum_g / count, slope = sum_g_xhat / count * r;
  const auto gradient = [=](F32 d, VecF v, VecF u) HWY_ATTR {
    const VecF distance = hn::Sub(u, hn::Set(d, m));
    return hn::Mul(hn::Set(d, r), hn::NegMulAdd(distance, hn::Set(d, slope), hn::Sub(v, hn::Set(d, shift))));
  };
  if (accumulate) {
    map(from, x, dx, dx, n, [gradient](F32 d, VecF v, VecF u, VecF before) HWY_ATTR { return hn::Add(before, gradient(d, v, u)); });
  } else {
    map(from, x, dx, n, gradient);
  }
}

// dx and the sums may be null; `scratch` has room for n floats.
void norm_backward_rows(const float* dy, const float* x, const float* mean, const float* rstd, const float* weight, bool centred,
                        bool accumulate, float* dx, float* sum_dy, float* sum_dy_xhat, float* scratch, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i, dy += n, x += n) {
    const float m = mean == nullptr ? 0.0f : mean[i];
    if (sum_dy != nullptr) add_gradient_row(dy, x, m, rstd[i], sum_dy, sum_dy_xhat, n);
    if (dx != nullptr) norm_backward_row(dy, x, m, rstd[i], weight, centred, accumulate, scratch, dx + i * n, n);
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
HWY_EXPORT(combine_columns);
HWY_EXPORT(norm_rows);
HWY_EXPORT(norm_backward_rows);

constexpr int64_t kGrain = 1 << 14;  // elements
constexpr int64_t kPiece = 256;      // rows of one partial sum of columns
constexpr int64_t kRowPiece = 64;    // and of rows, where it is also the least that a thread is given

int64_t row_grain(int64_t n) { return kGrain / std::max<int64_t>(n, 1) + 1; }

// `width` numbers for each piece of the rows: piece(first row, last row, numbers) adds to a zeroed row of them. The pieces are
// of a fixed length and go to threads: the numbers are the same for any number of threads.
struct Pieces {
  int64_t count, width;
  std::vector<float> numbers;
  double at(int64_t piece, int64_t j) const { return static_cast<double>(numbers[static_cast<size_t>(piece * width + j)]); }
};

template <class Piece>
Pieces in_pieces(int64_t rows, int64_t length, int64_t width, const Piece& piece) {
  Pieces all{(rows + length - 1) / length, width, {}};
  all.numbers.resize(static_cast<size_t>(all.count * width));
  parallel_for(all.count, kGrain / std::max<int64_t>(length * width, 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) piece(p * length, std::min((p + 1) * length, rows), all.numbers.data() + p * width);
  });
  return all;
}

// The pieces added in order and in double.
std::vector<double> total_of(const Pieces& all) {
  std::vector<double> total(static_cast<size_t>(all.width));
  parallel_for(all.width, 256, [&](int64_t begin, int64_t end) {
    for (int64_t p = 0; p < all.count; ++p) {
      for (int64_t j = begin; j < end; ++j) total[static_cast<size_t>(j)] += all.at(p, j);
    }
  });
  return total;
}

}  // namespace

void column_moments(const float* x, int64_t rows, int64_t n, float* mean, float* variance) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(add_moments);
  // Each piece makes its two passes while it is in cache.
  const Pieces all = in_pieces(rows, kPiece, 3 * n, [&](int64_t b, int64_t e, float* sums) {
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

void normalize_columns(const float* x, const float* mean, const float* rstd, const float* weight, const float* bias, const float* residual,
                       float negative_slope, float* y, int64_t rows, int64_t n) {
  active_isa();
  std::vector<float> scale(static_cast<size_t>(n)), shift(static_cast<size_t>(n));
  for (int64_t j = 0; j < n; ++j) {
    const auto k = static_cast<size_t>(j);
    scale[k] = rstd[j] * (weight == nullptr ? 1.0f : weight[j]);
    shift[k] = (bias == nullptr ? 0.0f : bias[j]) - mean[j] * scale[k];
  }
  const auto kernel = HWY_DYNAMIC_DISPATCH(scale_columns);
  parallel_for(rows, row_grain(n), [&](int64_t b, int64_t e) {
    kernel(x + b * n, scale.data(), shift.data(), residual == nullptr ? nullptr : residual + b * n, negative_slope, y + b * n, e - b, n);
  });
}

void column_gradient_sums(const float* dy, const float* y, float negative_slope, const float* x, const float* mean, const float* rstd, float* sum_dz,
                          float* sum_dz_xhat, int64_t rows, int64_t n) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(add_gradient_columns);
  const std::vector<double> total = total_of(in_pieces(rows, kPiece, 2 * n, [&](int64_t b, int64_t e, float* sums) {
    kernel(dy + b * n, y == nullptr ? nullptr : y + b * n, negative_slope, x + b * n, mean, e - b, n, sums, sums + n);
  }));
  for (int64_t j = 0; j < n; ++j) {
    sum_dz[j] = static_cast<float>(total[static_cast<size_t>(j)]);
    sum_dz_xhat[j] = static_cast<float>(total[static_cast<size_t>(n + j)] * static_cast<double>(rstd[j]));
  }
}

void normalize_columns_backward(const float* dy, const float* y, float negative_slope, const float* x, const float* mean, const float* rstd,
                                const float* weight, const float* sum_dz, const float* sum_dz_xhat, float* dx, float* dresidual, int64_t rows,
                                int64_t n) {
  active_isa();
  // dx = a dz + b x + c, with numbers for each column.
  std::vector<float> a(static_cast<size_t>(n)), b(static_cast<size_t>(n)), c(static_cast<size_t>(n));
  const auto count = static_cast<float>(std::max<int64_t>(rows, 1));
  for (int64_t j = 0; j < n; ++j) {
    const auto k = static_cast<size_t>(j);
    a[k] = rstd[j] * (weight == nullptr ? 1.0f : weight[j]);
    if (sum_dz == nullptr) continue;
    b[k] = -a[k] * rstd[j] * sum_dz_xhat[j] / count;
    c[k] = -a[k] * sum_dz[j] / count - b[k] * mean[j];
  }
  const auto kernel = HWY_DYNAMIC_DISPATCH(combine_columns);
  parallel_for(rows, row_grain(n), [&](int64_t begin, int64_t end) {
    const auto at = [&](auto* p) { return p == nullptr ? nullptr : p + begin * n; };
    kernel(at(dy), at(y), negative_slope, at(x), a.data(), b.data(), c.data(), at(dx), at(dresidual), end - begin, n);
  });
}

void normalize_rows(const float* x, const float* weight, const float* bias, float eps, bool centred, float* y, float* mean, float* rstd,
                    int64_t rows, int64_t n) {
  add_normalize_rows(x, nullptr, weight, bias, eps, centred, nullptr, y, mean, rstd, rows, n);
}

void add_normalize_rows(const float* x, const float* residual, const float* weight, const float* bias, float eps, bool centred, float* sum,
                        float* y, float* mean, float* rstd, int64_t rows, int64_t n) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(norm_rows);
  parallel_for(rows, row_grain(n), [&](int64_t b, int64_t e) {
    const auto at = [&](auto* p) { return p == nullptr ? nullptr : p + b * n; };
    kernel(x + b * n, at(residual), weight, bias, eps, centred, at(sum), y + b * n, centred ? mean + b : nullptr, rstd + b, e - b, n);
  });
}

void normalize_rows_backward(const float* dy, const float* x, const float* mean, const float* rstd, const float* weight, bool centred,
                             bool accumulate, float* dx, float* sum_dy, float* sum_dy_xhat, int64_t rows, int64_t n) {
  const auto kernel = HWY_DYNAMIC_DISPATCH(norm_backward_rows);
  const bool sums = sum_dy != nullptr || sum_dy_xhat != nullptr;
  // Numbers of a piece: the two sums, if wanted, and room for a row.
  const std::vector<double> total = total_of(in_pieces(rows, kRowPiece, sums ? 3 * n : n, [&](int64_t b, int64_t e, float* numbers) {
    kernel(dy + b * n, x + b * n, centred ? mean + b : nullptr, rstd + b, weight, centred, accumulate, dx == nullptr ? nullptr : dx + b * n,
           sums ? numbers : nullptr, numbers + n, sums ? numbers + 2 * n : numbers, e - b, n);
  }));
  for (int64_t j = 0; j < n; ++j) {
    if (sum_dy != nullptr) sum_dy[j] = static_cast<float>(total[static_cast<size_t>(j)]);
    if (sum_dy_xhat != nullptr) sum_dy_xhat[j] = static_cast<float>(total[static_cast<size_t>(n + j)]);
  }
}

}  // namespace danlu::kernels
#endif
