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

// sums[j] += x
void add_columns(const float* x, int64_t rows, int64_t n, float* sums) {
  for (int64_t i = 0; i < rows; ++i) {
    map(sums, x + i * n, sums, n, [](F32, VecF s, VecF v) HWY_ATTR { return hn::Add(s, v); });
  }
}

// sums[j] += (x - mean[j])^2
void add_squared_distances(const float* x, const float* mean, int64_t rows, int64_t n, float* sums) {
  for (int64_t i = 0; i < rows; ++i) {
    map(sums, x + i * n, mean, sums, n, [](F32, VecF s, VecF v, VecF m) HWY_ATTR {
      const VecF distance = hn::Sub(v, m);
      return hn::MulAdd(distance, distance, s);
    });
  }
}

// y = x * scale[j] + shift[j]
void scale_columns(const float* x, const float* scale, const float* shift, float* y, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i) {
    map(x + i * n, scale, shift, y + i * n, n, [](F32, VecF v, VecF a, VecF b) HWY_ATTR { return hn::MulAdd(v, a, b); });
  }
}

// sums[j] += dy and sums_xhat[j] += dy * (x - mean) * rstd: statistics by column, or by row where mean_step is 0.
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
    const float sum_g_x = map_sum(g, x, n, [](F32, VecF v, VecF u) HWY_ATTR { return hn::Mul(v, u); });
    const float sum_g_xhat = (sum_g_x - m * sum_g) * r;
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

HWY_EXPORT(add_columns);
HWY_EXPORT(add_squared_distances);
HWY_EXPORT(scale_columns);
HWY_EXPORT(add_gradient_columns);
HWY_EXPORT(add_gradient_rows);
HWY_EXPORT(combine_columns);
HWY_EXPORT(norm_rows);
HWY_EXPORT(norm_backward_rows);

constexpr int64_t kGrain = 1 << 14;  // elements
constexpr int64_t kPiece = 256;      // rows of one partial sum

int64_t row_grain(int64_t n) { return kGrain / std::max<int64_t>(n, 1) + 1; }

// Sums `width` columns over the rows: piece(first row, last row, sums) adds to a zeroed row of sums. The pieces are of a fixed
// length, go to threads, and are added in order, in double.
template <class Piece, class Finish>
void sum_columns(int64_t rows, int64_t width, const Piece& piece, const Finish& finish) {
  const int64_t pieces = (rows + kPiece - 1) / kPiece;
  std::vector<float> partial(static_cast<size_t>(pieces * width));
  parallel_for(pieces, kGrain / std::max<int64_t>(kPiece * width, 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) piece(p * kPiece, std::min((p + 1) * kPiece, rows), partial.data() + p * width);
  });
  for (int64_t j = 0; j < width; ++j) {
    double total = 0;
    for (int64_t p = 0; p < pieces; ++p) total += static_cast<double>(partial[static_cast<size_t>(p * width + j)]);
    finish(j, total);
  }
}

}  // namespace

void column_moments(const float* x, int64_t rows, int64_t n, float* mean, float* variance) {
  active_isa();
  const auto add = HWY_DYNAMIC_DISPATCH(add_columns);
  const auto add_squares = HWY_DYNAMIC_DISPATCH(add_squared_distances);
  const double scale = 1.0 / static_cast<double>(std::max<int64_t>(rows, 1));
  sum_columns(rows, n, [&](int64_t b, int64_t e, float* sums) { add(x + b * n, e - b, n, sums); },
              [&](int64_t j, double total) { mean[j] = static_cast<float>(total * scale); });
  sum_columns(rows, n, [&](int64_t b, int64_t e, float* sums) { add_squares(x + b * n, mean, e - b, n, sums); },
              [&](int64_t j, double total) { variance[j] = static_cast<float>(total * scale); });
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
