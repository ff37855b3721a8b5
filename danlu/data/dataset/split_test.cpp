#include "danlu/data/dataset/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "danlu/base/rng.h"
#include "danlu/data/image/testing.h"

namespace danlu::data {
namespace {

int64_t count_label(const std::vector<int64_t>& part, const std::vector<int64_t>& labels, int64_t label) {
  return std::count_if(part.begin(), part.end(), [&](int64_t i) { return labels[static_cast<size_t>(i)] == label; });
}

std::vector<int64_t> all_of(const Split& split) {
  std::vector<int64_t> all = split.train;
  all.insert(all.end(), split.validation.begin(), split.validation.end());
  all.insert(all.end(), split.test.begin(), split.test.end());
  std::sort(all.begin(), all.end());
  return all;
}

// 900 of class 0, 90 of class 1, 10 of class 2.
std::vector<int64_t> uneven_labels() {
  std::vector<int64_t> labels(1000);
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = i % 100 == 7 ? 2 : i % 11 == 3 ? 1 : 0;
  return labels;
}

std::vector<Hash128> hashes_of(const std::vector<int64_t>& contents) {
  std::vector<Hash128> hashes;
  for (const int64_t content : contents) hashes.push_back(hash_bytes(&content, sizeof content));
  return hashes;
}

TEST(Split, StratifiedKeepsTheShareOfEveryClass) {
  const std::vector<int64_t> labels = uneven_labels();
  const Split s = split({.size = 1000, .labels = labels}, {.validation = 0.1, .test = 0.2});
  EXPECT_EQ(s.test.size(), 200u);
  EXPECT_EQ(s.validation.size(), 100u);
  for (int64_t label = 0; label < 3; ++label) {
    const double total = static_cast<double>(std::count(labels.begin(), labels.end(), label));
    EXPECT_NEAR(static_cast<double>(count_label(s.test, labels, label)), 0.2 * total, 1) << label;
    EXPECT_NEAR(static_cast<double>(count_label(s.validation, labels, label)), 0.1 * total, 1) << label;
  }
  const std::vector<int64_t> all = all_of(s);
  EXPECT_EQ(std::set<int64_t>(all.begin(), all.end()).size(), 1000u);
}

TEST(Split, DependsOnTheSeedAlone) {
  const std::vector<int64_t> labels = uneven_labels();
  const SplitInput input{.size = 1000, .labels = labels};
  EXPECT_EQ(split(input, {.seed = 5}).test, split(input, {.seed = 5}).test);
  EXPECT_NE(split(input, {.seed = 5}).test, split(input, {.seed = 6}).test);
}

TEST(Split, EqualContentIsNeverDivided) {
  Rng rng(1);
  std::vector<int64_t> contents, labels;
  for (int i = 0; i < 600; ++i) {
    contents.push_back(rng.below(150));
    labels.push_back(contents.back() % 3);
  }
  const std::vector<Hash128> hashes = hashes_of(contents);
  for (const char* method : {"stratified", "random", "ordered"}) {
    const Split s = split({.size = 600, .labels = labels, .hashes = hashes}, {.method = method});
    EXPECT_TRUE(check_leaks(hashes, s).empty()) << method;
    EXPECT_EQ(all_of(s).size(), 600u);
    EXPECT_NEAR(static_cast<double>(s.test.size()), 120, 12) << method;
  }
  // And the check is able to fail: without the hashes, copies do fall apart.
  const Split careless = split({.size = 600, .labels = labels}, {});
  const LeakReport report = check_leaks(hashes, careless, 3);
  EXPECT_GT(report.train_test, 0);
  ASSERT_EQ(report.examples.size(), 3u);
  for (const Leak& leak : report.examples) {
    EXPECT_EQ(hashes[static_cast<size_t>(leak.index_a)], hashes[static_cast<size_t>(leak.index_b)]);
  }
}

TEST(Split, OrderedTestsOnTheLast) {
  const Split s = split({.size = 10}, {.method = "ordered", .validation = 0.2, .test = 0.3});
  EXPECT_EQ(s.train, (std::vector<int64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(s.validation, (std::vector<int64_t>{5, 6}));
  EXPECT_EQ(s.test, (std::vector<int64_t>{7, 8, 9}));
}

TEST(Split, GivenTestSetIsKeptAndOverlapDropped) {
  std::vector<int64_t> contents(100);
  std::vector<Part> given(100, Part::train);
  for (size_t i = 0; i < 100; ++i) {
    contents[i] = static_cast<int64_t>(i);
    if (i >= 80) given[i] = Part::test;
  }
  contents[3] = contents[90];  // a training sample that the test set holds too
  const std::vector<Hash128> hashes = hashes_of(contents);
  const SplitInput input{.size = 100, .hashes = hashes, .given = given};
  const Split dropped = split(input, {.validation = 0.25});
  EXPECT_EQ(dropped.test.size(), 20u);
  EXPECT_EQ(dropped.test.front(), 80);
  EXPECT_EQ(dropped.validation.size(), 20u);  // a quarter of the 79 that are left
  EXPECT_EQ(dropped.train.size(), 59u);
  EXPECT_TRUE(check_leaks(hashes, dropped).empty());
  const Split kept = split(input, {.validation = 0, .on_overlap = "keep"});
  EXPECT_EQ(kept.train.size(), 80u);
  const LeakReport leaks = check_leaks(hashes, kept);
  EXPECT_EQ(leaks.train_test, 1);
  EXPECT_EQ(leaks.examples.at(0).index_a, 3);
  EXPECT_EQ(leaks.to_json().at("examples").at(0).at("test"), 90);
}

TEST(Split, RefusesEmptyParts) {
  EXPECT_TRUE(contains(error_of([] { split({.size = 3}, {.validation = 0.1, .test = 0.4}); }),
                       "got validation: 0.1 of 3 samples, which is none"));
  EXPECT_TRUE(
      contains(error_of([] { split({.size = 10}, {.validation = 0.5, .test = 0.5}); }), "leaves none to train on"));
  const std::vector<int64_t> labels(4);
  EXPECT_TRUE(contains(error_of([&] { split({.size = 10, .labels = labels}, {}); }), "got 4 labels for 10 samples"));
}

}  // namespace
}  // namespace danlu::data
