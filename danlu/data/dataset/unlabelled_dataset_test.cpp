#include "danlu/data/dataset/unlabelled_dataset.h"

#include <gtest/gtest.h>

#include <set>

#include "danlu/base/error.h"

namespace danlu::data {
namespace {

// Samples 0 to 2 have the labels 0, 1, 0; those from 3 to 9 have none. A sample's one feature is its number.
UnlabelledDataset dataset(int64_t partners) {
  Tensor x = Tensor::empty({10, 1}), y = Tensor::empty({10}, Dtype::i64);
  for (int64_t i = 0; i < 10; ++i) {
    x.mutable_data()[i] = static_cast<float>(i);
    y.mutable_data<int64_t>()[i] = i < 3 ? i % 2 : kUnlabelled;
  }
  return {std::make_unique<TensorDataset>(x, y), 3, partners};
}

std::vector<float> gathered(const UnlabelledDataset& samples, int64_t epoch, Batch& batch) {
  const std::vector<int64_t> indexes = {2, 0};
  samples.gather(indexes, batch, {Phase::train, 5, epoch});
  return {batch.x.span().begin(), batch.x.span().end()};
}

TEST(UnlabelledDataset, LabelledSamplesBringOthersAlong) {
  const UnlabelledDataset samples = dataset(3);
  EXPECT_EQ(samples.size(), 3);
  std::set<float> seen;
  Batch batch;
  for (int64_t epoch = 0; epoch < 20; ++epoch) {
    const std::vector<float> x = gathered(samples, epoch, batch);
    ASSERT_EQ(x.size(), 2u + 2 * 3);
    EXPECT_EQ(batch.epoch, epoch);
    EXPECT_EQ(batch.size(), 8);
    EXPECT_EQ(x[0], 2);
    EXPECT_EQ(x[1], 0);
    for (size_t i = 0; i < x.size(); ++i) {
      EXPECT_EQ(batch.y.data<int64_t>()[i] == kUnlabelled, i >= 2);
      EXPECT_EQ(batch.indexes[i], static_cast<int64_t>(x[i]));
      if (i >= 2) seen.insert(x[i]);
    }
  }
  EXPECT_EQ(seen, (std::set<float>{3, 4, 5, 6, 7, 8, 9})) << "all of them, in the end";
}

TEST(UnlabelledDataset, TheSameInAnEpochAndOthersInTheNext) {
  const UnlabelledDataset samples = dataset(4);
  Batch batch;
  EXPECT_EQ(gathered(samples, 1, batch), gathered(samples, 1, batch));
  EXPECT_NE(gathered(samples, 1, batch), gathered(samples, 2, batch));
}

TEST(UnlabelledDataset, EvaluationSeesLabelledSamplesAlone) {
  Batch batch;
  dataset(3).gather(std::vector<int64_t>{1, 2}, batch);
  EXPECT_EQ(batch.size(), 2);
  EXPECT_EQ(batch.x.data()[0], 1);
  EXPECT_THROW(dataset(3).gather(std::vector<int64_t>{3}, batch), ShapeError);
}

TEST(UnlabelledDataset, WantsSomeWithoutALabel) {
  const auto three = [] { return std::make_unique<TensorDataset>(Tensor::zeros({3, 1}), Tensor::zeros({3}, Dtype::i64)); };
  EXPECT_THROW(UnlabelledDataset(three(), 3, 1), DataError);
  EXPECT_THROW(UnlabelledDataset(three(), 2, 0), DataError);
}

}  // namespace
}  // namespace danlu::data
