#include "danlu/learn/train/trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/log.h"
#include "danlu/base/timer.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/optimizer.h"
#include "danlu/engine/kernels/reduce.h"
#include "danlu/engine/ops/random.h"
#include "danlu/learn/train/checkpoint.h"

namespace danlu::train {
namespace {

constexpr const char* kWhere = "learn.train";
constexpr int kMaxSkipsInARow = 10;

// Sums of an epoch under way.
struct Averages {
  double loss = 0, correct = 0, norm = 0;
  int64_t samples = 0, updates = 0;

  void add(double batch_loss, int64_t batch_correct, int64_t batch_size, double gradient_norm) {
    loss += batch_loss * static_cast<double>(batch_size);
    correct += static_cast<double>(batch_correct);
    samples += batch_size;
    norm += gradient_norm;
    ++updates;
  }
  double mean_loss() const { return samples > 0 ? loss / static_cast<double>(samples) : 0; }
  double accuracy() const { return samples > 0 ? correct / static_cast<double>(samples) : 0; }
  double mean_norm() const { return updates > 0 ? norm / static_cast<double>(updates) : 0; }
};

// A copy of everything that training changes in a model.
class Snapshot {
 public:
  void take(nn::Module& model) {
    const auto tensors = all_of(model);
    copies_.resize(tensors.size());
    for (size_t i = 0; i < tensors.size(); ++i) {
      if (!copies_[i].defined()) copies_[i] = Tensor::empty(tensors[i].shape(), tensors[i].dtype());
      copies_[i].copy_from(tensors[i]);
    }
  }
  void restore(nn::Module& model) const {
    auto tensors = all_of(model);
    for (size_t i = 0; i < copies_.size(); ++i) tensors[i].copy_from(copies_[i]);
  }
  bool taken() const { return !copies_.empty(); }

 private:
  static std::vector<Tensor> all_of(nn::Module& model) {
    std::vector<Tensor> all = model.parameters();
    for (const nn::NamedTensor& buffer : model.named_buffers()) all.push_back(buffer.tensor);
    return all;
  }
  std::vector<Tensor> copies_;
};

}  // namespace

void TrainOptions::describe(OptionVisitor& v) {
  v.field("epochs", epochs, {0, 1e9}, "passes over the training split");
  v.field("steps", steps, {1, 1e15}, "updates");
  v.field("time_limit", time_limit, {0.001, 1e9}, "seconds; the schedule fits itself to it");
  v.field("batch_size", batch_size, {1, 1e9}, "samples of one update");
  v.field("optimizer", optimizer, "adamw, adam, sgd, adagrad or rmsprop; a group {type, lr, ...} to set its options");
  v.field("schedule", schedule, "constant, step, linear, cosine or plateau; a group {type, warmup, ...} to set its options");
  v.field("early_stop", early_stop, {0, 1e9}, "stop after so many validations without improvement; 0: never");
  v.choice("monitor", monitor, {"loss", "accuracy"}, "what decides which checkpoint is best");
  v.field("clip_norm", clip_norm, {0, 1e9}, "largest norm of the gradient; 0: no limit");
  v.field("l1", l1, {0, 1e3}, "L1 penalty on weights (for L2 see weight_decay of the optimizer)");
  objective.describe(v);
  v.field("validate_every", validate_every, {0, 1e15}, "updates between validations; 0: after each epoch");
  v.choice("on_nan", on_nan, {"stop", "skip", "rollback"}, "when a loss or gradient is not finite: stop with the name of the operation, "
           "skip the update, or go back to the last good weights with half the learning rate");
}

void check(const TrainOptions& o, const Locate& locate, const std::string& prefix) {
  if (!o.epochs && !o.steps && !o.time_limit) {
    throw ConfigError(kWhere, fmt::format("{}: got none of epochs, steps and time_limit; expected at least one to end the training", prefix));
  }
  optim::parse_optimizer(o.optimizer, locate, prefix + ".optimizer");
  optim::parse_schedule(o.schedule, locate, prefix + ".schedule");
}

LossAndAccuracy validate(nn::Module& model, const Objective& objective, data::DataLoader& loader) {
  const NoGrad no_grad;
  const nn::EvalMode eval(model);
  Averages total;
  for (const data::Batch& batch : loader) {
    const Tensor outputs = model(batch.x);
    total.add(objective.loss(outputs, batch.y).item(), objective.num_correct(outputs, batch.y), batch.size(), 0);
  }
  return {total.mean_loss(), total.accuracy()};
}

Tensor predict_all(nn::Module& model, data::DataLoader& loader) {
  const NoGrad no_grad;
  const nn::EvalMode eval(model);
  Tensor all;
  int64_t row = 0;
  for (const data::Batch& batch : loader) {
    const Tensor outputs = model(batch.x);
    if (!all.defined()) all = Tensor::empty(outputs.shape().with(0, loader.num_samples()));
    all.rows(row, row + batch.size()).copy_from(outputs);
    row += batch.size();
  }
  return all.defined() ? all : Tensor::empty({0, 1});
}

// One call of fit().
struct Trainer::Run {
  Run(Trainer& trainer, data::DataLoader& training_loader, data::DataLoader* validation_loader, fs::path directory,
      const Callbacks& calls)
      : model(trainer.model_),
        objective(trainer.objective_),
        options(trainer.options_),
        training(training_loader),
        validation(validation_loader),
        checkpoints(std::move(directory)),
        callbacks(calls),
        optimizer(optim::parse_optimizer(options.optimizer).make(model.parameters())),
        schedule(optim::parse_schedule(options.schedule).make()),
        base_lr(optimizer->lr()),
        higher_is_better(options.monitor == "accuracy") {
    const double by_epochs = options.epochs ? std::ceil(*options.epochs * static_cast<double>(training.batches_per_epoch()))
                                            : std::numeric_limits<double>::infinity();
    const double by_steps = options.steps ? static_cast<double>(*options.steps) : std::numeric_limits<double>::infinity();
    total_steps = std::min(by_epochs, by_steps);
    ends_by = by_steps <= by_epochs ? "steps" : "epochs";
    result.monitor = fmt::format("{} {}", validation != nullptr ? "validation" : "training", options.monitor);
  }

