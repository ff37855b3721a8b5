// Training that is interrupted and goes on comes to the same weights as training that is not, to the bit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "danlu/base/error.h"
#include "danlu/base/rng.h"
#include "danlu/base/temporary_directory.h"
#include "danlu/base/timer.h"
#include "danlu/engine/kernels/matmul_precision.h"
#include "danlu/engine/ops/random.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/train/checkpoint.h"
#include "danlu/learn/train/checkpoint_store.h"
#include "danlu/learn/train/trainer.h"

namespace danlu::train {
namespace {

// Two noisy classes.
struct Problem {
  Tensor x = Tensor::empty({200, 6}), y = Tensor::empty({200}, Dtype::i64);
  std::unique_ptr<data::TensorDataset> dataset;
  std::vector<int64_t> train, validation;

  Problem() {
    Rng rng(11);
    for (int64_t i = 0; i < 200; ++i) {
      float sum = 0;
      for (int64_t j = 0; j < 6; ++j) sum += x.mutable_data()[i * 6 + j] = rng.normal();
      y.mutable_data<int64_t>()[i] = (sum > 0) != (rng.uniform() < 0.2);
      (i < 150 ? train : validation).push_back(i);
    }
    dataset = std::make_unique<data::TensorDataset>(x, y);
  }
};

struct Outcome {
  Result result;
  std::string hash;
  std::vector<int64_t> validated;  // the steps
};

class Resume : public testing::Test {
 protected:
  // Up to `stop_after` updates of this session.
  Outcome train(const TrainOptions& options, const Session& session, int64_t stop_after = INT64_MAX) {
    manual_seed(2);
    const Json config = {{"type", "mlp"}, {"hidden", hidden_}, {"dropout", 0.3}, {"batch_norm", true}};
    const auto model = models::parse_model(config).make({6}, 1);
    data::DataLoader training(*problem_.dataset, problem_.train, {.batch_size = options.batch_size}, 1, data::Phase::train);
    data::DataLoader validation(*problem_.dataset, problem_.validation, {.batch_size = 64}, 1, data::Phase::evaluate);
    std::atomic<bool> stop{false};
    int64_t updates = 0;
    Outcome outcome;
    Callbacks callbacks;
    callbacks.on_step = [&](const StepReport&) { stop = ++updates >= stop_after; };
    callbacks.on_epoch = [&](const EpochReport& report) { outcome.validated.push_back(report.progress.step); };
    callbacks.stop_requested = &stop;
    outcome.result = Trainer(*model, objective_, options).fit(training, &validation, session, callbacks);
    outcome.hash = weights_hash(*model);
    return outcome;
  }

  // Interrupted after every number of updates: the end is the same.
  void expect_same_end(const TrainOptions& options) {
    const Outcome straight = train(options, {.checkpoints = fresh("straight")});
    ASSERT_GT(straight.result.steps, 3);
    for (int64_t stop = 1; stop < straight.result.steps; ++stop) {
      SCOPED_TRACE(stop);
      const fs::path directory = fresh("resumed");
      const Outcome first = train(options, {.checkpoints = directory}, stop);
      if (first.result.steps == straight.result.steps) continue;  // those after `stop` were skipped, which tells nobody
      ASSERT_EQ(first.result.stopped_by, "request");
      ASSERT_GE(first.result.steps, stop);
      const Outcome second = train(options, {.checkpoints = directory, .start = Start::resume});
      EXPECT_EQ(second.result.resumed_step, first.result.steps);
      EXPECT_EQ(second.hash, straight.hash);
      EXPECT_EQ(second.result.steps, straight.result.steps);
      EXPECT_EQ(second.result.best_step, straight.result.best_step);
      EXPECT_EQ(second.result.best_value, straight.result.best_value);
      EXPECT_EQ(second.result.stopped_by, straight.result.stopped_by);
      EXPECT_EQ(second.result.terms, straight.result.terms);
      std::vector<int64_t> validated = first.validated;
      validated.insert(validated.end(), second.validated.begin(), second.validated.end());
      EXPECT_EQ(validated, straight.validated);
    }
  }

  fs::path fresh(const std::string& name) const {
    fs::remove_all(directory_ / name);
    return directory_ / name;
  }

