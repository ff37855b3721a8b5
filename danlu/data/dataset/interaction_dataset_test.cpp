#include "danlu/data/dataset/interaction_dataset.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "danlu/base/error.h"

namespace danlu::data {
namespace {

using testing::ElementsAre;

std::vector<int64_t> row(const Tensor& t, int64_t n) {
  const Tensor r = t.rows(n, n + 1);
  return {r.span<int64_t>().begin(), r.span<int64_t>().end()};
}

TEST(InteractionDataset, EveryInteractionIsASample) {
  const InteractionDataset data({{.user = 4, .items = {7, 8, 9}}}, {.items = 20, .length = 2});
  ASSERT_EQ(data.size(), 3);
  Batch batch;
  data.gather(all_indexes(data), batch);
  EXPECT_THAT(row(batch.x, 0), ElementsAre(5, 8, 9));
  EXPECT_THAT(row(batch.y, 0), ElementsAre(9));
  EXPECT_THAT(row(batch.x, 1), ElementsAre(5, 8, 0));
  EXPECT_THAT(row(batch.x, 2), ElementsAre(5, 0, 0)) << "a first item has none before it";
  EXPECT_THAT(row(batch.y, 2), ElementsAre(7));
}

TEST(InteractionDataset, PiecesForetellEveryPosition) {
  const InteractionDataset data({{.user = 0, .items = {1, 2, 3, 4}}}, {.items = 20, .length = 2, .every_position = true});
  ASSERT_EQ(data.size(), 2);
  Batch batch;
  data.gather(all_indexes(data), batch);
  EXPECT_THAT(row(batch.x, 0), ElementsAre(1, 2 + 1, 3 + 1));
  EXPECT_THAT(row(batch.y, 0), ElementsAre(3, 4));
  EXPECT_THAT(row(batch.x, 1), ElementsAre(1, 1 + 1, 0));
  EXPECT_THAT(row(batch.y, 1), ElementsAre(2, -1)) << "each target once";
}

TEST(InteractionDataset, HeldOutItemsAreForetoldFromWhatCameBefore) {
  const InteractionDataset data({{.user = 0, .items = {1, 2, 3}, .first_target = 2}}, {.items = 20, .length = 4, .every_position = true});
  ASSERT_EQ(data.size(), 1);
  Batch batch;
  data.gather(all_indexes(data), batch);
  EXPECT_THAT(row(batch.x, 0), ElementsAre(1, 2, 3, 0, 0));
  EXPECT_THAT(row(batch.y, 0), ElementsAre(-1, 3, -1, -1));
  EXPECT_THAT(data.met_before(0), ElementsAre(1, 2));
}

TEST(InteractionDataset, DrawsWhatWasNotMet) {
  const InteractionDataset data({{.user = 0, .items = {0, 1, 2, 3, 4, 5}}}, {.items = 8, .negatives = 5});
  Batch first, second, other;
  data.gather(all_indexes(data), first, {Phase::train, 3, 0});
  data.gather(all_indexes(data), second, {Phase::train, 3, 0});
  data.gather(all_indexes(data), other, {Phase::train, 3, 1});
  for (int64_t n = 0; n < data.size(); ++n) {
    const std::vector<int64_t> y = row(first.y, n);
    EXPECT_TRUE(std::all_of(y.begin() + 1, y.end(), [](int64_t item) { return item == 6 || item == 7; }));
    EXPECT_EQ(y, row(second.y, n));
  }
  EXPECT_FALSE(std::equal(first.y.span<int64_t>().begin(), first.y.span<int64_t>().end(), other.y.span<int64_t>().begin())) << "others in every epoch";
  const InteractionDataset all({{.user = 0, .items = {0, 1}}}, {.items = 2, .negatives = 3});
  all.gather(all_indexes(all), other, {Phase::train, 3, 1});  // ends, though there is nothing that was not met
}

TEST(InteractionDataset, NothingToForetellIsRefused) {
  EXPECT_THROW(InteractionDataset({{.user = 0, .items = {3}}}, {.items = 8, .length = 4, .every_position = true}), DataError);
}

}  // namespace
}  // namespace danlu::data
