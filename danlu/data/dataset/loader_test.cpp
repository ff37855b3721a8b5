#include "danlu/data/dataset/loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "danlu/base/error.h"
#include "danlu/data/image/testing.h"
#include "danlu/engine/tensor/allocator.h"

namespace danlu::data {
namespace {

std::vector<int64_t> first(int64_t n) {
  std::vector<int64_t> indexes(static_cast<size_t>(n));
  std::iota(indexes.begin(), indexes.end(), int64_t{0});
  return indexes;
}

// x row i is (i, i), y is i.
TensorDataset counting(int64_t n) {
  Tensor x = Tensor::empty({n, 2}), y = Tensor::empty({n}, Dtype::i64);
  for (int64_t i = 0; i < n; ++i) {
    x.mutable_data()[2 * i] = x.mutable_data()[2 * i + 1] = static_cast<float>(i);
    y.mutable_data<int64_t>()[i] = i;
  }
  return TensorDataset(x, y);
}

ImageDataset noisy_images(int64_t n) {
  LabeledImages images;
  images.pixels = Tensor::empty({n, 6, 5, 3}, Dtype::u8);
  for (int64_t i = 0; i < images.pixels.numel(); ++i)
    images.pixels.mutable_data<uint8_t>()[i] = static_cast<uint8_t>(i * 31);
  images.labels.assign(static_cast<size_t>(n), 1);
  return ImageDataset(images, ImagePreprocess(6, 5, {0.5, 0.5, 0.5}, {0.25, 0.25, 0.25}),
                      {.horizontal_flip = 0.5, .shift = 0.2, .zoom = 0.1, .noise = 0.1});
}

// Everything that the consumer sees in two epochs.
std::vector<float> two_epochs(const Dataset& dataset, int64_t n, int64_t prefetch) {
  DataLoader loader(dataset, first(n), {.batch_size = 4, .prefetch = prefetch}, 3, Phase::train);
  std::vector<float> seen;
  for (int epoch = 0; epoch < 2; ++epoch) {
    for (const Batch& batch : loader) {
      seen.insert(seen.end(), batch.x.span().begin(), batch.x.span().end());
      seen.insert(seen.end(), batch.indexes.begin(), batch.indexes.end());
    }
  }
  return seen;
}

TEST(Loader, EveryEpochSeesEverySampleInANewOrder) {
  const TensorDataset dataset = counting(23);
  DataLoader loader(dataset, first(23), {.batch_size = 5}, 1, Phase::train);
  EXPECT_EQ(loader.batches_per_epoch(), 5);
  std::vector<std::vector<int64_t>> epochs;
  for (int epoch = 0; epoch < 3; ++epoch) {
    std::vector<int64_t>& order = epochs.emplace_back();
    for (const Batch& batch : loader) {
      EXPECT_EQ(batch.x.size(0), batch.size());
      for (int64_t i = 0; i < batch.size(); ++i) {
        EXPECT_EQ(batch.x.data()[2 * i], static_cast<float>(batch.indexes[static_cast<size_t>(i)]));
        EXPECT_EQ(batch.y.data<int64_t>()[i], batch.indexes[static_cast<size_t>(i)]);
      }
      order.insert(order.end(), batch.indexes.begin(), batch.indexes.end());
    }
    EXPECT_EQ(std::set<int64_t>(order.begin(), order.end()).size(), 23u);
  }
  EXPECT_NE(epochs[0], epochs[1]);
  EXPECT_NE(epochs[1], epochs[2]);
  EXPECT_NE(epochs[0], first(23));
}

TEST(Loader, PrefetchChangesNothing) {
  const ImageDataset images = noisy_images(22);
  const std::vector<float> plain = two_epochs(images, 22, 0);
  for (const int64_t prefetch : {1, 2, 3, 50}) EXPECT_EQ(two_epochs(images, 22, prefetch), plain) << prefetch;
}

TEST(Loader, ResumesAtTheSameNextSample) {
  const ImageDataset dataset = noisy_images(22);
  for (const int64_t prefetch : {0, 2}) {
    const LoaderOptions options{.batch_size = 4, .prefetch = prefetch};
    DataLoader straight(dataset, first(22), options, 3, Phase::train);
    std::vector<Batch> batches;
    std::vector<LoaderPosition> positions{straight.position()};
    for (int epoch = 0; epoch < 2; ++epoch) {
      for (const Batch& batch : straight) {
        batches.push_back(batch);
        positions.push_back(straight.position());
      }
    }
    ASSERT_EQ(batches.size(), 12u);
    EXPECT_EQ(positions[6], (LoaderPosition{1, 0}));
    for (size_t k = 0; k < batches.size(); ++k) {
      DataLoader resumed(dataset, first(22), options, 3, Phase::train);
      resumed.seek(positions[k]);
      const auto batch = resumed.begin();
      EXPECT_EQ(batch->indexes, batches[k].indexes);
      EXPECT_EQ(batch->x.to_vector(), batches[k].x.to_vector());
      EXPECT_EQ(resumed.position(), positions[k + 1]);
    }
  }
}

TEST(Loader, LeftEarlyGoesOn) {
  const TensorDataset dataset = counting(12);
  for (const int64_t prefetch : {0, 2}) {
    DataLoader loader(dataset, first(12), {.batch_size = 4, .prefetch = prefetch}, 1, Phase::evaluate);
    for (const Batch& batch : loader) {
      EXPECT_EQ(batch.indexes.front(), 0);
      break;
    }
    std::vector<int64_t> rest;
    for (const Batch& batch : loader) rest.push_back(batch.indexes.front());
    EXPECT_EQ(rest, (std::vector<int64_t>{4, 8}));
    loader.seek({0, 2});
    EXPECT_EQ(loader.begin()->indexes.front(), 8);
    EXPECT_THROW(loader.seek({0, 4}), ConfigError);
  }
}

TEST(Loader, EvaluationKeepsTheOrderAndTheLastBatch) {
  const TensorDataset dataset = counting(10);
  DataLoader loader(dataset, {9, 1, 5, 0, 3}, {.batch_size = 2, .drop_last = true}, 1, Phase::evaluate);
  std::vector<int64_t> seen;
  for (const Batch& batch : loader) seen.insert(seen.end(), batch.indexes.begin(), batch.indexes.end());
  EXPECT_EQ(seen, (std::vector<int64_t>{9, 1, 5, 0, 3}));
  const DataLoader dropping(dataset, {9, 1, 5, 0, 3}, {.batch_size = 2, .drop_last = true}, 1, Phase::train);
  EXPECT_EQ(dropping.batches_per_epoch(), 2);
  EXPECT_TRUE(
      contains(error_of([&] { DataLoader(dataset, {1}, {.batch_size = 2, .drop_last = true}, 1, Phase::train); }),
               "got 1 samples for batches of 2 with drop_last"));
  DataLoader empty(dataset, {}, {}, 1, Phase::evaluate);
  for (const Batch& batch : empty) ADD_FAILURE() << batch.size();
}

TEST(Loader, AugmentsTrainingOnly) {
  const ImageDataset dataset = noisy_images(4);
  Batch train, evaluate, plain;
  dataset.gather(first(4), train, {Phase::train, 1, 0});
  dataset.gather(first(4), evaluate, {Phase::evaluate, 1, 0});
  dataset.gather(first(4), plain);
  EXPECT_EQ(evaluate.x.to_vector(), plain.x.to_vector());
  EXPECT_NE(train.x.to_vector(), plain.x.to_vector());
  EXPECT_FLOAT_EQ(plain.x.data()[1], (31.0f / 255 - 0.5f) / 0.25f);
}

TEST(Loader, KeptBatchesAreNotOverwritten) {
  const TensorDataset dataset = counting(8);
  for (const int64_t prefetch : {0, 2}) {
    DataLoader loader(dataset, first(8), {.batch_size = 2, .prefetch = prefetch}, 1, Phase::evaluate);
    std::vector<Tensor> kept;
    for (const Batch& batch : loader) kept.push_back(batch.x.view({4}));
    for (size_t k = 0; k < kept.size(); ++k) EXPECT_EQ(kept[k].data()[0], static_cast<float>(2 * k));
  }
}

TEST(Loader, ASteadyEpochAllocatesNothing) {
  const ImageDataset dataset = noisy_images(64);
  for (const int64_t prefetch : {0, 2}) {
    DataLoader loader(dataset, first(64), {.batch_size = 8, .prefetch = prefetch}, 1, Phase::train);
    std::set<const float*> buffers;
    for (const Batch& batch : loader) buffers.insert(batch.x.data());
    EXPECT_LE(buffers.size(), static_cast<size_t>(prefetch) + 1);
    const int64_t before = allocator_stats().system_allocations;
    for (const Batch& batch : loader) buffers.insert(batch.x.data());
    EXPECT_EQ(allocator_stats().system_allocations, before);
  }
}

// Fails at one sample.
class Failing : public TensorDataset {
 public:
  using TensorDataset::TensorDataset;

