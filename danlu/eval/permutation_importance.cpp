#include "danlu/eval/permutation_importance.h"

#include <cmath>
#include <numeric>

#include "danlu/base/rng.h"

namespace danlu::eval {

Importance permutation_importance(int64_t input, int64_t samples, double score, const ScoreShuffled& shuffled, const PermutationOptions& options) {
  Importance result;
  Rng rng(options.seed, static_cast<uint64_t>(input));  // so that an input's orders do not depend on which others are looked at
  std::vector<int64_t> order(static_cast<size_t>(samples));
  for (int64_t repeat = 0; repeat < options.repeats; ++repeat) {
    std::iota(order.begin(), order.end(), int64_t{0});
    rng.shuffle(order);
    result.repeats.push_back(score - shuffled(input, order));
  }
  const auto n = static_cast<double>(result.repeats.size());
  for (const double drop : result.repeats) result.mean += drop / n;
  if (n < 2) return result;
  double squares = 0;
  for (const double drop : result.repeats) squares += (drop - result.mean) * (drop - result.mean);
  result.spread = std::sqrt(squares / (n - 1));
  return result;
}

}  // namespace danlu::eval
