#include "danlu/eval/frechet.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::eval {
namespace {

constexpr const char* kWhere = "eval.frechet";

using Matrix = std::vector<double>;  // (n, n), row-major

Matrix product(const Matrix& a, const Matrix& b, size_t n) {
  Matrix c(n * n, 0.0);
  for (size_t i = 0; i < n; ++i) {
    for (size_t k = 0; k < n; ++k) {
      for (size_t j = 0; j < n; ++j) c[i * n + j] += a[i * n + k] * b[k * n + j];
    }
  }
  return c;
}

// Of a symmetric matrix: its eigenvalues, and the eigenvectors as columns. By Jacobi's rotations, each of which makes one pair of
// elements zero. Source: Golub, Van Loan, Matrix Computations, section 8.5.
struct Eigen {
  std::vector<double> values;
  Matrix vectors;
};
Eigen eigen_of(Matrix a, size_t n) {
  constexpr int kMostSweeps = 60;
  constexpr double kNegligible = 1e-24;  // of the sum of squares
  Matrix v(n * n, 0.0);
  for (size_t i = 0; i < n; ++i) v[i * n + i] = 1;
  double total = 0;
  for (const double x : a) total += x * x;
  for (int sweep = 0; sweep < kMostSweeps; ++sweep) {
    double off = 0;
    for (size_t p = 0; p < n; ++p) {
      for (size_t q = p + 1; q < n; ++q) off += a[p * n + q] * a[p * n + q];
    }
    if (off <= kNegligible * total) break;
    for (size_t p = 0; p < n; ++p) {
      for (size_t q = p + 1; q < n; ++q) {
        if (a[p * n + q] == 0) continue;
        const double theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
        const double t = (theta >= 0 ? 1.0 : -1.0) / (std::abs(theta) + std::sqrt(theta * theta + 1));
        const double c = 1 / std::sqrt(t * t + 1), s = t * c;
        for (size_t k = 0; k < n; ++k) {
          const double x = a[k * n + p], y = a[k * n + q];
          a[k * n + p] = c * x - s * y;
          a[k * n + q] = s * x + c * y;
        }
        for (size_t k = 0; k < n; ++k) {
          const double x = a[p * n + k], y = a[q * n + k];
          a[p * n + k] = c * x - s * y;
          a[q * n + k] = s * x + c * y;
        }
        for (size_t k = 0; k < n; ++k) {
          const double x = v[k * n + p], y = v[k * n + q];
          v[k * n + p] = c * x - s * y;
          v[k * n + q] = s * x + c * y;
        }
      }
    }
  }
  Eigen result{{}, std::move(v)};
  for (size_t i = 0; i < n; ++i) result.values.push_back(a[i * n + i]);
  return result;
}

// Of a covariance, whose eigenvalues below 0 are rounding.
Matrix square_root(const Matrix& a, size_t n) {
  const Eigen eigen = eigen_of(a, n);
  Matrix scaled(n * n), transposed(n * n);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) {
      scaled[i * n + j] = eigen.vectors[i * n + j] * std::sqrt(std::max(eigen.values[j], 0.0));
      transposed[j * n + i] = eigen.vectors[i * n + j];
    }
  }
  return product(scaled, transposed, n);
}

void require_rows(const Tensor& rows) {
  if (rows.rank() != 2 || rows.size(0) < 2 || rows.size(1) < 1) {
    throw ShapeError(kWhere, fmt::format("got features {}; expected (N, F) of at least two samples", rows.shape().str()));
  }
}

}  // namespace

Gaussian fit_gaussian(const Tensor& rows) {
  require_rows(rows);
  const auto count = static_cast<size_t>(rows.size(0)), n = static_cast<size_t>(rows.size(1));
  const float* x = rows.data();
  Gaussian g{std::vector<double>(n, 0.0), Matrix(n * n, 0.0)};
  for (size_t i = 0; i < count; ++i) {
    for (size_t j = 0; j < n; ++j) g.mean[j] += static_cast<double>(x[i * n + j]);
  }
  for (double& m : g.mean) m /= static_cast<double>(count);
  std::vector<double> d(n);
  for (size_t i = 0; i < count; ++i) {
    for (size_t j = 0; j < n; ++j) d[j] = static_cast<double>(x[i * n + j]) - g.mean[j];
    for (size_t j = 0; j < n; ++j) {
      for (size_t k = 0; k < n; ++k) g.covariance[j * n + k] += d[j] * d[k];
    }
  }
  for (double& c : g.covariance) c /= static_cast<double>(count - 1);
  return g;
}

double frechet_distance(const Gaussian& a, const Gaussian& b) {
  const size_t n = a.mean.size();
  if (b.mean.size() != n) throw ShapeError(kWhere, fmt::format("got {} and {} features; expected as many of both", n, b.mean.size()));
  double distance = 0;
  for (size_t j = 0; j < n; ++j) {
    distance += (a.mean[j] - b.mean[j]) * (a.mean[j] - b.mean[j]) + a.covariance[j * n + j] + b.covariance[j * n + j];
  }
  const Matrix root = square_root(a.covariance, n);
  Matrix between = product(product(root, b.covariance, n), root, n);
  for (size_t i = 0; i < n; ++i) {  // symmetric but for rounding
    for (size_t j = 0; j < i; ++j) between[i * n + j] = between[j * n + i] = (between[i * n + j] + between[j * n + i]) / 2;
  }
  for (const double value : eigen_of(std::move(between), n).values) distance -= 2 * std::sqrt(std::max(value, 0.0));
  return std::max(distance, 0.0);
}

double mean_pairwise_distance(const Tensor& rows) {
  require_rows(rows);
  const int64_t count = rows.size(0), n = rows.size(1);
  const float* x = rows.data();
  double total = 0;
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t j = 0; j < i; ++j) {
      double square = 0;
      for (int64_t k = 0; k < n; ++k) {
        const double d = static_cast<double>(x[i * n + k]) - static_cast<double>(x[j * n + k]);
        square += d * d;
      }
      total += std::sqrt(square);
    }
  }
  return total / (static_cast<double>(count) * static_cast<double>(count - 1) / 2);
}

}  // namespace danlu::eval
