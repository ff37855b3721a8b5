#include "danlu/data/dataset/pair_dataset.h"

#include <gmock/gmock.h>

#include "danlu/base/error.h"

namespace danlu::data {
namespace {

using testing::ElementsAre;

std::vector<int64_t> values(const Tensor& t) { return {t.span<int64_t>().begin(), t.span<int64_t>().end()}; }

TEST(PairDataset, BothTextsOfAPairAsLongAsTheLongest) {
  const PairDataset pairs({{1, 2}, {3}, {4, 5, 6}, {}}, {{0, 2, 7}, {1, 3, 8}});
  Batch batch;
  pairs.gather(std::vector<int64_t>{1, 0}, batch);
  EXPECT_EQ(batch.x.shape(), (Shape{2, 2, 3}));
  EXPECT_THAT(values(batch.x), ElementsAre(3, 0, 0, 0, 0, 0, 1, 2, 0, 4, 5, 6));
  EXPECT_THAT(values(batch.y), ElementsAre(8, 7));
  EXPECT_THROW(PairDataset({{1}}, {{0, 1, 0}}), ShapeError);
}

TEST(PairDataset, TrainingLeavesOutTokensAnotherChoiceInEveryEpoch) {
  const std::vector<int64_t> text(200, 9), one{5};
  const PairDataset pairs({text, one}, {{0, 1, 0}}, 0.3);
  const auto kept = [&](const Variant& variant) {
    Batch batch;
    pairs.gather(std::vector<int64_t>{0}, batch, variant);
    EXPECT_EQ(values(batch.x)[static_cast<size_t>(batch.x.size(2))], 5) << "the last token stays";
    return batch.x.size(2);
  };
  EXPECT_EQ(kept({Phase::evaluate, 1, 0}), 200);
  const int64_t first = kept({Phase::train, 1, 0});
  EXPECT_NEAR(static_cast<double>(first), 140, 30);
  EXPECT_EQ(kept({Phase::train, 1, 0}), first);
  EXPECT_NE(kept({Phase::train, 1, 1}), first);
}

}  // namespace
}  // namespace danlu::data