 protected:
  void fill(std::span<const int64_t> indexes, Batch& batch, const Variant& variant) const override {
    for (const int64_t i : indexes) {
      if (i == 5) throw DataError("data.test", "sample 5 is bad");
    }
    TensorDataset::fill(indexes, batch, variant);
  }
};

TEST(Loader, ErrorsOfTheThreadReachTheConsumer) {
  const Failing dataset(Tensor::zeros({8, 1}), Tensor::zeros({8}, Dtype::i64));
  for (const int64_t prefetch : {0, 1, 3}) {
    DataLoader loader(dataset, first(8), {.batch_size = 2, .prefetch = prefetch}, 1, Phase::evaluate);
    int64_t given = 0;
    EXPECT_EQ(error_of([&] {
                for ([[maybe_unused]] const Batch& batch : loader) ++given;
              }),
              "[data.test] sample 5 is bad");
    EXPECT_EQ(given, 2);
    EXPECT_EQ(loader.position(), (LoaderPosition{0, 2}));
    EXPECT_THROW(loader.begin(), DataError) << "it fails again, and does not hang";
  }
}

TEST(Loader, StopsMidEpochWhateverTheThreadIsDoing) {
  const TensorDataset dataset = counting(1000);
  for (int round = 0; round < 200; ++round) {
    DataLoader loader(dataset, first(1000), {.batch_size = 1, .prefetch = 4}, 1, Phase::train);
    int64_t left = round % 5;
    for ([[maybe_unused]] const Batch& batch : loader) {
      if (left-- == 0) break;
    }
  }
}

TEST(Dataset, Misuse) {
  const TensorDataset dataset = counting(3);
  Batch batch;
  const std::vector<int64_t> outside{3};
  EXPECT_TRUE(contains(error_of([&] { dataset.gather(outside, batch); }), "got sample 3; expected 0 to 2"));
  EXPECT_TRUE(contains(error_of([] {
                         TensorDataset(Tensor::zeros({2, 1}), Tensor::zeros({3}));
                       }),
                       "expected the same first axis"));
  EXPECT_THROW(TensorDataset(Tensor::zeros({2}, Dtype::i64), Tensor::zeros({2})), DtypeError);
}

}  // namespace
}  // namespace danlu::data
