#include "danlu/data/dataset/groups.h"

#include <map>
#include <unordered_map>
#include <utility>

namespace danlu::data {

int64_t Stratum::size() const {
  int64_t size = 0;
  for (const Group& group : groups) size += static_cast<int64_t>(group.size());
  return size;
}

std::vector<Stratum> make_strata(std::span<const int64_t> indexes, std::span<const int64_t> labels,
                                 std::span<const Hash128> hashes) {
  std::vector<Group> groups;
  std::unordered_map<Hash128, size_t> group_of;
  for (const int64_t i : indexes) {
    size_t group = groups.size();
    if (!hashes.empty()) group = group_of.emplace(hashes[static_cast<size_t>(i)], group).first->second;
    if (group == groups.size()) groups.emplace_back();
    groups[group].push_back(i);
  }
  std::map<int64_t, Stratum> strata;
  for (Group& group : groups) {
    const int64_t label = labels.empty() ? 0 : labels[static_cast<size_t>(group.front())];
    Stratum& stratum = strata[label];
    stratum.label = label;
    stratum.groups.push_back(std::move(group));
  }
  std::vector<Stratum> result;
  result.reserve(strata.size());
  for (auto& [label, stratum] : strata) result.push_back(std::move(stratum));
  return result;
}

void shuffle_groups(std::vector<Group>& groups, Rng& rng) {
  for (size_t i = groups.size(); i > 1; --i) {
    std::swap(groups[i - 1], groups[static_cast<size_t>(rng.below(static_cast<int64_t>(i)))]);
  }
}

}  // namespace danlu::data
