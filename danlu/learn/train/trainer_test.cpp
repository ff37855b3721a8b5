#include "danlu/learn/train/trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/log.h"
#include "danlu/base/rng.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/engine/ops/random.h"
#include "danlu/formats/safetensors.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/nn/layers.h"
#include "danlu/learn/train/checkpoint.h"
#include "danlu/learn/train/loss_spikes.h"
#include "danlu/learn/train/lr_range.h"

namespace danlu::train {
namespace {

// Two classes, apart by the sign of the sum of the features, with some labels flipped.
struct Problem {
  Tensor x = Tensor::empty({600, 6}), y = Tensor::empty({600}, Dtype::i64);
  std::unique_ptr<data::TensorDataset> dataset;
  std::vector<int64_t> train, validation;

  explicit Problem(double noise = 0.1) {
    Rng rng(11);
    for (int64_t i = 0; i < 600; ++i) {
      float sum = 0;
      for (int64_t j = 0; j < 6; ++j) sum += x.mutable_data()[i * 6 + j] = rng.normal();
      const bool flip = rng.uniform() < noise;
      y.mutable_data<int64_t>()[i] = (sum > 0) != flip;
      (i < 450 ? train : validation).push_back(i);
    }
    dataset = std::make_unique<data::TensorDataset>(x, y);
  }
  data::DataLoader training(int64_t batch = 32) { return {*dataset, train, {.batch_size = batch}, 1, data::Phase::train}; }
  data::DataLoader validating() { return {*dataset, validation, {.batch_size = 64}, 1, data::Phase::evaluate}; }
};

std::unique_ptr<nn::Module> mlp() {
  manual_seed(2);
  return models::parse_model(Json{{"type", "mlp"}, {"hidden", {16}}}).make({6}, 1);
}

fs::path fresh_directory(const std::string& name) {
  const fs::path path = fs::temp_directory_path() / ("danlu_trainer_test_" + name);
  fs::remove_all(path);
  return path;
}

const PredictionObjective kBinary(data::TaskKind::binary);

TEST(Trainer, LearnsAndKeepsBestAndLast) {
  Problem problem;
  auto model = mlp();
  const fs::path directory = fresh_directory("best");
  TrainOptions options;
  options.epochs = 15;
  options.optimizer = Json{{"type", "adam"}, {"lr", 0.01}};
  auto training = problem.training(), validation = problem.validating();
  const Result result = Trainer(*model, kBinary, options).fit(training, &validation, {.checkpoints = directory});
  EXPECT_EQ(result.stopped_by, "epochs");
  EXPECT_EQ(result.steps, 15 * 15);
  ASSERT_EQ(result.history.size(), 15u);
  EXPECT_GT(*result.history.back().validation_accuracy, 0.8);

  // B10: best is the epoch with the lowest validation loss, whatever came after; the model ends with its weights.
  size_t best = 0;
  for (size_t i = 0; i < result.history.size(); ++i) {
    if (*result.history[i].validation_loss < *result.history[best].validation_loss) best = i;
  }
  EXPECT_EQ(result.best_step, result.history[best].progress.step);
  EXPECT_DOUBLE_EQ(kBinary.validate(*model, validation).loss, *result.history[best].validation_loss);

  auto reloaded = mlp();
  const Json state = load_checkpoint(directory / "best.safetensors", *reloaded);
  EXPECT_EQ(state.at("step"), result.best_step);
  EXPECT_EQ(weights_hash(*reloaded), weights_hash(*model));
  auto last = mlp();
  EXPECT_EQ(load_checkpoint(directory / "last.safetensors", *last).at("step"), result.steps);
  EXPECT_DOUBLE_EQ(kBinary.validate(*last, validation).loss, *result.history.back().validation_loss);
}

TEST(Trainer, SameSeedSameWeights) {
  std::string hashes[2];
  for (std::string& hash : hashes) {
    Problem problem;
    auto model = mlp();
    TrainOptions options;
    options.steps = 40;
    auto training = problem.training();
    Trainer(*model, kBinary, options).fit(training, nullptr);
    hash = weights_hash(*model);
  }
  EXPECT_EQ(hashes[0], hashes[1]);
}

TEST(Trainer, StopsByStepsTimeAndPatience) {
  Problem problem(0.5);  // labels are noise: nothing to learn, so validation soon gets worse
  TrainOptions options;
  options.optimizer = Json{{"type", "adam"}, {"lr", 0.05}};
  const auto run = [&] {
    auto model = mlp();
    auto training = problem.training(), validation = problem.validating();
    return Trainer(*model, kBinary, options).fit(training, &validation);
  };
  options.steps = 7;
  EXPECT_EQ(run().steps, 7);
  EXPECT_EQ(run().stopped_by, "steps");
  options.steps.reset();
  options.epochs = 1e6;
  options.early_stop = 3;
  const Result early = run();
  EXPECT_EQ(early.stopped_by, "early stop");
  EXPECT_LT(early.epochs, 200);
  options.early_stop = 0;
  options.time_limit = 0.3;
  const Result timed = run();
  EXPECT_EQ(timed.stopped_by, "time limit");
  EXPECT_LT(timed.seconds, 3);
}

TEST(Trainer, ScheduleEndsWithTheTraining) {
  Problem problem;
  auto model = mlp();
  TrainOptions options;
  options.steps = 100;
  options.schedule = Json{{"type", "cosine"}, {"warmup", 10}};
  options.optimizer = Json{{"type", "sgd"}, {"lr", 0.2}};
  std::vector<double> rates;
  Callbacks callbacks;
  callbacks.on_step = [&](const StepReport& report) { rates.push_back(report.lr); };
  auto training = problem.training();
  Trainer(*model, kBinary, options).fit(training, nullptr, {}, callbacks);
  ASSERT_EQ(rates.size(), 100u);
  EXPECT_NEAR(rates[0], 0.02, 1e-12);
  EXPECT_GT(rates[12], 0.18);
  EXPECT_LT(rates[99], 1e-3);
}

TEST(Trainer, ValidatesEverySoManySteps) {
  Problem problem;
  auto model = mlp();
  TrainOptions options;
  options.steps = 25;
  options.validate_every = 10;
  auto training = problem.training(), validation = problem.validating();
  const Result result = Trainer(*model, kBinary, options).fit(training, &validation);
  std::vector<int64_t> at;
  for (const EpochReport& report : result.history) at.push_back(report.progress.step);
  EXPECT_EQ(at, (std::vector<int64_t>{10, 20, 25}));
}

// A layer whose logarithm of a negative number is the first NaN.
class Poisoned : public nn::Module {
 public:
  Poisoned() : fc_(add("fc", nn::Linear(6, 1))) {}
  Tensor forward(const Tensor& x) override {
    ++calls;
    return calls < 5 ? (*fc_)(x) : log(affine(square((*fc_)(x)), -1, -1));
  }
  std::string describe() const override { return "Poisoned"; }
  int calls = 0;

