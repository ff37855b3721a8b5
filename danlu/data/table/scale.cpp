#include "danlu/data/table/scale.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/table/statistics.h"

namespace danlu::data {
namespace {

constexpr size_t kKnots = 1001;  // 0.1 % steps

double signed_log(double x) { return std::copysign(std::log1p(std::abs(x)), x); }
double signed_exp(double y) { return std::copysign(std::expm1(std::abs(y)), y); }

// The place of x among ascending knots, 0 to 1. Where several knots are equal, the middle of them.
double place_among(std::span<const double> knots, double x) {
  const auto low = std::lower_bound(knots.begin(), knots.end(), x);
  const auto high = std::upper_bound(low, knots.end(), x);
  const double steps = static_cast<double>(knots.size() - 1);
  if (low != high)
    return (static_cast<double>(low - knots.begin()) + static_cast<double>(high - knots.begin() - 1)) / 2 / steps;
  if (low == knots.begin()) return 0;
  if (low == knots.end()) return 1;
  return (static_cast<double>(low - knots.begin() - 1) + (x - low[-1]) / (low[0] - low[-1])) / steps;
}

}  // namespace

const std::vector<std::string>& scale_methods() {
  static const std::vector<std::string> methods = {"standard", "minmax", "log", "quantile", "none"};
  return methods;
}

Scaler Scaler::fit(std::span<const double> training, const std::string& method) {
  Scaler scaler;
  scaler.method_ = method;
  const std::vector<double> sorted = sorted_present(training);
  if (sorted.empty() || method == "none") return scaler;
  if (method == "quantile") {
    for (size_t i = 0; i < kKnots; ++i) {
      scaler.knots_.push_back(quantile_of(sorted, static_cast<double>(i) / static_cast<double>(kKnots - 1)));
    }
    return scaler;
  }
  if (method == "minmax") {
    scaler.shift_ = sorted.front();
    scaler.scale_ = sorted.back() - sorted.front();
  } else {
    std::vector<double> values = sorted;
    if (method == "log") std::transform(values.begin(), values.end(), values.begin(), signed_log);
    const Moments moments = moments_of(values);
    scaler.shift_ = moments.mean;
    scaler.scale_ = moments.deviation;
  }
  if (!std::isfinite(scaler.shift_) || !std::isfinite(scaler.scale_)) {
    throw DataError("data.scale",
                    fmt::format("got values up to {}, whose moments overflow; expected smaller ones; use scale: log",
                                std::max(std::abs(sorted.front()), std::abs(sorted.back()))));
  }
  if (scaler.scale_ == 0) scaler.scale_ = 1;
  return scaler;
}

double Scaler::apply(double x) const {
  if (method_ == "none") return x;
  if (!knots_.empty()) return place_among(knots_, x);
  return ((method_ == "log" ? signed_log(x) : x) - shift_) / scale_;
}

double Scaler::inverse(double y) const {
  if (method_ == "none") return y;
  if (!knots_.empty()) return quantile_of(knots_, std::clamp(y, 0.0, 1.0));
  const double x = y * scale_ + shift_;
  return method_ == "log" ? signed_exp(x) : x;
}

Json Scaler::to_json() const {
  if (method_ == "none") return {{"method", method_}};
  if (method_ == "quantile") return {{"method", method_}, {"knots", knots_}};
  return {{"method", method_}, {"shift", shift_}, {"scale", scale_}};
}

Scaler Scaler::from_json(const SavedState& state) {
  Scaler scaler;
  scaler.method_ = state.word("method", scale_methods());
  if (scaler.method_ == "quantile") {
    scaler.knots_ = state.numbers("knots");
    if (scaler.knots_.size() == 1 || !std::is_sorted(scaler.knots_.begin(), scaler.knots_.end())) {
      state.fail("knots", "ascending numbers");
    }
  } else if (scaler.method_ != "none") {
    scaler.shift_ = state.number("shift");
    scaler.scale_ = state.number("scale");
    if (scaler.scale_ <= 0) state.fail("scale", "a number above 0");
  }
  return scaler;
}

}  // namespace danlu::data