  Result run() {
    model.train();
    while (!finished()) {
      const int64_t steps_before = result.steps;
      averages = {};
      for (const data::Batch& batch : training) {
        update(batch);
        if (options.validate_every > 0 && result.steps % options.validate_every == 0) close_epoch();
        if (finished()) break;
      }
      if (result.steps == steps_before) throw DataError(kWhere, "got a training split without a batch; expected at least one");
      if (options.validate_every == 0) close_epoch();
    }
    if (last_closed_step != result.steps) close_epoch();
    if (best.taken()) best.restore(model);
    result.seconds = timer.seconds();
    result.epochs = progress().epoch;
    return std::move(result);
  }

 private:
  optim::Progress progress() const {
    optim::Progress p;
    p.step = result.steps;
    p.epoch = static_cast<double>(result.steps) / static_cast<double>(std::max<int64_t>(training.batches_per_epoch(), 1));
    double fraction = static_cast<double>(result.steps) / total_steps;  // 0 if there is no limit of steps
    if (options.time_limit) fraction = std::max(fraction, timer.seconds() / *options.time_limit);
    p.fraction = std::min(fraction, 1.0);
    return p;
  }

  bool finished() {
    if (!result.stopped_by.empty()) return true;
    if (static_cast<double>(result.steps) >= total_steps) result.stopped_by = ends_by;
    else if (options.time_limit && timer.seconds() >= *options.time_limit) result.stopped_by = "time limit";
    else if (callbacks.stop_requested != nullptr && callbacks.stop_requested->load()) result.stopped_by = "request";
    return !result.stopped_by.empty();
  }

  void update(const data::Batch& batch) {
    const RandomState random = random_state();
    optimizer->zero_grad();
    const Tensor outputs = model(batch.x);
    const Tensor loss_tensor = objective.loss(outputs, batch.y);
    const double loss = loss_tensor.item();
    backward(loss_tensor);
    optim::ParameterStore& store = optimizer->store();
    if (options.l1 > 0) {
      kernels::add_l1_gradient(static_cast<float>(options.l1), store.values().data(), store.gradients().mutable_data(), store.decayed());
    }
    const double norm = std::sqrt(kernels::sum_of_squares(store.gradients().data(), store.size()));
    const optim::Progress now = progress();
    if (!std::isfinite(loss) || !std::isfinite(norm)) {
      handle_nan(batch, random, loss, norm);
      ++result.steps;  // a skipped update still counts, so that training ends
      return;
    }
    skips_in_a_row = 0;
    optimizer->set_lr(base_lr * schedule->factor(now));
    const double scale = options.clip_norm > 0 && norm > options.clip_norm ? options.clip_norm / norm : 1.0;
    optimizer->step(static_cast<float>(scale));
    ++result.steps;
    averages.add(loss, objective.num_correct(outputs, batch.y), batch.size(), norm);
    samples_seen += batch.size();
    if (callbacks.on_step) {
      callbacks.on_step({progress(), loss, averages.mean_loss(), averages.accuracy(), optimizer->lr(), norm,
                         static_cast<double>(samples_seen) / std::max(timer.seconds(), 1e-9)});
    }
  }

