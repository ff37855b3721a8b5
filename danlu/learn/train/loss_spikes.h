// Notices an update whose loss stands far above those before it: bad samples, or a training that is about to run away.
//
// The logarithm of the loss is compared with its running mean, in standard deviations from that mean, so that a loss of 2 +- 0.1 and one of
// 1e-4 within a factor of 3 are judged alike. Losses of 0 and below are never spikes. A level that stays is no spike any more after
// kAccepted updates.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "danlu/base/json.h"

namespace danlu::train {

class LossSpikes {
 public:
  explicit LossSpikes(double threshold) : threshold_(threshold) {}

  // Whether the next loss is one; if not it becomes part of what is usual.
  bool is_spike(double loss) {
    if (loss <= 0) return false;
    const double level = std::log(loss);
    const double most = threshold_ * std::sqrt(std::max(variance_, kLeastDeviation * kLeastDeviation));
    const bool is_high = seen_ >= kWarmup && level - mean_ > most;
    if (is_high && ++in_a_row_ <= kAccepted) return true;
    in_a_row_ = 0;
    if (is_high) {
      mean_ = level;
      return false;
    }
    const double first = 1.0 / static_cast<double>(++seen_), share = std::max(first, kShare);
    // Limited, so that an absurd loss among the first ones does not make others usual.
    const double change = seen_ == 1 ? level : std::clamp(level - mean_, -most, most);
    mean_ += std::max(first, kMeanShare) * change;
    if (seen_ > 1) variance_ += share * (change * change - variance_);
    return false;
  }
  // What was usual, as a loss.
  double usual() const { return std::exp(mean_); }

  Json to_json() const { return {{"mean", mean_}, {"variance", variance_}, {"seen", seen_}, {"in_a_row", in_a_row_}}; }
  void restore(const Json& json) {
    mean_ = json.at("mean").get<double>();
    variance_ = json.at("variance").get<double>();
    seen_ = json.at("seen").get<int64_t>();
    in_a_row_ = json.at("in_a_row").get<int64_t>();
  }

 private:
  static constexpr int64_t kWarmup = 30, kAccepted = 20;
  static constexpr double kMeanShare = 0.1;        // of the newest loss: short, so that a loss that falls is followed
  static constexpr double kShare = 0.02;           // of its distance from the mean: a memory of about 50 updates
  static constexpr double kLeastDeviation = 0.01;  // a loss that hardly varies may still vary a little

  double threshold_;
  double mean_ = 0, variance_ = 0;
  int64_t seen_ = 0, in_a_row_ = 0;
};

}  // namespace danlu::train
