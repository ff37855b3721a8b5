#include "danlu/data/dataset/kfold.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "danlu/data/image/testing.h"

namespace danlu::data {
namespace {

std::vector<int64_t> labels_of(int64_t n) {
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < n; ++i) labels.push_back(i % 8 < 3 ? 1 : 0);
  return labels;
}

TEST(KFold, EverySampleIsTestedOnceAndClassesStayLevel) {
  const std::vector<int64_t> labels = labels_of(569);
  const std::vector<Fold> folds = stratified_kfold(labels, 10, 1);
  std::vector<int> tested(569);
  int64_t fewest = 569, most = 0;
  for (const Fold& fold : folds) {
    EXPECT_EQ(fold.train.size() + fold.test.size(), 569u);
    EXPECT_NEAR(static_cast<double>(fold.test.size()), 56.9, 1);
    const auto ones = std::count_if(fold.test.begin(), fold.test.end(),
                                    [&](int64_t i) { return labels[static_cast<size_t>(i)] == 1; });
    fewest = std::min<int64_t>(fewest, ones);
    most = std::max<int64_t>(most, ones);
    for (const int64_t i : fold.test) ++tested[static_cast<size_t>(i)];
    for (const int64_t i : fold.train) EXPECT_FALSE(std::binary_search(fold.test.begin(), fold.test.end(), i));
  }
  EXPECT_LE(most - fewest, 1);
  EXPECT_EQ(std::count(tested.begin(), tested.end(), 1), 569);
}

TEST(KFold, RoundsDifferAndRepeat) {
  const std::vector<int64_t> labels = labels_of(100);
  const std::vector<Fold> a = repeated_stratified_kfold(labels, 5, 2, 9),
                          b = repeated_stratified_kfold(labels, 5, 2, 9);
  ASSERT_EQ(a.size(), 10u);
  EXPECT_EQ(a[7].test, b[7].test);
  EXPECT_NE(a[0].test, a[5].test);
  EXPECT_EQ(a[0].test, stratified_kfold(labels, 5, 9)[0].test);
  EXPECT_NE(a[0].test, stratified_kfold(labels, 5, 10)[0].test);
}

TEST(KFold, CopiesStayInOneFold) {
  const std::vector<int64_t> labels = labels_of(80);
  std::vector<Hash128> hashes;
  for (uint64_t i = 0; i < 80; ++i) hashes.push_back({i / 2, 0});
  for (const Fold& fold : stratified_kfold(labels, 4, 1, hashes)) {
    for (const int64_t i : fold.test) EXPECT_TRUE(std::binary_search(fold.test.begin(), fold.test.end(), i ^ 1));
  }
}

TEST(KFold, TooFewSamples) {
  const std::vector<int64_t> labels = labels_of(4);
  EXPECT_TRUE(contains(error_of([&] { stratified_kfold(labels, 5, 1); }), "got 4 different samples for 5 folds"));
  EXPECT_TRUE(contains(error_of([&] { stratified_kfold(labels, 1, 1); }), "expected at least 2"));
}

}  // namespace
}  // namespace danlu::data
