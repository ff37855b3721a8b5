#include "danlu/eval/threshold.h"

#include <cmath>
#include <limits>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::eval {

Threshold choose_threshold(const RankedScores& scores, const std::function<double(const Decisions&)>& goal) {
  const int64_t all_positives = scores.positives(), all_negatives = scores.negatives();
  Threshold best{0, -std::numeric_limits<double>::infinity()};
  bool first = true;
  const auto consider = [&](double threshold, int64_t positives, int64_t negatives) {
    const double value = goal({positives, negatives, all_negatives - negatives, all_positives - positives});
    if (value > best.value) best = {threshold, value};
  };
  scores.each_threshold([&](double threshold, int64_t positives, int64_t negatives) {
    if (first) consider(std::nextafter(threshold, std::numeric_limits<double>::infinity()), 0, 0);
    first = false;
    consider(threshold, positives, negatives);
  });
  if (first) throw DataError("eval.threshold", "got no samples; expected validation data to choose a threshold on");
  return best;
}

Threshold best_f_beta(const RankedScores& scores, double beta) {
  if (!(beta >= 0)) throw ConfigError("eval.threshold", fmt::format("got beta {}; expected a number >= 0", beta));
  const double b2 = beta * beta;
  return choose_threshold(scores, [b2](const Decisions& d) {
    const double hits = (1 + b2) * static_cast<double>(d.true_positives);
    const double all = hits + b2 * static_cast<double>(d.false_negatives) + static_cast<double>(d.false_positives);
    return all == 0 ? 0.0 : hits / all;
  });
}

Threshold least_cost(const RankedScores& scores, const CostMatrix& costs) {
  const auto cost = [&](const Decisions& d) {
    return costs.true_positive * static_cast<double>(d.true_positives) +
           costs.false_positive * static_cast<double>(d.false_positives) +
           costs.true_negative * static_cast<double>(d.true_negatives) +
           costs.false_negative * static_cast<double>(d.false_negatives);
  };
  Threshold best = choose_threshold(scores, [&](const Decisions& d) { return -cost(d); });
  best.value = -best.value / static_cast<double>(scores.positives() + scores.negatives());
  return best;
}

Threshold best_youden(const RankedScores& scores) {
  if (scores.positives() == 0 || scores.negatives() == 0) {
    throw DataError("eval.threshold", fmt::format("got {} positive and {} negative samples; expected some of both",
                                                  scores.positives(), scores.negatives()));
  }
  // In whole numbers up to the division, so that equal thresholds are equal. No overflow: RankedScores has < 2^32
  // samples.
  const int64_t pairs = scores.positives() * scores.negatives();
  return choose_threshold(scores, [&](const Decisions& d) {
    const int64_t gain = d.true_positives * scores.negatives() - d.false_positives * scores.positives();
    return static_cast<double>(gain) / static_cast<double>(pairs);
  });
}

}  // namespace danlu::eval