  TemporaryDirectory directory_;
  Problem problem_;
  std::vector<int64_t> hidden_ = {16};
  const PredictionObjective objective_{data::TaskKind::binary};
};

TrainOptions options_of(const Json& json) {
  TrainOptions options;
  Json all = {{"epochs", 3}, {"batch_size", 32}, {"optimizer", {{"type", "adamw"}, {"lr", 0.01}}}};
  all.update(json);
  read_options(all, options);
  return options;
}

TEST_F(Resume, ByEpochs) { expect_same_end(options_of({{"schedule", {{"type", "cosine"}, {"warmup", 3}}}})); }
TEST_F(Resume, BySteps) { expect_same_end(options_of({{"epochs", nullptr}, {"steps", 13}, {"validate_every", 4}})); }
TEST_F(Resume, MediumPrecision) {
  if (!kernels::medium_precision_runs()) GTEST_SKIP() << "no format of half precision runs";
  hidden_ = {32, 32};
  const TrainOptions options = options_of({{"matmul_precision", "medium"}});
  EXPECT_NE(train(options, {}).hash, train(options_of({{"matmul_precision", "highest"}}), {}).hash);  // it rounds
  expect_same_end(options);
}
TEST_F(Resume, Accumulated) { expect_same_end(options_of({{"accumulate", 2}, {"batch_size", 16}})); }
TEST_F(Resume, EarlyStopAndPlateau) {
  expect_same_end(options_of({{"epochs", 40}, {"early_stop", 3}, {"schedule", {{"type", "plateau"}, {"patience", 1}}},
                              {"optimizer", {{"type", "sgd"}, {"lr", 0.5}, {"momentum", 0.9}}}}));
}
TEST_F(Resume, Rollback) { expect_same_end(options_of({{"on_nan", "rollback"}})); }
TEST_F(Resume, RollbackOfSpikes) {
  expect_same_end(options_of({{"on_spike", "rollback"}, {"spike_threshold", 1}, {"epochs", 12}, {"optimizer", {{"type", "adamw"}, {"lr", 0.1}}}}));
}
TEST_F(Resume, BestByAccuracy) { expect_same_end(options_of({{"monitor", "accuracy"}, {"l1", 1e-4}, {"clip_norm", 0.5}})); }

TEST_F(Resume, AFinishedTrainingStaysFinished) {
  const TrainOptions options = options_of(Json::object());
  const fs::path directory = fresh("finished");
  const Outcome straight = train(options, {.checkpoints = directory});
  const Outcome again = train(options, {.checkpoints = directory, .start = Start::resume});
  EXPECT_EQ(again.hash, straight.hash);
  EXPECT_EQ(again.result.steps, straight.result.steps);
  EXPECT_TRUE(again.validated.empty());
}

TEST_F(Resume, StatesAreSavedBetweenValidations) {
  const fs::path directory = fresh("save_every");
  TrainOptions options = options_of({{"save_every", 3}});
  train(options, {.checkpoints = directory}, 4);
  const CheckpointStore store(directory);
  ASSERT_TRUE(fs::exists(store.previous()));
  // What a kill -9 after the third update would have left.
  fs::rename(store.previous(), store.last());
  EXPECT_EQ(train(options, {.checkpoints = directory, .start = Start::resume}).hash, train(options, {.checkpoints = fresh("straight")}).hash);
}

// Wherever a newest state is damaged, it is noticed, and the one before it leads to the same end.
TEST_F(Resume, ADamagedStateIsNoticed) {
  const TrainOptions options = options_of({{"save_every", 2}});
  const std::string straight = train(options, {.checkpoints = fresh("straight")}).hash;
  const fs::path directory = fresh("damaged"), kept = fresh("kept");
  train(options, {.checkpoints = directory}, 9);
  fs::copy(directory, kept);
  const std::string whole = read_file(CheckpointStore(kept).last());
  const size_t range = whole.size() / 24 + 1;
  for (size_t begin = 0; begin < whole.size(); begin += range) {
    SCOPED_TRACE(begin);
    fs::remove_all(directory);
    fs::copy(kept, directory);
    std::string damaged = whole;
    for (size_t i = begin; i < std::min(begin + range, whole.size()); ++i) damaged[i] = static_cast<char>(~damaged[i]);
    write_file_atomic(CheckpointStore(directory).last(), damaged);
    const Outcome resumed = train(options, {.checkpoints = directory, .start = Start::resume});
    EXPECT_EQ(resumed.result.resumed_step, 8);
    EXPECT_EQ(resumed.hash, straight);
  }
}

TEST_F(Resume, ASingleFlippedBitIsNoticed) {
  const TrainOptions options = options_of({{"save_every", 2}});
  const fs::path directory = fresh("bit");
  train(options, {.checkpoints = directory}, 9);
  const std::string whole = read_file(CheckpointStore(directory).last());
  Rng rng(3);
  for (int round = 0; round < 40; ++round) {
    std::string damaged = whole;
    const auto at = static_cast<size_t>(rng.below(static_cast<int64_t>(whole.size())));
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << rng.below(8)));
    write_file_atomic(CheckpointStore(directory).last(), damaged);
    const fs::path copy = fresh("bit_copy");
    fs::copy(directory, copy);
    EXPECT_EQ(train(options, {.checkpoints = copy, .start = Start::resume}, 1).result.resumed_step, 8) << at;
  }
}

TEST_F(Resume, NothingToGoOnFromIsSaid) {
  const TrainOptions options = options_of(Json::object());
  try {
    train(options, {.checkpoints = fresh("none"), .start = Start::resume});
    FAIL() << "expected a DataError";
  } catch (const DataError& error) {
    EXPECT_THAT(error.message(), testing::HasSubstr("no saved state to go on from; train afresh"));
  }
  const fs::path directory = fresh("all_damaged");
  train(options, {.checkpoints = directory}, 9);
  for (const fs::path& path : {CheckpointStore(directory).last(), CheckpointStore(directory).previous()}) write_file_atomic(path, "damaged");
  try {
    train(options, {.checkpoints = directory, .start = Start::resume});
    FAIL() << "expected a DataError";
  } catch (const DataError& error) {
    EXPECT_THAT(error.message(), testing::AllOf(testing::HasSubstr("is whole: "), testing::HasSubstr("last.safetensors"),
                                                testing::HasSubstr("previous.safetensors"), testing::HasSubstr("train afresh")));
  }
}

TEST_F(Resume, ADeadlineIsKeptWithTheScheduleAtItsEnd) {
  TrainOptions options = options_of({{"epochs", 1e6}, {"schedule", {{"type", "linear"}, {"end", 0}}}});
  const Timer timer;
  const Outcome outcome = train(options, {.deadline = 0.5});
  EXPECT_NEAR(timer.seconds(), 0.5, 0.1);
  EXPECT_EQ(outcome.result.stopped_by, "deadline");
  EXPECT_LT(outcome.result.history.back().lr, 0.01 * 0.05);
}

}  // namespace
}  // namespace danlu::train