  // Repeats the failed update with every operation checked, to name the first that went wrong.
  std::string diagnose(const data::Batch& batch, const RandomState& random) {
    const RandomState now = random_state();
    std::string cause = "the operation could not be named: the repeated update was finite";
    try {
      const CheckFinite check_finite;
      set_random_state(random);
      optimizer->zero_grad();
      backward(objective.loss(model(batch.x), batch.y));
    } catch (const NumericError& error) {
      cause = error.message();
    }
    set_random_state(now);
    clear_tape();
    return cause;
  }

  void handle_nan(const data::Batch& batch, const RandomState& random, double loss, double norm) {
    const std::string cause = fmt::format("step {}: loss {}, gradient norm {}; {}", result.steps + 1, loss, norm, diagnose(batch, random));
    if (options.on_nan == "stop" || ++skips_in_a_row > kMaxSkipsInARow) {
      throw NumericError(kWhere, cause + "; lower the learning rate, set train.clip_norm, or check the data for extreme values");
    }
    ++result.skipped_updates;
    log_warning(kWhere, fmt::format("{}; {}", cause, options.on_nan == "skip" ? "update skipped" : "went back to the last good weights with half the learning rate"));
    if (options.on_nan == "rollback" && good.taken()) {
      good.restore(model);
      for (auto& [name, moment] : optimizer->state().moments) moment.fill(0);
      base_lr *= 0.5;
    }
  }

  // Validation, checkpoints, early stopping and the report.
  void close_epoch() {
    last_closed_step = result.steps;
    EpochReport report;
    report.progress = progress();
    report.train_loss = averages.mean_loss();
    report.train_accuracy = averages.accuracy();
    report.gradient_norm = averages.mean_norm();
    report.lr = optimizer->lr();
    if (validation != nullptr) {
      const LossAndAccuracy v = validate(model, objective, *validation);
      report.validation_loss = v.loss;
      report.validation_accuracy = v.accuracy;
    }
    const double loss = report.validation_loss.value_or(report.train_loss);
    const double value = higher_is_better ? report.validation_accuracy.value_or(report.train_accuracy) : loss;
    schedule->observe(loss);
    report.is_best = std::isfinite(value) && (!best_value || (higher_is_better ? value > *best_value : value < *best_value));
    if (report.is_best) {
      best_value = value;
      result.best_value = value;
      result.best_step = result.steps;
      waited = 0;
      best.take(model);
    } else if (options.early_stop > 0 && ++waited >= options.early_stop && result.stopped_by.empty()) {
      result.stopped_by = "early stop";
    }
    if (options.on_nan == "rollback") good.take(model);
    report.seconds = timer.seconds();
    save(report);
    if (options.validate_every > 0) averages = {};
    result.history.push_back(report);
    if (callbacks.on_epoch) callbacks.on_epoch(report);
  }

  void save(const EpochReport& report) {
    if (checkpoints.empty()) return;
    const Json state = {{"step", result.steps},
                        {"epoch", report.progress.epoch},
                        {"train_loss", report.train_loss},
                        {"validation_loss", report.validation_loss ? Json(*report.validation_loss) : Json(nullptr)},
                        {"monitor", result.monitor},
                        {"best_value", best_value ? Json(*best_value) : Json(nullptr)},
                        {"best_step", result.best_step},
                        {"waited", waited},
                        {"base_lr", base_lr},
                        {"optimizer_steps", optimizer->num_steps()},
                        {"schedule", schedule->state()}};
    // best first: whenever `last` exists, so does a `best` that is not newer.
    if (report.is_best) save_checkpoint(checkpoints / "best.safetensors", model, nullptr, state);
    save_checkpoint(checkpoints / "last.safetensors", model, optimizer.get(), state);
  }

  nn::Module& model;
  const Objective& objective;
  const TrainOptions& options;
  data::DataLoader& training;
  data::DataLoader* validation;
  const fs::path checkpoints;
  const Callbacks& callbacks;

  std::unique_ptr<optim::Optimizer> optimizer;
  std::unique_ptr<optim::Schedule> schedule;
  double base_lr;
  const bool higher_is_better;
  double total_steps = 0;
  const char* ends_by = "epochs";

  Timer timer;
  Result result;
  Averages averages;
  int64_t samples_seen = 0;
  int64_t last_closed_step = -1;
  int skips_in_a_row = 0;
  int64_t waited = 0;
  std::optional<double> best_value;
  Snapshot best, good;
};

Trainer::Trainer(nn::Module& model, Objective objective, const TrainOptions& options)
    : model_(model), objective_(std::move(objective)), options_(options) {
  check(options_);
}

Result Trainer::fit(data::DataLoader& training, data::DataLoader* validation, const fs::path& checkpoints, const Callbacks& callbacks) {
  return Run(*this, training, validation, checkpoints, callbacks).run();
}

}  // namespace danlu::train
