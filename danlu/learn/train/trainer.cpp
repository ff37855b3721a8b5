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
class Trainer::Run {
 public:
  Run(Trainer& trainer, data::DataLoader& training_loader, data::DataLoader* validation_loader, fs::path directory,
      const Callbacks& calls)
      : model_(trainer.model_),
        objective_(trainer.objective_),
        options_(trainer.options_),
        training_(training_loader),
        validation_(validation_loader),
        checkpoints_(std::move(directory)),
        callbacks_(calls),
        optimizer_(optim::parse_optimizer(options_.optimizer).make(model_.parameters())),
        schedule_(optim::parse_schedule(options_.schedule).make()),
        base_lr_(optimizer_->lr()),
        higher_is_better_(options_.monitor == "accuracy") {
    const double by_epochs = options_.epochs ? std::ceil(*options_.epochs * static_cast<double>(training_.batches_per_epoch()))
                                            : std::numeric_limits<double>::infinity();
    const double by_steps = options_.steps ? static_cast<double>(*options_.steps) : std::numeric_limits<double>::infinity();
    total_steps_ = std::min(by_epochs, by_steps);
    ends_by_ = by_steps <= by_epochs ? "steps" : "epochs";
    result_.monitor = fmt::format("{} {}", validation_ != nullptr ? "validation" : "training", options_.monitor);
  }

  Result run() {
    model_.train();
    if (options_.on_nan == "rollback") good_.take(model_);
    while (!finished()) {
      const int64_t steps_before = result_.steps;
      averages_ = {};
      for (const data::Batch& batch : training_) {
        update(batch);
        if (options_.validate_every > 0 && result_.steps % options_.validate_every == 0) close_epoch();
        if (finished()) break;
      }
      if (result_.steps == steps_before) throw DataError(kWhere, "got a training split without a batch; expected at least one");
      if (options_.validate_every == 0) close_epoch();
    }
    if (last_closed_step_ != result_.steps) close_epoch();
    if (best_.taken()) best_.restore(model_);
    result_.seconds = timer_.seconds();
    result_.epochs = progress().epoch;
    return std::move(result_);
  }

 private:
  optim::Progress progress() const {
    optim::Progress p;
    p.step = result_.steps;
    p.epoch = static_cast<double>(result_.steps) / static_cast<double>(std::max<int64_t>(training_.batches_per_epoch(), 1));
    double fraction = total_steps_ > 0 ? static_cast<double>(result_.steps) / total_steps_ : 1;  // 0 without a limit of steps
    if (options_.time_limit) fraction = std::max(fraction, timer_.seconds() / *options_.time_limit);
    p.fraction = std::min(fraction, 1.0);
    return p;
  }

  bool finished() {
    if (!result_.stopped_by.empty()) return true;
    if (static_cast<double>(result_.steps) >= total_steps_) result_.stopped_by = ends_by_;
    else if (options_.time_limit && timer_.seconds() >= *options_.time_limit) result_.stopped_by = "time limit";
    else if (callbacks_.stop_requested != nullptr && callbacks_.stop_requested->load()) result_.stopped_by = "request";
    return !result_.stopped_by.empty();
  }

  void update(const data::Batch& batch) {
    const RandomState random = random_state();
    optimizer_->zero_grad();
    const Tensor outputs = model_(batch.x);
    const Tensor loss_tensor = objective_.loss(outputs, batch.y);
    const double loss = loss_tensor.item();
    backward(loss_tensor);
    optim::ParameterStore& store = optimizer_->store();
    if (options_.l1 > 0) {
      kernels::add_l1_gradient(static_cast<float>(options_.l1), store.values().data(), store.gradients().mutable_data(), store.decayed());
    }
    const double norm = std::sqrt(kernels::sum_of_squares(store.gradients().data(), store.size()));
    const optim::Progress now = progress();
    if (!std::isfinite(loss) || !std::isfinite(norm)) {
      handle_nan(batch, random, loss, norm);
      ++result_.steps;  // a skipped update still counts, so that training ends
      return;
    }
    skips_in_a_row_ = 0;
    optimizer_->set_lr(base_lr_ * schedule_->factor(now));
    const double scale = options_.clip_norm > 0 && norm > options_.clip_norm ? options_.clip_norm / norm : 1.0;
    optimizer_->step(static_cast<float>(scale));
    ++result_.steps;
    averages_.add(loss, objective_.num_correct(outputs, batch.y), batch.size(), norm);
    samples_seen_ += batch.size();
    if (callbacks_.on_step) {
      callbacks_.on_step({progress(), loss, averages_.mean_loss(), averages_.accuracy(), optimizer_->lr(), norm,
                         static_cast<double>(samples_seen_) / std::max(timer_.seconds(), 1e-9)});
    }
  }

