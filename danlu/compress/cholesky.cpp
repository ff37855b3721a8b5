#include "danlu/compress/cholesky.h"

#include <cmath>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/threads.h"

namespace danlu::compress {
namespace {

double dot(const double* a, const double* b, int64_t n) {
  constexpr int kSums = 8;  // that do not wait for each other
  double sum[kSums] = {};
  int64_t i = 0;
  for (; i + kSums <= n; i += kSums) {
    for (int s = 0; s < kSums; ++s) sum[s] += a[i + s] * b[i + s];
  }
  for (; i < n; ++i) sum[0] += a[i] * b[i];
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

// a = L L^T in its lower triangle, row by row.
void factorize(std::vector<double>& a, int64_t n) {
  const auto row = [&](int64_t i) { return a.data() + i * n; };
  for (int64_t j = 0; j < n; ++j) {
    const double diagonal = row(j)[j] - dot(row(j), row(j), j);
    if (!(diagonal > 0 && std::isfinite(diagonal))) throw DataError("compress.cholesky", "second moments of calibration inputs are not positive; expected finite inputs");
    row(j)[j] = std::sqrt(diagonal);
    parallel_for(n - j - 1, 64, [&](int64_t begin, int64_t end) {
      for (int64_t i = j + 1 + begin; i < j + 1 + end; ++i) row(i)[j] = (row(i)[j] - dot(row(i), row(j), j)) / row(j)[j];
    });
  }
}

}  // namespace

// With the order of rows and columns turned round, H' = L L^T; then H = R R^T with R upper triangular, H^-1 = R^-T R^-1, and U = R^-1.
Tensor inverse_factor(const Tensor& h, double damping) {
  const int64_t n = h.size(0);
  double mean = 0;
  for (int64_t i = 0; i < n; ++i) mean += static_cast<double>(h.data()[i * n + i]) / static_cast<double>(n);
  const double added = mean > 0 ? damping * mean : 1;
  std::vector<double> a(static_cast<size_t>(n * n));
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) a[static_cast<size_t>(i * n + j)] = static_cast<double>(h.data()[(n - 1 - i) * n + n - 1 - j]) + (i == j ? added : 0.0);
  }
  factorize(a, n);
  // Column c of L^-1, from the top: turned back it is column n - 1 - c of U, from the bottom.
  Tensor u = Tensor::zeros({n, n});
  float* out = u.mutable_data();
  parallel_for(n, 1, [&](int64_t begin, int64_t end) {
    std::vector<double> column(static_cast<size_t>(n));
    for (int64_t c = begin; c < end; ++c) {
      for (int64_t i = c; i < n; ++i) {
        const double sum = (i == c ? 1.0 : 0.0) - dot(a.data() + i * n + c, column.data() + c, i - c);
        column[static_cast<size_t>(i)] = sum / a[static_cast<size_t>(i * n + i)];
        out[(n - 1 - i) * n + n - 1 - c] = static_cast<float>(column[static_cast<size_t>(i)]);
      }
    }
  });
  return u;
}

}  // namespace danlu::compress
