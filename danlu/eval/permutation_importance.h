// Permutation importance: how much worse a model does on held-out data when one input is shuffled between the samples, so that it says
// nothing any more and is otherwise as it was.
//
//   importance_i = score - mean over repeats of the score with input i shuffled      (score: the higher, the better)
//
// An input that others can stand in for seems less important than it is alone.
// Source    Breiman 2001, "Random forests"; for any model: Fisher, Rudin, Dominici 2019, arXiv:1801.01489.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace danlu::eval {

struct Importance {
  double mean = 0;
  double spread = 0;            // standard deviation of the repeats; 0 for one
  std::vector<double> repeats;  // of each
};

struct PermutationOptions {
  int64_t repeats = 5;
  uint64_t seed = 1;
};

// The score of the samples with `input` taken from the sample `order[n]` for sample n.
using ScoreShuffled = std::function<double(int64_t input, std::span<const int64_t> order)>;

// Of one input. `score` is that of the samples as they are.
Importance permutation_importance(int64_t input, int64_t samples, double score, const ScoreShuffled& shuffled, const PermutationOptions& options = {});

}  // namespace danlu::eval
