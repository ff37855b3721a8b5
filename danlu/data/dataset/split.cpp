#include "danlu/data/dataset/split.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/dataset/epoch_rng.h"
#include "danlu/data/dataset/groups.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.split";

void check_spans(const SplitInput& input) {
  const auto check = [&](const char* name, size_t length) {
    if (length != 0 && length != static_cast<size_t>(input.size)) {
      throw ShapeError(kWhere, fmt::format("got {} {} for {} samples; expected one each", length, name, input.size));
    }
  };
  check("labels", input.labels.size());
  check("hashes", input.hashes.size());
  check("given parts", input.given.size());
}

// A part to be drawn from the samples that are free.
struct Draw {
  std::vector<int64_t>* indexes;
  double fraction;
  const char* name;
};

// How many of each stratum go to a part: the floor of the exact share, and one more for those with the largest
// remainders, so that the total is the rounded share of all.
std::vector<int64_t> quotas(const std::vector<int64_t>& stratum_sizes, double fraction) {
  const int64_t total = std::accumulate(stratum_sizes.begin(), stratum_sizes.end(), int64_t{0});
  std::vector<int64_t> quota;
  std::vector<std::pair<double, size_t>> remainders;
  int64_t left = std::llround(fraction * static_cast<double>(total));
  for (size_t s = 0; s < stratum_sizes.size(); ++s) {
    const double exact = fraction * static_cast<double>(stratum_sizes[s]);
    quota.push_back(static_cast<int64_t>(exact));
    left -= quota.back();
    remainders.emplace_back(static_cast<double>(quota.back()) - exact, s);  // the largest remainder sorts first
  }
  std::sort(remainders.begin(), remainders.end());
  for (size_t i = 0; i < remainders.size() && left > 0; ++i, --left) ++quota[remainders[i].second];
  return quota;
}

// Deals whole groups: each to the first draw with room for it, else to train.
void deal(const std::vector<Stratum>& strata, const std::vector<Draw>& draws, std::vector<int64_t>& train) {
  std::vector<int64_t> sizes;
  sizes.reserve(strata.size());
  for (const Stratum& stratum : strata) sizes.push_back(stratum.size());
  std::vector<std::vector<int64_t>> room;
  room.reserve(draws.size());
  for (const Draw& draw : draws) room.push_back(quotas(sizes, draw.fraction));
  for (size_t s = 0; s < strata.size(); ++s) {
    for (const Group& group : strata[s].groups) {
      const auto count = static_cast<int64_t>(group.size());
      std::vector<int64_t>* target = &train;
      for (size_t d = 0; d < draws.size() && target == &train; ++d) {
        if (room[d][s] >= count) room[d][s] -= count, target = draws[d].indexes;
      }
      target->insert(target->end(), group.begin(), group.end());
    }
  }
}

// Removes from `from` what has the content of a sample of `kept`.
void drop_overlap(std::vector<int64_t>& from, const std::vector<int64_t>& kept, std::span<const Hash128> hashes) {
  std::unordered_map<Hash128, bool> seen;
  for (const int64_t i : kept) seen.emplace(hashes[static_cast<size_t>(i)], true);
  std::erase_if(from, [&](int64_t i) { return seen.contains(hashes[static_cast<size_t>(i)]); });
}

}  // namespace

const char* part_name(Part part) {
  constexpr std::array kNames{"any", "train", "validation", "test"};
  return kNames[static_cast<size_t>(part)];
}

void SplitOptions::describe(OptionVisitor& v) {
  v.choice("method", method, {"stratified", "random", "ordered"},
           "how samples are divided; ordered: the last ones test");
  v.field("validation", validation, {0, 1}, "fraction used to choose when to stop and what to keep");
  v.field("test", test, {0, 1}, "fraction that is read once, at the end");
  v.field("seed", seed, {0, 9e15}, "another seed draws another split");
  v.choice("on_overlap", on_overlap, {"drop", "keep"},
           "training samples whose content is also in the test set that came with the data");
  v.field("column", column, "of a table: its values, train, validation or test, say which part a row belongs to; it is no feature");
}

const std::vector<int64_t>& Split::part(Part part) const {
  return part == Part::train ? train : part == Part::validation ? validation : test;
}

Split split(const SplitInput& input, const SplitOptions& options) {
  check_spans(input);
  Split result;
  std::vector<int64_t> free;
  for (int64_t i = 0; i < input.size; ++i) {
    const Part part = input.given.empty() ? Part::any : input.given[static_cast<size_t>(i)];
    (part == Part::test ? result.test : part == Part::validation ? result.validation : free).push_back(i);
  }
  if (!input.hashes.empty() && options.on_overlap == "drop") {
    drop_overlap(free, result.test, input.hashes);
    drop_overlap(free, result.validation, input.hashes);
    drop_overlap(result.validation, result.test, input.hashes);
  }

  std::vector<Draw> draws;
  if (result.test.empty() && options.test > 0) draws.push_back({&result.test, options.test, "test"});
  if (result.validation.empty() && options.validation > 0) {
    draws.push_back({&result.validation, options.validation, "validation"});
  }
  const bool stratified = options.method == "stratified";
  std::vector<Stratum> strata = make_strata(free, stratified ? input.labels : std::span<const int64_t>(), input.hashes);
  if (options.method == "ordered") {
    for (Stratum& stratum : strata) std::reverse(stratum.groups.begin(), stratum.groups.end());
  } else {
    Rng rng = epoch_rng(static_cast<uint64_t>(options.seed), 0, RngPurpose::split);
    for (Stratum& stratum : strata) shuffle_groups(stratum.groups, rng);
  }
  deal(strata, draws, result.train);

  if (result.train.empty()) {
    throw ConfigError(kWhere,
                      fmt::format("got {} samples with test: {} and validation: {}, which leaves none to train on; "
                                  "expected smaller fractions or more data",
                                  input.size, options.test, options.validation));
  }
  for (const Draw& draw : draws) {
    if (draw.indexes->empty()) {
      throw ConfigError(
          kWhere, fmt::format("got {0}: {1} of {2} samples, which is none; expected a larger fraction, more data, "
                              "or {0}: 0",
                              draw.name, draw.fraction, free.size()));
    }
  }
  for (auto* part : {&result.train, &result.validation, &result.test}) std::sort(part->begin(), part->end());
  return result;
}

Json LeakReport::to_json() const {
  Json list = Json::array();
  for (const Leak& leak : examples) {
    list.push_back({{part_name(leak.a), leak.index_a}, {part_name(leak.b), leak.index_b}});
  }
  return {{"train_validation", train_validation},
          {"train_test", train_test},
          {"validation_test", validation_test},
          {"examples", std::move(list)}};
}

LeakReport check_leaks(std::span<const Hash128> hashes, const Split& split, int64_t max_examples) {
  LeakReport report;
  const auto count = [&](Part a, Part b) {
    std::unordered_map<Hash128, int64_t> seen;
    for (const int64_t i : split.part(b)) seen.emplace(hashes[static_cast<size_t>(i)], i);
    int64_t leaks = 0;
    for (const int64_t i : split.part(a)) {
      const auto found = seen.find(hashes[static_cast<size_t>(i)]);
      if (found == seen.end()) continue;
      ++leaks;
      if (static_cast<int64_t>(report.examples.size()) < max_examples)
        report.examples.push_back({a, b, i, found->second});
    }
    return leaks;
  };
  report.train_test = count(Part::train, Part::test);
  report.validation_test = count(Part::validation, Part::test);
  report.train_validation = count(Part::train, Part::validation);
  return report;
}

}  // namespace danlu::data
