// Cross-validation: every sample is tested exactly once a round, by a model that has not seen it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "danlu/base/hash.h"

namespace danlu::data {

// Ascending indexes; together they are all samples.
struct Fold {
  std::vector<int64_t> train, test;
};

// k folds in which the classes have nearly the shares that they have in all samples: the counts of a class differ by at
// most one between folds, and so do the sizes of the folds (groups of equal content, if hashes are given, stay whole
// and may add to that). The result depends on the arguments alone. Throws ConfigError if k < 2 or there are fewer than
// k samples (or groups).
std::vector<Fold> stratified_kfold(std::span<const int64_t> labels, int64_t k, uint64_t seed,
                                   std::span<const Hash128> hashes = {});

// `repeats` rounds of k folds, each drawn anew: repeats * k folds, round by round.
std::vector<Fold> repeated_stratified_kfold(std::span<const int64_t> labels, int64_t k, int64_t repeats, uint64_t seed,
                                            std::span<const Hash128> hashes = {});

}  // namespace danlu::data
