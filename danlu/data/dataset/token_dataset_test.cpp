#include "danlu/data/dataset/token_dataset.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "danlu/data/dataset/loader.h"
#include "danlu/data/image/testing.h"

namespace danlu::data {
namespace {

using Ids = std::vector<int64_t>;

Ids values(const Tensor& tensor) { return {tensor.span<int64_t>().begin(), tensor.span<int64_t>().end()}; }

// 0, 1, 2, ...
TokenShards counting(int64_t n) {
  std::vector<TokenId> ids(static_cast<size_t>(n));
  std::iota(ids.begin(), ids.end(), 0);
  return TokenShards(std::move(ids), {.vocab_size = n});
}

Batch sample(const TokenDataset& dataset, int64_t index, const Variant& variant = {}) {
  Batch batch;
  dataset.gather(std::vector{index}, batch, variant);
  return batch;
}

TEST(TokenDataset, LabelsAreTheNextTokens) {
  const TokenDataset dataset(counting(11), {.context = 4});
  ASSERT_EQ(dataset.size(), 3);
  Batch batch;
  dataset.gather(all_indexes(dataset), batch);
  EXPECT_EQ(batch.x.shape(), (Shape{3, 4}));
  EXPECT_EQ(values(batch.x), (Ids{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10}));
  EXPECT_EQ(values(batch.y), (Ids{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -1, -1}));
  EXPECT_EQ(values(batch.first), Ids(12, 0));
}

TEST(TokenDataset, EveryTokenIsATargetOnceInEvaluation) {
  for (const int64_t n : {2, 3, 8, 9, 10, 11, 12, 13, 40}) {
    for (const int64_t stride : {1, 3, 7, 8}) {
      const TokenDataset dataset(counting(n), {.context = 8, .stride = stride});
      std::multiset<int64_t> targets;
      for (int64_t i = 0; i < dataset.size(); ++i) {
        for (const int64_t y : values(sample(dataset, i).y)) {
          if (y >= 0) targets.insert(y);
        }
      }
      std::multiset<int64_t> expected;
      for (int64_t i = 1; i < n; ++i) expected.insert(i);
      EXPECT_EQ(targets, expected) << n << " tokens, stride " << stride;
    }
  }
}

TEST(TokenDataset, EosAloneEndsADocumentAndBeginsTheNext) {
  // 9 is eos: documents 1 2 3, 4, and 5 6.
  const TokenShards tokens({9, 1, 2, 3, 9, 4, 9, 5, 6}, {.vocab_size = 10, .eos = 9});
  const Batch batch = sample(TokenDataset(tokens, {.context = 8}), 0);
  EXPECT_EQ(values(batch.x), (Ids{9, 1, 2, 3, 9, 4, 9, 5}));
  EXPECT_EQ(values(batch.y), (Ids{1, 2, 3, 9, 4, 9, 5, 6}));
  EXPECT_EQ(values(batch.first), (Ids{0, 0, 0, 0, 4, 4, 6, 6}));
}

TEST(TokenDataset, NothingPredictsTheBosOfAnotherDocument) {
  // 8 is bos, 9 is eos. The second window begins within the second document.
  const TokenShards tokens({8, 1, 2, 9, 8, 3, 4, 9, 8, 5, 9}, {.vocab_size = 10, .bos = 8, .eos = 9});
  const TokenDataset dataset(tokens, {.context = 6});
  const Batch a = sample(dataset, 0), b = sample(dataset, 1);
  EXPECT_EQ(values(a.x), (Ids{8, 1, 2, 9, 8, 3}));
  EXPECT_EQ(values(a.y), (Ids{1, 2, 9, -1, 3, 4}));
  EXPECT_EQ(values(a.first), (Ids{0, 0, 0, 0, 4, 4}));
  EXPECT_EQ(values(b.x), (Ids{4, 9, 8, 5, 9, 9}));
  EXPECT_EQ(values(b.y), (Ids{9, -1, 5, 9, -1, -1}));
  EXPECT_EQ(values(b.first), (Ids{0, 0, 2, 2, 2, 2}));

  const Batch plain = sample(TokenDataset(tokens, {.context = 6, .isolate_documents = false}), 0);
  EXPECT_EQ(values(plain.y), (Ids{1, 2, 9, 8, 3, 4}));
  EXPECT_FALSE(plain.first.defined());
}

TEST(TokenDataset, TrainingSeesEveryCut) {
  const TokenDataset dataset(counting(100), {.context = 8});
  std::set<int64_t> begins;
  for (int64_t epoch = 0; epoch < 60; ++epoch) {
    for (int64_t i = 0; i < dataset.size(); ++i) {
      const Variant variant{Phase::train, 5, epoch};
      const Batch batch = sample(dataset, i, variant);
      const int64_t begin = batch.x.data<int64_t>()[0];
      begins.insert(begin);
      EXPECT_TRUE(begin <= 91) << begin;
      EXPECT_TRUE(begin >= std::min<int64_t>(i * 8, 91) && begin < i * 8 + 8) << i << " begins at " << begin;
      EXPECT_EQ(batch.y.data<int64_t>()[7], begin + 8);
      EXPECT_EQ(values(sample(dataset, i, variant).x), values(batch.x));
    }
  }
  EXPECT_EQ(begins.size(), 92u);
  const TokenDataset fixed(counting(100), {.context = 8, .random_offset = false});
  EXPECT_EQ(sample(fixed, 3, {Phase::train, 5, 1}).x.data<int64_t>()[0], 24);
}

TEST(TokenDataset, BatchesAreWrittenInPlaceUnlessKept) {
  const TokenDataset dataset(counting(50), {.context = 8});
  Batch batch;
  dataset.gather(std::vector<int64_t>{0, 1}, batch);
  const int64_t* x = batch.x.data<int64_t>();
  dataset.gather(std::vector<int64_t>{2, 3}, batch);
  EXPECT_EQ(batch.x.data<int64_t>(), x);
  const Tensor kept = batch.first;
  dataset.gather(std::vector<int64_t>{4, 5}, batch);
  EXPECT_NE(batch.first.data<int64_t>(), kept.data<int64_t>());
  TensorDataset(Tensor::zeros({2, 3}), Tensor::zeros({2, 1})).gather(std::vector<int64_t>{0}, batch);
  EXPECT_FALSE(batch.first.defined());
}

TEST(TokenDataset, AResumedLoaderGivesTheSameWindows) {
  const TokenDataset dataset(counting(1000), {.context = 16});
  const auto run = [&](int64_t from_batch, int64_t prefetch) {
    DataLoader loader(dataset, all_indexes(dataset), {.batch_size = 4, .prefetch = prefetch}, 11, Phase::train);
    loader.seek({2, from_batch});
    Ids seen;
    for (const Batch& batch : loader) {
      const Ids x = values(batch.x);
      seen.insert(seen.end(), x.begin(), x.end());
    }
    return seen;
  };
  const Ids whole = run(0, 0), resumed = run(7, 2);
  EXPECT_EQ(resumed, Ids(whole.begin() + 7 * 4 * 16, whole.end()));
}

TEST(TokenDataset, RefusesWhatCannotBeTrainedOn) {
  EXPECT_TRUE(contains(error_of([] { TokenDataset(counting(1), {}); }), "got 1 tokens; expected at least 2"));
  EXPECT_TRUE(contains(error_of([] { TokenDataset(counting(9), {.context = 4, .stride = 5}); }),
                       "got context 4 and stride 5"));
  EXPECT_TRUE(contains(error_of([] { TokenDataset(counting(9), {.context = 0}); }), "got context 0"));
}

}  // namespace
}  // namespace danlu::data
