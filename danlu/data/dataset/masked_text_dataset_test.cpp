#include "danlu/data/dataset/masked_text_dataset.h"

#include <gmock/gmock.h>

#include <cmath>
#include <numeric>

#include "danlu/base/error.h"

namespace danlu::data {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr int64_t kMask = 9, kVocabulary = 1000;

std::vector<int64_t> values(const Tensor& t) { return {t.span<int64_t>().begin(), t.span<int64_t>().end()}; }

std::vector<int64_t> long_text() {
  std::vector<int64_t> text;
  for (int64_t i = 0; i < 20000; ++i) text.push_back(10 + i % 900);
  return text;
}

Batch gathered(const MaskedTextDataset& dataset, const std::vector<int64_t>& indexes, const Variant& variant = {}) {
  Batch batch;
  dataset.gather(indexes, batch, variant);
  return batch;
}

TEST(MaskedTextDataset, AsksForSoManyAndHidesMostOfThem) {
  const std::vector<int64_t> text = long_text();
  const MaskedTextDataset dataset({text}, {0.15, kMask, kVocabulary});
  const Batch batch = gathered(dataset, {0}, {Phase::train, 1, 0});
  const std::vector<int64_t> x = values(batch.x), y = values(batch.y);
  int64_t asked = 0, hidden = 0, replaced = 0, kept = 0;
  for (size_t t = 0; t < text.size(); ++t) {
    if (y[t] < 0) {
      ASSERT_EQ(x[t], text[t]) << "what is not asked for is shown";
      continue;
    }
    ASSERT_EQ(y[t], text[t]);
    ++asked;
    ++(x[t] == kMask ? hidden : x[t] == text[t] ? kept : replaced);
    ASSERT_GE(x[t], 1);
    ASSERT_LT(x[t], kVocabulary);
  }
  const auto part = [](int64_t count, int64_t of) { return static_cast<double>(count) / static_cast<double>(of); };
  EXPECT_NEAR(part(asked, 20000), 0.15, 0.01);
  EXPECT_NEAR(part(hidden, asked), 0.8, 0.03);
  EXPECT_NEAR(part(replaced, asked), 0.1, 0.03);
  EXPECT_NEAR(part(kept, asked), 0.1, 0.03);
}

TEST(MaskedTextDataset, AllPlacesOfShortTextsAreAskedForAlike) {
  constexpr int64_t kTexts = 20000, kLength = 5;
  const MaskedTextDataset dataset(std::vector<std::vector<int64_t>>(kTexts, {11, 12, 13, 14, 15}), {0.15, kMask, kVocabulary});
  std::vector<int64_t> all(kTexts);
  std::iota(all.begin(), all.end(), 0);
  const Batch batch = gathered(dataset, all, {Phase::train, 1, 0});
  std::vector<int64_t> asked(kLength);
  for (int64_t i = 0; i < batch.y.numel(); ++i) asked[static_cast<size_t>(i % kLength)] += batch.y.data<int64_t>()[i] >= 0;
  const double expected = 0.15 + std::pow(0.85, kLength) / kLength;  // or none was drawn, and then one of them
  for (const int64_t count : asked) EXPECT_NEAR(static_cast<double>(count) / kTexts, expected, 0.012);
}

TEST(MaskedTextDataset, TrainingAsksAnewInEveryEpochAndEvaluationDoesNot) {
  const MaskedTextDataset dataset({long_text()}, {0.15, kMask, kVocabulary});
  const auto asked = [&](const Variant& variant) { return values(gathered(dataset, {0}, variant).y); };
  EXPECT_EQ(asked({Phase::train, 1, 3}), asked({Phase::train, 1, 3})) << "the same for a resumed training";
  EXPECT_NE(asked({Phase::train, 1, 3}), asked({Phase::train, 1, 4}));
  EXPECT_NE(asked({Phase::train, 1, 3}), asked({Phase::train, 2, 3}));
  EXPECT_EQ(asked({Phase::evaluate, 1, 3}), asked({Phase::evaluate, 2, 4}));
  const Batch evaluated = gathered(dataset, {0});
  for (int64_t i = 0; i < evaluated.y.numel(); ++i) {
    if (evaluated.y.data<int64_t>()[i] < 0) continue;
    ASSERT_EQ(evaluated.x.data<int64_t>()[i], kMask) << "what is measured is hidden";
  }
}

TEST(MaskedTextDataset, EveryTextIsAskedForOneTokenIfItHasAny) {
  const MaskedTextDataset dataset({{5, 6}, {}, {7}}, {0.01, kMask, kVocabulary});
  for (int64_t epoch = 0; epoch < 20; ++epoch) {
    const Batch batch = gathered(dataset, {2, 1, 0}, {Phase::train, 1, epoch});
    EXPECT_EQ(batch.x.shape(), (Shape{3, 2}));
    const std::vector<int64_t> y = values(batch.y);
    EXPECT_EQ(y[0], 7);
    EXPECT_THAT(std::vector<int64_t>(y.begin() + 1, y.begin() + 4), Each(-1)) << "padding, and a text of nothing";
    EXPECT_TRUE(y[4] == 5 || y[5] == 6);
    EXPECT_EQ(values(batch.x)[1], 0);
  }
}

TEST(MaskedTextDataset, RefusesWhatCannotBe) {
  const auto made = [](std::vector<std::vector<int64_t>> texts, const Masking& masking) { return [=] { MaskedTextDataset(texts, masking); }; };
  EXPECT_THAT(made({{1}}, {0, kMask, kVocabulary}), ThrowsMessage<ConfigError>(HasSubstr("got 0; expected more than 0 and at most 1")));
  EXPECT_THAT(made({{1}}, {0.1, 0, kVocabulary}), ThrowsMessage<ConfigError>(HasSubstr("mask: got the token 0; expected one of 1 to 999")));
  EXPECT_THAT(made({{1}, {2, 1000}}, {0.1, kMask, kVocabulary}), ThrowsMessage<DataError>(HasSubstr("text 1: got the token 1000; expected 1 to 999")));
}

}  // namespace
}  // namespace danlu::data