  // Repeats the failed update with every operation checked, to name the first that went wrong.
  std::string diagnose(const data::Batch& batch, const RandomState& random) {
    const RandomState now = random_state();
    std::string cause = "the operation could not be named: the repeated update was finite";
    try {
      const CheckFinite check_finite;
      set_random_state(random);
      optimizer_->zero_grad();
      backward(objective_.loss(model_(batch.x), batch.y));
    } catch (const NumericError& error) {
      cause = error.message();
    }
    set_random_state(now);
    clear_tape();
    return cause;
  }

  void handle_nan(const data::Batch& batch, const RandomState& random, double loss, double norm) {
    const std::string cause = fmt::format("step {}: loss {}, gradient norm {}; {}", result_.steps + 1, loss, norm, diagnose(batch, random));
    if (options_.on_nan == "stop" || ++skips_in_a_row_ > kMaxSkipsInARow) {
      throw NumericError(kWhere, cause + "; lower the learning rate, set train.clip_norm, or check the data for extreme values");
    }
    ++result_.skipped_updates;
    log_warning(kWhere, fmt::format("{}; {}", cause, options_.on_nan == "skip" ? "update skipped" : "went back to the last good weights with half the learning rate"));
    if (options_.on_nan == "rollback") {
      good_.restore(model_);
      for (auto [name, moment] : optimizer_->moments()) moment.fill(0);
      base_lr_ *= 0.5;
    }
  }

  // Validation, checkpoints, early stopping and the report.
  void close_epoch() {
    last_closed_step_ = result_.steps;
    EpochReport report;
    report.progress = progress();
    report.train_loss = averages_.mean_loss();
    report.train_accuracy = averages_.accuracy();
    report.gradient_norm = averages_.mean_norm();
    report.lr = optimizer_->lr();
    if (validation_ != nullptr) {
      const LossAndAccuracy v = validate(model_, objective_, *validation_);
      report.validation_loss = v.loss;
      report.validation_accuracy = v.accuracy;
    }
    const double loss = report.validation_loss.value_or(report.train_loss);
    const double value = higher_is_better_ ? report.validation_accuracy.value_or(report.train_accuracy) : loss;
    schedule_->observe(loss);
    report.is_best = std::isfinite(value) && (!best_value_ || (higher_is_better_ ? value > *best_value_ : value < *best_value_));
    if (report.is_best) {
      best_value_ = value;
      result_.best_value = value;
      result_.best_step = result_.steps;
      waited_ = 0;
      best_.take(model_);
    } else if (options_.early_stop > 0 && ++waited_ >= options_.early_stop && result_.stopped_by.empty()) {
      result_.stopped_by = "early stop";
    }
    if (options_.on_nan == "rollback") good_.take(model_);
    report.seconds = timer_.seconds();
    save(report);
    if (options_.validate_every > 0) averages_ = {};
    result_.history.push_back(report);
    if (callbacks_.on_epoch) callbacks_.on_epoch(report);
  }

  void save(const EpochReport& report) {
    if (checkpoints_.empty()) return;
    const Json state = {{"step", result_.steps},
                        {"epoch", report.progress.epoch},
                        {"train_loss", report.train_loss},
                        {"validation_loss", report.validation_loss ? Json(*report.validation_loss) : Json(nullptr)},
                        {"monitor", result_.monitor},
                        {"best_value", best_value_ ? Json(*best_value_) : Json(nullptr)},
                        {"best_step", result_.best_step},
                        {"waited", waited_},
                        {"base_lr", base_lr_},
                        {"optimizer_steps", optimizer_->num_steps()},
                        {"schedule", schedule_->state()}};
    // best first: whenever `last` exists, so does a `best` that is not newer.
    if (report.is_best) save_checkpoint(checkpoints_ / "best.safetensors", model_, nullptr, state);
    save_checkpoint(checkpoints_ / "last.safetensors", model_, optimizer_.get(), state);
  }

  nn::Module& model_;
  const Objective& objective_;
  const TrainOptions& options_;
  data::DataLoader& training_;
  data::DataLoader* validation_;
  fs::path checkpoints_;
  const Callbacks& callbacks_;

  std::unique_ptr<optim::Optimizer> optimizer_;
  std::unique_ptr<optim::Schedule> schedule_;
  double base_lr_;
  bool higher_is_better_;
  double total_steps_ = 0;
  const char* ends_by_ = "epochs";

  Timer timer_;
  Result result_;
  Averages averages_;
  int64_t samples_seen_ = 0;
  int64_t last_closed_step_ = -1;
  int skips_in_a_row_ = 0;
  int64_t waited_ = 0;
  std::optional<double> best_value_;
  Snapshot best_;
  Snapshot good_;  // on_nan: rollback; what an update that is not finite goes back to
};

Trainer::Trainer(nn::Module& model, Objective objective, const TrainOptions& options)
    : model_(model), objective_(std::move(objective)), options_(options) {
  check(options_);
}

Result Trainer::fit(data::DataLoader& training, data::DataLoader* validation, const fs::path& checkpoints, const Callbacks& callbacks) {
  return Run(*this, training, validation, checkpoints, callbacks).run();
}

}  // namespace danlu::train
