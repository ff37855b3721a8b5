#include "danlu/eval/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::eval {
namespace {

void check(std::span<const int64_t> labels, std::span<const double> probabilities, int64_t classes) {
  if (classes < 2 || probabilities.size() != labels.size() * static_cast<size_t>(classes)) {
    throw ShapeError("eval.calibration",
                     fmt::format("got {} probabilities for {} labels of {} classes; expected one for "
                                 "each label and class, and two classes or more",
                                 probabilities.size(), labels.size(), classes));
  }
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] >= classes) {
      throw DataError("eval.calibration",
                      fmt::format("got label {} at sample {}; expected 0 to {}", labels[i], i, classes - 1));
    }
  }
}

}  // namespace

std::vector<double> log_losses(std::span<const int64_t> labels, std::span<const double> probabilities,
                               int64_t classes) {
  check(labels, probabilities, classes);
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  std::vector<double> losses(labels.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    const double p = probabilities[i * static_cast<size_t>(classes) + static_cast<size_t>(labels[i])];
    losses[i] = -std::log(std::clamp(p, kEpsilon, 1 - kEpsilon));
  }
  return losses;
}

double log_loss(std::span<const int64_t> labels, std::span<const double> probabilities, int64_t classes) {
  return mean(log_losses(labels, probabilities, classes));
}

std::vector<double> brier_scores(std::span<const int64_t> labels, std::span<const double> probabilities,
                                 int64_t classes) {
  check(labels, probabilities, classes);
  const auto stride = static_cast<size_t>(classes);
  std::vector<double> scores(labels.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    for (size_t k = classes == 2 ? 1 : 0; k < stride; ++k) {
      const double error = probabilities[i * stride + k] - (static_cast<size_t>(labels[i]) == k ? 1.0 : 0.0);
      scores[i] += error * error;
    }
  }
  return scores;
}

double brier_score(std::span<const int64_t> labels, std::span<const double> probabilities, int64_t classes) {
  return mean(brier_scores(labels, probabilities, classes));
}

Forecasts forecasts(std::span<const int64_t> labels, std::span<const double> probabilities, int64_t classes) {
  check(labels, probabilities, classes);
  const auto stride = static_cast<size_t>(classes);
  Forecasts result;
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto row = probabilities.subspan(i * stride, stride);
    const size_t k = classes == 2 ? 1 : static_cast<size_t>(std::max_element(row.begin(), row.end()) - row.begin());
    result.confidence.push_back(row[k]);
    result.happened.push_back(static_cast<size_t>(labels[i]) == k ? 1 : 0);
  }
  return result;
}

std::vector<ReliabilityBin> reliability_curve(const Forecasts& forecasts, int64_t bins, Counts counts) {
  if (bins < 1) throw ConfigError("eval.calibration", fmt::format("got {} bins; expected at least 1", bins));
  std::vector<ReliabilityBin> curve(static_cast<size_t>(bins));
  std::vector<double> edges;  // between the bins
  const double width = 1.0 / static_cast<double>(bins);
  for (int64_t b = 0; b < bins; ++b) {
    curve[static_cast<size_t>(b)].low = static_cast<double>(b) * width;
    curve[static_cast<size_t>(b)].high = b + 1 == bins ? 1.0 : static_cast<double>(b + 1) * width;
    if (b + 1 < bins) edges.push_back(curve[static_cast<size_t>(b)].high);
  }
  for (size_t i = 0; i < forecasts.confidence.size(); ++i) {
    const double confidence = forecasts.confidence[i];
    ReliabilityBin& bin =
        curve[static_cast<size_t>(std::lower_bound(edges.begin(), edges.end(), confidence) - edges.begin())];
    const int64_t count = count_of(counts, i);
    bin.count += count;
    bin.confidence += static_cast<double>(count) * confidence;
    bin.frequency += static_cast<double>(count * forecasts.happened[i]);
  }
  for (ReliabilityBin& bin : curve) {
    if (bin.count == 0) continue;
    bin.confidence /= static_cast<double>(bin.count);
    bin.frequency /= static_cast<double>(bin.count);
  }
  return curve;
}

double expected_calibration_error(std::span<const ReliabilityBin> curve) {
  double sum = 0;
  int64_t total = 0;
  for (const ReliabilityBin& bin : curve) {
    sum += static_cast<double>(bin.count) * std::abs(bin.frequency - bin.confidence);
    total += bin.count;
  }
  return sum / static_cast<double>(total);
}

}  // namespace danlu::eval
