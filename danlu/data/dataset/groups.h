// Samples gathered for dividing: into groups that stay together, and strata that are divided alike.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "danlu/base/hash.h"
#include "danlu/base/rng.h"

namespace danlu::data {

using Group = std::vector<int64_t>;  // indexes of samples of equal content

struct Stratum {
  int64_t label = 0;
  std::vector<Group> groups;  // in order of their first samples
  int64_t size() const;       // samples
};

// Strata in ascending order of label. Without hashes every sample is a group of its own; without labels there is one
// stratum. Labels and hashes are looked up by the values of `indexes`.
std::vector<Stratum> make_strata(std::span<const int64_t> indexes, std::span<const int64_t> labels,
                                 std::span<const Hash128> hashes);

void shuffle_groups(std::vector<Group>& groups, Rng& rng);

}  // namespace danlu::data