 private:
  std::shared_ptr<nn::Linear> fc_;
};

TEST(Trainer, NanGuardNamesOperationAndStep) {
  Problem problem;
  manual_seed(1);
  Poisoned model;
  TrainOptions options;
  options.steps = 20;
  auto training = problem.training();
  try {
    Trainer(model, kBinary, options).fit(training, nullptr);
    FAIL() << "expected a NumericError";
  } catch (const NumericError& error) {
    EXPECT_NE(error.message().find("step 5"), std::string::npos) << error.what();
    EXPECT_NE(error.message().find("of log"), std::string::npos) << error.what();
  }
}

TEST(Trainer, NanGuardNamesTheLayerAndTheSamples) {
  Problem problem;
  problem.x.mutable_data()[17 * 6 + 2] = std::numeric_limits<float>::infinity();
  auto model = mlp();
  TrainOptions options;
  options.epochs = 1;
  auto training = problem.training(), validating = problem.validating();
  try {
    Trainer(*model, kBinary, options).fit(training, nullptr);
    FAIL() << "expected a NumericError";
  } catch (const NumericError& error) {
    for (const char* words : {"of linear in layer 0 is", "1 of its samples alone gives it too: 17", "the last good state is of step 0"}) {
      EXPECT_NE(error.message().find(words), std::string::npos) << error.what();
    }
  }
}

TEST(Trainer, SkipsBadUpdatesAndGivesUpWhenAllAreBad) {
  Problem problem;
  manual_seed(1);
  Poisoned model;
  TrainOptions options;
  options.steps = 8;  // 4 good, 4 skipped
  options.on_nan = "skip";
  auto training = problem.training();
  const Result result = Trainer(model, kBinary, options).fit(training, nullptr);
  EXPECT_EQ(result.skipped_updates, 4);
  for (const Tensor& p : model.parameters()) {
    for (const float v : p.span()) EXPECT_TRUE(std::isfinite(v));
  }
  Poisoned hopeless;
  hopeless.calls = 100;
  options.steps = 100;
  EXPECT_THROW(Trainer(hopeless, kBinary, options).fit(training, nullptr), NumericError);
}

// The statistics of a forward pass that is thrown away are thrown away too: of the pass itself and of the one that looks for
// the cause.
TEST(Trainer, ASkippedUpdateLeavesRunningStatisticsAlone) {
  Problem problem;
  manual_seed(1);
  nn::Sequential model(nn::BatchNorm(6), nn::Linear(6, 1));
  const auto statistics = [&] {
    std::vector<float> all;
    for (const nn::NamedTensor& buffer : model.named_buffers()) {
      for (const float v : buffer.tensor.span()) all.push_back(v);
    }
    return all;
  };
  TrainOptions options;
  options.steps = 10;
  options.on_nan = "skip";
  options.optimizer = Json{{"type", "sgd"}, {"lr", 0.01}};
  const std::vector<int64_t> good(problem.train.begin(), problem.train.begin() + 32);
  data::DataLoader training(*problem.dataset, good, {.batch_size = 32}, 1, data::Phase::train);
  Trainer(model, kBinary, options).fit(training, nullptr);
  const auto before = statistics();
  problem.x.fill(std::numeric_limits<float>::quiet_NaN());
  const Result result = Trainer(model, kBinary, options).fit(training, nullptr);
  EXPECT_EQ(result.skipped_updates, 10);
  EXPECT_EQ(statistics(), before);
}

TEST(Trainer, RegressionHasNoAccuracy) {
  Problem problem;
  Tensor y = Tensor::empty({600});
  for (float& v : y.mutable_span()) v = 0.5f;
  const data::TensorDataset dataset(problem.x, y);
  data::DataLoader training(dataset, problem.train, {.batch_size = 32}, 1, data::Phase::train);
  data::DataLoader validation(dataset, problem.validation, {.batch_size = 32}, 1, data::Phase::evaluate);
  auto model = mlp();
  TrainOptions options;
  options.epochs = 1;
  Callbacks callbacks;
  callbacks.on_step = [](const StepReport& report) { EXPECT_FALSE(report.average_accuracy.has_value()); };
  const PredictionObjective objective(data::TaskKind::regression);
  const Result result = Trainer(*model, objective, options).fit(training, &validation, {}, callbacks);
  ASSERT_EQ(result.history.size(), 1u);
  EXPECT_FALSE(result.history[0].train_accuracy.has_value());
  EXPECT_TRUE(result.history[0].validation_loss.has_value());
  EXPECT_FALSE(result.history[0].validation_accuracy.has_value());
}

TEST(Trainer, WarmupByFractionMovesFromTheFirstUpdate) {
  Problem problem;
  auto model = mlp();
  TrainOptions options;
  options.steps = 20;
  options.optimizer = Json{{"type", "sgd"}, {"lr", 1.0}};
  options.schedule = Json{{"type", "constant"}, {"warmup", 0.2}};
  std::vector<double> rates;
  Callbacks callbacks;
  callbacks.on_step = [&](const StepReport& report) { rates.push_back(report.lr); };
  auto training = problem.training();
  Trainer(*model, kBinary, options).fit(training, nullptr, {}, callbacks);
  ASSERT_EQ(rates.size(), 20u);
  const double expected[] = {0.25, 0.5, 0.75, 1, 1};
  for (size_t i = 0; i < std::size(expected); ++i) EXPECT_NEAR(rates[i], expected[i], 1e-12) << i;
}

TEST(Trainer, RollbackGoesBackToTheLastGoodWeights) {
  Problem problem;
  manual_seed(1);
  Poisoned model;
  const std::string before = weights_hash(model);
  TrainOptions options;
  options.steps = 8;  // 4 good, 4 rolled back to the start: no validation has passed
  options.on_nan = "rollback";
  auto training = problem.training();
  const Result result = Trainer(model, kBinary, options).fit(training, nullptr);
  EXPECT_EQ(result.skipped_updates, 4);
  EXPECT_EQ(weights_hash(model), before);
}

// A regression in which one sample is absurd; the first epoch meets it when it knows what losses are usual.
struct AbsurdSample {
  Problem problem;
  Tensor y = Tensor::empty({600});
  std::unique_ptr<data::TensorDataset> dataset;
  int64_t absurd = -1;
  data::DataLoader training() { return {*dataset, problem.train, {.batch_size = 8}, 1, data::Phase::train}; }
  AbsurdSample() {
    for (int64_t i = 0; i < 600; ++i) {
      const float* x = problem.x.data() + i * 6;
      y.mutable_data()[i] = 0.5f * x[0] - x[3] + 0.1f * x[5];
    }
    dataset = std::make_unique<data::TensorDataset>(problem.x, y);
    int64_t batches = 0;
    for (const data::Batch& batch : training()) {
      if (++batches == 45) absurd = batch.indexes[2];
    }
    y.mutable_data()[absurd] = 4000;
  }
  // Validation loss at the end, and what came of it.
  std::pair<Result, std::vector<std::string>> train(const std::string& on_spike) {
    std::vector<std::string> warnings;
    const LogSink before = set_log_sink([&](const LogRecord& record) { warnings.emplace_back(record.message); });
    manual_seed(4);
    nn::Linear model(6, 1);
    TrainOptions options;
    options.epochs = 12;
    options.optimizer = {{"type", "sgd"}, {"lr", 0.05}};
    options.on_spike = on_spike;
    data::DataLoader samples = training(), validating(*dataset, problem.validation, {.batch_size = 64}, 1, data::Phase::evaluate);
    Result result = Trainer(model, PredictionObjective(data::TaskKind::regression), options).fit(samples, &validating);
    set_log_sink(before);
    return {std::move(result), std::move(warnings)};
  }
};

TEST(Trainer, ASpikeOfTheLossIsToldWithItsSample) {
  AbsurdSample absurd;
  const auto [result, warnings] = absurd.train("warn");
  EXPECT_EQ(result.skipped_updates, 0);
  EXPECT_GE(result.loss_spikes, 1);
  ASSERT_FALSE(warnings.empty());
  EXPECT_NE(warnings[0].find("the loss jumped from about"), std::string::npos) << warnings[0];
  EXPECT_NE(warnings[0].find(fmt::format("hardest samples: {} (loss 1.601e+07), ", absurd.absurd)), std::string::npos) << warnings[0];
  EXPECT_TRUE(absurd.train("ignore").second.empty());
}

TEST(Trainer, SkippingOrRollingBackASpikeSavesTheTraining) {
  AbsurdSample absurd;
  const Result warned = absurd.train("warn").first;
  for (const char* on_spike : {"skip", "rollback"}) {
    SCOPED_TRACE(on_spike);
    const Result result = absurd.train(on_spike).first;
    EXPECT_GT(result.skipped_updates, 8) << "one an epoch, once the first losses are known";
    EXPECT_LT(result.best_value, 1e-3);
    EXPECT_GT(warned.history.back().validation_loss.value(), 1000 * result.history.back().validation_loss.value());
  }
}

TEST(Trainer, UnitsThatLearnNothingAreCounted) {
  Problem problem;
  auto model = mlp();
  // Five of the sixteen are pushed so far down that no sample switches them on.
  const std::vector<nn::NamedTensor> parameters = model->named_parameters();
  for (Tensor bias : {parameters[1].tensor}) {
    for (int64_t i = 0; i < 5; ++i) bias.mutable_data()[i] = -1000;
  }
  TrainOptions options;
  options.epochs = 2;
  options.l1 = 1e-5;  // whose pull on a weight is no learning
  auto training = problem.training(), validating = problem.validating();
  const Result result = Trainer(*model, kBinary, options).fit(training, &validating);
  for (const EpochReport& report : result.history) {
    ASSERT_EQ(report.dead_units.size(), 1u);
    EXPECT_EQ(report.dead_units[0].dead, 5);
    EXPECT_EQ(report.dead_units[0].units, 16);
  }
}

TEST(LrRange, FindsWhereTheLossFallsAndWhereItRunsAway) {
  Problem problem(0);
  auto model = mlp();
  TrainOptions options;
  options.optimizer = {{"type", "sgd"}};
  auto training = problem.training();
  int64_t told = 0;
  const LrRange range = lr_range_test(*model, kBinary, options, training, {.from = 1e-5, .to = 1e4, .steps = 300}, [&](const LrRange::Point&) { ++told; });
  EXPECT_TRUE(range.diverged);
  EXPECT_EQ(told, static_cast<int64_t>(range.points.size()));
  EXPECT_NEAR(range.points[0].lr, 1e-5, 1e-12);
  EXPECT_NEAR(range.points[1].lr / range.points[0].lr, std::pow(1e9, 1.0 / 299), 1e-9);
  EXPECT_GT(range.steepest, 1e-3);
  EXPECT_LT(range.steepest, range.lowest);
  EXPECT_LT(range.lowest, range.points.back().lr);
  EXPECT_DOUBLE_EQ(range.suggested, range.lowest / 10);

  options.optimizer = {{"type", "sgd"}, {"lr", range.suggested}};
  options.epochs = 10;
  auto fresh = mlp();
  auto validating = problem.validating();
  EXPECT_LT(Trainer(*fresh, kBinary, options).fit(training, &validating).best_value, 0.2) << "what it suggests trains well";
  EXPECT_THROW(lr_range_test(*model, kBinary, options, training, {.from = 1, .to = 0.1}), ConfigError);
}

TEST(LossSpikes, JudgeByWhatIsUsual) {
  Rng rng(5);
  LossSpikes spikes(10);
  for (int i = 0; i < 200; ++i) EXPECT_FALSE(spikes.is_spike(2 + 0.1 * rng.normal())) << i;
  EXPECT_FALSE(spikes.is_spike(2.6));
  EXPECT_TRUE(spikes.is_spike(6));
  EXPECT_NEAR(spikes.usual(), 2, 0.1);
  int told = 0;
  for (int i = 0; i < 200; ++i) told += spikes.is_spike(6 + 0.1 * rng.normal());
  EXPECT_LE(told, 20) << "a level that stays is no spike";
  for (const double jump : {2.0, 20.0, 1000.0}) {
    LossSpikes quiet(10);
    for (int i = 0; i < 200; ++i) quiet.is_spike(2 * std::exp(0.001 * rng.normal()));
    told = 0;
    for (int i = 0; i < 200; ++i) told += quiet.is_spike(jump * 2 * std::exp(0.02 * rng.normal()));
    EXPECT_LE(told, 20) << jump;
  }
  LossSpikes small(10);
  for (int i = 0; i < 200; ++i) EXPECT_FALSE(small.is_spike(1e-4 * std::exp(rng.normal()))) << "a factor of three is usual there";
  LossSpikes copy(10);
  copy.restore(small.to_json());
  for (int i = 0; i < 50; ++i) {
    const double loss = 1e-4 * std::exp(5 * rng.normal());
    EXPECT_EQ(copy.is_spike(loss), small.is_spike(loss));
  }
}

TEST(Trainer, NoEpochsLeaveTheModelAsItWas) {
  Problem problem;
  auto model = mlp();
  const std::string before = weights_hash(*model);
  TrainOptions options;
  options.epochs = 0;
  auto training = problem.training();
  const Result result = Trainer(*model, kBinary, options).fit(training, nullptr);
  EXPECT_EQ(result.steps, 0);
  ASSERT_EQ(result.history.size(), 1u);
  EXPECT_EQ(result.history[0].progress.fraction, 1);
  EXPECT_EQ(weights_hash(*model), before);
}

TEST(Trainer, ClippingLimitsTheUpdate) {
  Problem problem;
  auto model = mlp();
  const auto before = model->parameters()[0].to_vector();
  TrainOptions options;
  options.steps = 1;
  options.clip_norm = 1e-3;
  options.optimizer = Json{{"type", "sgd"}, {"lr", 1.0}};
  auto training = problem.training();
  Trainer(*model, kBinary, options).fit(training, nullptr);
  double moved = 0;
  const Tensor after = model->parameters()[0];
  for (size_t i = 0; i < before.size(); ++i) moved += std::pow(after.data()[i] - before[i], 2);
  EXPECT_GT(moved, 0);
  EXPECT_LE(std::sqrt(moved), 1.01e-3);
}

TEST(Trainer, L1DrivesUselessWeightsToZero) {
  Problem problem;
  const auto norm_with = [&](double l1) {
    manual_seed(4);
    auto model = models::parse_model("logistic").make({6}, 1);
    TrainOptions options;
    options.epochs = 20;
    options.l1 = l1;
    options.optimizer = Json{{"type", "sgd"}, {"lr", 0.1}};
    auto training = problem.training();
    Trainer(*model, kBinary, options).fit(training, nullptr);
    double sum = 0;
    for (const float v : model->parameters()[0].span()) sum += std::abs(v);
    return sum;
  };
  EXPECT_LT(norm_with(0.05), 0.8 * norm_with(0));
}

TEST(Trainer, AccumulatedBatchesAreTheLargeBatch) {
  Problem problem;
  const auto train = [&](int64_t batch, int64_t accumulate) {
    auto model = mlp();
    data::DataLoader training(*problem.dataset, problem.train, {.batch_size = batch, .shuffle = false}, 1, data::Phase::train);
    TrainOptions options;
    options.steps = 14;  // the last one of an epoch is a part: 450 = 3 x 128 + 66
    options.accumulate = accumulate;
    options.batch_size = batch;
    options.optimizer = Json{{"type", "sgd"}, {"lr", 0.1}};
    const Result result = Trainer(*model, kBinary, options).fit(training, nullptr);
    EXPECT_EQ(result.steps, 14);
    EXPECT_EQ(result.terms, 3 * 450 + 256);
    std::vector<float> weights;
    for (const Tensor& p : model->parameters()) weights.insert(weights.end(), p.span().begin(), p.span().end());
    return weights;
  };
  const std::vector<float> large = train(128, 1), pieces = train(32, 4);  // 450 = 14 x 32 + 2
  ASSERT_EQ(large.size(), pieces.size());
  for (size_t i = 0; i < large.size(); ++i) EXPECT_NEAR(large[i], pieces[i], 2e-6 * std::max(1.0f, std::abs(large[i])));
}

TEST(TrainOptions, NeedAnEnd) {
  TrainOptions options;
  try {
    check(options);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(error.message().find("epochs, steps, tokens and time_limit"), std::string::npos);
  }
}

TEST(Checkpoint, RefusesAnotherModelAndChangesNothing) {
  const fs::path directory = fresh_directory("mismatch");
  auto model = mlp();
  save_checkpoint(directory / "a.safetensors", *model, nullptr, {});
  manual_seed(8);
  auto other = models::parse_model(Json{{"type", "mlp"}, {"hidden", {17}}}).make({6}, 1);
  const std::string before = weights_hash(*other);
  EXPECT_THROW(load_checkpoint(directory / "a.safetensors", *other), DataError);
  EXPECT_EQ(weights_hash(*other), before);
}

TEST(Checkpoint, RefusesABadStateAndChangesNothing) {
  auto source = mlp(), target = mlp();
  for (Tensor p : target->parameters()) p.fill(0.5f);
  const std::string before = weights_hash(*target);
  const fs::path path = fresh_directory("state") / "model.safetensors";
  make_directories(path.parent_path());
  save_checkpoint(path, *source, nullptr, {{"optimizer_steps", "many"}});
  try {
    load_checkpoint(path, *target);
    FAIL() << "expected a DataError";
  } catch (const DataError& error) {
    EXPECT_NE(error.message().find("whole number optimizer_steps"), std::string::npos) << error.what();
    EXPECT_NE(error.message().find(path.string()), std::string::npos) << error.what();
  }
  EXPECT_EQ(weights_hash(*target), before);
}

TEST(Objective, NumericVectors) {
  // Trap B35: y = [0, 1], p = [0.8, 0.2]: cross-entropy of the right class is -ln 0.2 = 1.609.
  const PredictionObjective classes(data::TaskKind::multiclass);
  Tensor one = Tensor::empty({1}, Dtype::i64);
  one.mutable_data<int64_t>()[0] = 1;
  EXPECT_NEAR(classes.loss(Tensor::from({1, 2}, {std::log(0.8f), std::log(0.2f)}), one).item(), 1.6094379f, 1e-5);
  // As one binary case with logit ln(0.2 / 0.8) the same number.
  EXPECT_NEAR(kBinary.loss(Tensor::from({1, 1}, {std::log(0.25f)}), one).item(), 1.6094379f, 1e-5);
  const Tensor p = kBinary.answer(Tensor::from({2, 1}, {0.0f, 2.0f}));
  EXPECT_NEAR(p.data()[1], 0.5f, 1e-6);
  EXPECT_NEAR(p.data()[3], 0.880797f, 1e-5);
  EXPECT_NEAR(p.data()[2] + p.data()[3], 1.0f, 1e-6);
}

}  // namespace
}  // namespace danlu::train
