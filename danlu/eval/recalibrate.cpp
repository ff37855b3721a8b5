#include "danlu/eval/recalibrate.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::eval {
namespace {

constexpr const char* kWhere = "eval.recalibrate";
constexpr double kLeastScale = 1e-3, kLargestScale = 1e3;

void check_sizes(std::span<const int64_t> labels, std::span<const float> logits, int64_t classes) {
  if (classes >= 1 && logits.size() == labels.size() * static_cast<size_t>(classes)) return;
  throw ShapeError(kWhere, fmt::format("got {} logits for {} labels; expected {} for each", logits.size(), labels.size(), classes));
}

// ln(1 + exp(z))
double softplus(double z) { return std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))); }
double sigmoid(double z) { return 1 / (1 + std::exp(-z)); }

// -ln softmax(scale z)[label]
double softmax_loss(std::span<const float> z, int64_t label, double scale) {
  const double largest = scale * static_cast<double>(*std::max_element(z.begin(), z.end()));
  double sum = 0;
  for (const float v : z) sum += std::exp(scale * static_cast<double>(v) - largest);
  return std::log(sum) + largest - scale * static_cast<double>(z[static_cast<size_t>(label)]);
}

}  // namespace

LogitScale fit_platt(std::span<const int64_t> labels, std::span<const float> logits) {
  check_sizes(labels, logits, 1);
  const auto positives = static_cast<double>(std::count(labels.begin(), labels.end(), 1)), negatives = static_cast<double>(labels.size()) - positives;
  if (positives == 0 || negatives == 0) {
    throw DataError(kWhere, fmt::format("got {} positive and {} negative samples to calibrate on; expected some of both", positives, negatives));
  }
  // Not 1 and 0: as if one more sample of either class had been seen, so that the fit is finite where the classes can be told apart.
  const double high = (positives + 1) / (positives + 2), low = 1 / (negatives + 2);
  const auto loss = [&](const LogitScale& s) {
    double sum = 0;
    for (size_t i = 0; i < labels.size(); ++i) {
      const double z = s.scale * static_cast<double>(logits[i]) + s.offset, target = labels[i] == 1 ? high : low;
      sum += softplus(z) - target * z;
    }
    return sum;
  };
  LogitScale s;
  double best = loss(s);
  for (int step = 0; step < 100; ++step) {  // Newton's method on a convex function, with steps that are halved until they help
    double ga = 0, gb = 0, haa = 1e-12, hab = 0, hbb = 1e-12;
    for (size_t i = 0; i < labels.size(); ++i) {
      const double x = static_cast<double>(logits[i]), p = sigmoid(s.scale * x + s.offset), error = p - (labels[i] == 1 ? high : low), w = p * (1 - p);
      ga += error * x, gb += error, haa += w * x * x, hab += w * x, hbb += w;
    }
    const double determinant = haa * hbb - hab * hab;
    if (!(determinant > 0)) break;
    const double da = (hbb * ga - hab * gb) / determinant, db = (haa * gb - hab * ga) / determinant;
    double rate = 1, gain = 0;
    for (; rate > 1e-10; rate /= 2) {
      const LogitScale next{std::clamp(s.scale - rate * da, kLeastScale, kLargestScale), s.offset - rate * db};
      const double value = loss(next);
      if (value >= best) continue;
      gain = best - value;
      best = value;
      s = next;
      break;
    }
    if (gain <= 1e-12 * best) break;
  }
  return s;
}

LogitScale fit_temperature(std::span<const int64_t> labels, std::span<const float> logits, int64_t classes) {
  check_sizes(labels, logits, classes);
  if (labels.empty()) throw DataError(kWhere, "got no samples; expected some to calibrate on");
  // The loss is convex in the scale: golden sections of its logarithm.
  const double ratio = (std::sqrt(5.0) - 1) / 2;
  const auto loss = [&](double log_scale) { return scaled_log_loss(labels, logits, classes, {std::exp(log_scale), 0}); };
  double low = std::log(kLeastScale), high = std::log(kLargestScale);
  double a = high - ratio * (high - low), b = low + ratio * (high - low), fa = loss(a), fb = loss(b);
  while (high - low > 1e-6) {
    if (fa <= fb) {
      high = b, b = a, fb = fa, a = high - ratio * (high - low), fa = loss(a);
    } else {
      low = a, a = b, fa = fb, b = low + ratio * (high - low), fb = loss(b);
    }
  }
  return {std::exp((low + high) / 2), 0};
}

double scaled_log_loss(std::span<const int64_t> labels, std::span<const float> logits, int64_t classes, const LogitScale& s) {
  check_sizes(labels, logits, classes);
  double sum = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto row = logits.subspan(i * static_cast<size_t>(classes), static_cast<size_t>(classes));
    if (classes == 1) {
      const double z = s.scale * static_cast<double>(row[0]) + s.offset;
      sum += labels[i] == 1 ? softplus(-z) : softplus(z);
    } else {
      sum += softmax_loss(row, labels[i], s.scale);
    }
  }
  return sum / static_cast<double>(labels.size());
}

double cross_fitted_gain(std::span<const int64_t> labels, std::span<const float> logits, int64_t classes, int64_t folds) {
  check_sizes(labels, logits, classes);
  double gain = 0;
  for (int64_t fold = 0; fold < folds; ++fold) {
    std::vector<int64_t> fit_labels, test_labels;
    std::vector<float> fit_logits, test_logits;
    for (size_t i = 0; i < labels.size(); ++i) {
      const bool test = static_cast<int64_t>(i) % folds == fold;
      (test ? test_labels : fit_labels).push_back(labels[i]);
      const auto row = logits.subspan(i * static_cast<size_t>(classes), static_cast<size_t>(classes));
      std::vector<float>& target = test ? test_logits : fit_logits;
      target.insert(target.end(), row.begin(), row.end());
    }
    const auto positives = std::count(fit_labels.begin(), fit_labels.end(), 1);
    const bool can_fit = classes > 1 ? !fit_labels.empty() : positives > 0 && positives < static_cast<std::ptrdiff_t>(fit_labels.size());
    if (!can_fit || test_labels.empty()) return NAN;
    const LogitScale s = classes == 1 ? fit_platt(fit_labels, fit_logits) : fit_temperature(fit_labels, fit_logits, classes);
    gain += (scaled_log_loss(test_labels, test_logits, classes, {}) - scaled_log_loss(test_labels, test_logits, classes, s)) *
            static_cast<double>(test_labels.size());
  }
  return gain / static_cast<double>(labels.size());
}

}  // namespace danlu::eval
