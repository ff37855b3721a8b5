#include "danlu/eval/choice_model.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::eval {
namespace {

constexpr const char* kWhere = "eval.choice_model";

// The solution of a symmetric positive definite system, by Cholesky's factors. `a` is n x n and is overwritten.
std::vector<double> solve(std::vector<double> a, std::vector<double> b) {
  const size_t n = b.size();
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      double sum = a[i * n + j];
      for (size_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = i == j ? std::sqrt(sum) : sum / a[j * n + j];
    }
  }
  for (size_t i = 0; i < n; ++i) {
    for (size_t k = 0; k < i; ++k) b[i] -= a[i * n + k] * b[k];
    b[i] /= a[i * n + i];
  }
  for (size_t i = n; i-- > 0;) {
    for (size_t k = i + 1; k < n; ++k) b[i] -= a[k * n + i] * b[k];
    b[i] /= a[i * n + i];
  }
  return b;
}

// What the weights cost, and, if asked, how that changes.
double cost(std::span<const Choice> choices, const std::vector<double>& weights, double ridge, std::vector<double>* gradient = nullptr, std::vector<double>* hessian = nullptr) {
  const size_t n = weights.size();
  double total = 0;
  if (gradient != nullptr) {
    gradient->assign(n, 0);
    hessian->assign(n * n, 0);
  }
  for (size_t i = 0; i < n; ++i) {
    total += ridge / 2 * weights[i] * weights[i];
    if (gradient == nullptr) continue;
    (*gradient)[i] = ridge * weights[i];
    (*hessian)[i * n + i] = ridge;
  }
  std::vector<double> mean(n);
  for (const Choice& choice : choices) {
    const std::vector<double> p = choice_probabilities(choice.features, weights);
    total -= std::log(std::max(p[static_cast<size_t>(choice.right)], 1e-300));
    if (gradient == nullptr) continue;
    std::fill(mean.begin(), mean.end(), 0);
    for (size_t a = 0; a < p.size(); ++a) {
      const float* x = choice.features.data() + a * n;
      for (size_t i = 0; i < n; ++i) {
        mean[i] += p[a] * x[i];
        for (size_t j = 0; j <= i; ++j) (*hessian)[i * n + j] += p[a] * x[i] * x[j];
      }
    }
    const float* right = choice.features.data() + static_cast<size_t>(choice.right) * n;
    for (size_t i = 0; i < n; ++i) {
      (*gradient)[i] += mean[i] - right[i];
      for (size_t j = 0; j <= i; ++j) (*hessian)[i * n + j] -= mean[i] * mean[j];
    }
  }
  return total;
}

}  // namespace

std::vector<double> choice_probabilities(std::span<const float> features, std::span<const double> weights) {
  std::vector<double> p(features.size() / weights.size());
  for (size_t a = 0; a < p.size(); ++a) {
    for (size_t i = 0; i < weights.size(); ++i) p[a] += weights[i] * features[a * weights.size() + i];
  }
  const double most = p.empty() ? 0 : *std::max_element(p.begin(), p.end());
  double sum = 0;
  for (double& x : p) sum += x = std::exp(x - most);
  for (double& x : p) x /= sum;
  return p;
}

std::vector<double> fit_choice_model(std::span<const Choice> choices, int64_t features, double ridge) {
  if (choices.empty()) throw DataError(kWhere, "got no choice to learn from; expected at least one");
  const auto n = static_cast<size_t>(features);
  for (const Choice& choice : choices) {
    const size_t alternatives = n == 0 ? 0 : choice.features.size() / n;
    if (n == 0 || alternatives * n != choice.features.size() || choice.right < 0 || choice.right >= static_cast<int64_t>(alternatives)) {
      throw ShapeError(kWhere, fmt::format("got {} numbers and the right alternative {}; expected {} numbers for each alternative", choice.features.size(), choice.right, n));
    }
  }
  // Newton's steps, halved until they pay. The cost is convex and, by the ridge, has one lowest point.
  constexpr int kMostSteps = 100;
  std::vector<double> weights(n, 0), gradient, hessian;
  for (int step = 0; step < kMostSteps; ++step) {
    const double now = cost(choices, weights, ridge, &gradient, &hessian);
    const std::vector<double> direction = solve(hessian, gradient);
    double gain = 0;
    for (size_t i = 0; i < n; ++i) gain += gradient[i] * direction[i];
    if (!(gain >= 1e-12 * (1 + now))) break;  // found, or numbers so large that there is no direction
    std::vector<double> next(n);
    double length = 1, then = now;
    do {
      for (size_t i = 0; i < n; ++i) next[i] = weights[i] - length * direction[i];
      then = cost(choices, next, ridge);
      length /= 2;
    } while (!(then <= now) && length > 1e-10);
    if (!(then < now)) break;
    weights = next;
  }
  return weights;
}

}  // namespace danlu::eval
