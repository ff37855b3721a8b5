#include "danlu/data/dataset/kfold.h"

#include <algorithm>
#include <numeric>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/dataset/epoch_rng.h"
#include "danlu/data/dataset/groups.h"

namespace danlu::data {
namespace {

// The fold of each sample. A group goes where its class is rarest so far, and among those where fewest samples are, so
// that both the classes and the sizes stay level.
std::vector<int64_t> assign_folds(std::span<const int64_t> labels, int64_t k, Rng rng,
                                  std::span<const Hash128> hashes) {
  std::vector<int64_t> all(labels.size());
  std::iota(all.begin(), all.end(), int64_t{0});
  std::vector<Stratum> strata = make_strata(all, labels, hashes);
  std::vector<int64_t> fold_of(labels.size());
  std::vector<int64_t> fold_size(static_cast<size_t>(k));
  int64_t num_groups = 0;
  for (Stratum& stratum : strata) {
    shuffle_groups(stratum.groups, rng);
    num_groups += static_cast<int64_t>(stratum.groups.size());
    std::vector<int64_t> class_size(static_cast<size_t>(k));
    for (const Group& group : stratum.groups) {
      size_t fold = 0;
      for (size_t f = 1; f < fold_size.size(); ++f) {
        if (std::pair(class_size[f], fold_size[f]) < std::pair(class_size[fold], fold_size[fold])) fold = f;
      }
      class_size[fold] += static_cast<int64_t>(group.size());
      fold_size[fold] += static_cast<int64_t>(group.size());
      for (const int64_t i : group) fold_of[static_cast<size_t>(i)] = static_cast<int64_t>(fold);
    }
  }
  if (num_groups < k) {
    throw ConfigError("data.kfold",
                      fmt::format("got {} different samples for {} folds; expected at least one each", num_groups, k));
  }
  return fold_of;
}

std::vector<Fold> one_round(std::span<const int64_t> labels, int64_t k, uint64_t seed, int64_t round,
                            std::span<const Hash128> hashes) {
  if (k < 2) throw ConfigError("data.kfold", fmt::format("got {} folds; expected at least 2", k));
  if (!hashes.empty() && hashes.size() != labels.size()) {
    throw ShapeError("data.kfold",
                     fmt::format("got {} hashes for {} labels; expected one each", hashes.size(), labels.size()));
  }
  const std::vector<int64_t> fold_of = assign_folds(labels, k, epoch_rng(seed, round, RngPurpose::folds), hashes);
  std::vector<Fold> folds(static_cast<size_t>(k));
  for (size_t i = 0; i < fold_of.size(); ++i) {
    for (size_t f = 0; f < folds.size(); ++f) {
      (fold_of[i] == static_cast<int64_t>(f) ? folds[f].test : folds[f].train).push_back(static_cast<int64_t>(i));
    }
  }
  return folds;
}

}  // namespace

std::vector<Fold> stratified_kfold(std::span<const int64_t> labels, int64_t k, uint64_t seed,
                                   std::span<const Hash128> hashes) {
  return one_round(labels, k, seed, 0, hashes);
}

std::vector<Fold> repeated_stratified_kfold(std::span<const int64_t> labels, int64_t k, int64_t repeats, uint64_t seed,
                                            std::span<const Hash128> hashes) {
  std::vector<Fold> folds;
  for (int64_t round = 0; round < repeats; ++round) {
    for (Fold& fold : one_round(labels, k, seed, round, hashes)) folds.push_back(std::move(fold));
  }
  return folds;
}

}  // namespace danlu::data
