#include "danlu/learn/train/trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/log.h"
#include "danlu/engine/autograd/profiler.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/optimizer.h"
#include "danlu/engine/kernels/reduce.h"
#include "danlu/engine/ops/random.h"
#include "danlu/learn/nn/freeze.h"
#include "danlu/learn/train/checkpoint_store.h"
#include "danlu/learn/train/epoch_sums.h"
#include "danlu/learn/train/loss_spikes.h"
#include "danlu/learn/train/optimizers.h"
#include "danlu/learn/train/snapshot.h"
#include "danlu/learn/train/time_plan.h"

namespace danlu::train {
namespace {

constexpr const char* kWhere = "learn.train";
constexpr int kMaxSkipsInARow = 10;
constexpr int64_t kMostSuspects = 8;  // named in a message
constexpr double kEvaluationShare = 0.4;  // of the time of an update with as many samples: no gradients, no optimiser

// Everything that training changes in a model.
std::vector<nn::NamedTensor> state_of(const nn::Module& model) {
  std::vector<nn::NamedTensor> all = model.named_parameters();
  for (nn::NamedTensor& buffer : model.named_buffers()) all.push_back(std::move(buffer));
  return all;
}

// What an objective learns, as checkpoints name it.
std::vector<nn::NamedTensor> state_of(const Objective& objective) {
  std::vector<nn::NamedTensor> all = objective.parameters();
  for (nn::NamedTensor& p : all) p.name = "objective." + p.name;
  return all;
}

// And what the optimisers remember.
std::vector<nn::NamedTensor> state_of(const nn::Module& model, const Objective& objective, const Optimizers& optimizers) {
  std::vector<nn::NamedTensor> all = state_of(model);
  for (nn::NamedTensor& p : state_of(objective)) all.push_back(std::move(p));
  for (const auto& [name, moment] : optimizers[0].moments()) all.push_back({"optimizer." + name, moment});
  for (nn::NamedTensor& moment : optimizers.later_moments()) all.push_back(std::move(moment));
  return all;
}

void check_lr_scale(const Json& scales, const Locate& locate, const std::string& path) {
  const auto fail = [&](const std::string& key, const Json& got, const char* expected) {
    const std::string place = locate ? locate(key) : "";
    throw ConfigError(kWhere, fmt::format("{}{}{}: got {}; expected {}", place, place.empty() ? "" : ": ", key, to_line(got), expected));
  };
  if (!scales.is_object()) fail(path, scales, "parts of the model with a factor each, like {encoder: 0.1}");
  for (const auto& [part, scale] : scales.items()) {
    const bool fits = scale.is_number() && scale.get<double>() >= 0 && scale.get<double>() <= 1e6;
    if (!fits) fail(path + "." + part, scale, "a number in [0, 1e6]");
  }
}

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

}  // namespace

void TrainOptions::describe(OptionVisitor& v) {
  v.field("epochs", epochs, {0, 1e9}, "passes over the training split");
  v.field("steps", steps, {1, 1e15}, "updates");
  v.field("time_limit", time_limit, {0.001, 1e9}, "seconds; the schedule fits itself to it");
  v.field("tokens", tokens, {1, 1e15}, "tokens of a language model");
  v.field("batch_size", batch_size, {1, 1e9}, "samples, or sequences of a language model, of one forward pass");
  v.field("accumulate", accumulate, {1, 1e6}, "forward passes of one update: the gradient is that of the large batch");
  v.field("optimizer", optimizer, "adamw, adam, sgd, adagrad or rmsprop; a group {type, lr, ...} to set its options");
  v.field("schedule", schedule, "constant, step, linear, cosine or plateau; a group {type, warmup, ...} to set its options");
  v.field("freeze", freeze, "parts of the model that do not learn, by their names in the summary: [stem, stages.0]");
  v.field("lr_scale", lr_scale, "factors of the learning rate for parts of the model: {encoder: 0.1}; the longest name that fits decides");
  v.choice("matmul_precision", matmul_precision, {"highest", "medium"}, "medium: products and convolutions of an update may round their operands to "
           "16 bits; for processors with AVX512_BF16, AVX512-FP16 or AMX");
  v.field("early_stop", early_stop, {0, 1e9}, "stop after so many validations without improvement; 0: never");
  v.choice("monitor", monitor, {"loss", "accuracy"}, "what decides which checkpoint is best");
  v.field("clip_norm", clip_norm, {0, 1e9}, "largest norm of the gradient; 0: no limit");
  v.field("l1", l1, {0, 1e3}, "L1 penalty on weights (for L2 see weight_decay of the optimizer)");
  objective.describe(v);
  v.field("validate_every", validate_every, {0, 1e15}, "updates between validations; 0: after each epoch");
  v.field("save_every", save_every, {0, 1e15}, "updates between saved states, besides those at validations; 0: none");
  v.field("save_minutes", save_minutes, {0, 1e6}, "minutes between saved states, besides those at validations; 0: none");
  v.choice("on_nan", on_nan, {"stop", "skip", "rollback"}, "when a loss or gradient is not finite: stop with the name of the operation, "
           "skip the update, or go back to the last good weights with half the learning rate");
  v.choice("on_spike", on_spike, {"ignore", "warn", "skip", "rollback"}, "when the loss of an update stands far above those before it: say so with "
           "its samples, skip the update, or go back to the weights of the last validation; a second time with half the learning rate");
  v.field("spike_threshold", spike_threshold, {1, 1e6}, "standard deviations of the logarithm of the loss that make a spike");
}

kernels::MatmulPrecision TrainOptions::precision() const {
  return matmul_precision == "medium" ? kernels::MatmulPrecision::medium : kernels::MatmulPrecision::highest;
}

void check(const TrainOptions& o, const Locate& locate, const std::string& prefix) {
  if (!o.epochs && !o.steps && !o.tokens && !o.time_limit) {
    throw ConfigError(kWhere, fmt::format("{}: got none of epochs, steps, tokens and time_limit; expected at least one to end the training", prefix));
  }
  optim::parse_optimizer(o.optimizer, locate, prefix + ".optimizer");
  optim::parse_schedule(o.schedule, locate, prefix + ".schedule");
  check_lr_scale(o.lr_scale, locate, prefix + ".lr_scale");
  if (o.precision() == kernels::MatmulPrecision::medium && !kernels::medium_precision_runs()) {
    const std::string key = prefix + ".matmul_precision", place = locate ? locate(key) : "";
    throw ConfigError(kWhere, fmt::format("{}{}{}: got medium; expected a processor with AVX512_BF16, AVX512-FP16 or AMX, and DANLU_ISA no lower than avx512; highest runs on every one, "
                                          "with other numbers", place, place.empty() ? "" : ": ", key));
  }
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
  Run(Trainer& trainer, data::DataLoader& training_loader, data::DataLoader* validation_loader, const Session& session,
      const Callbacks& calls)
      : model_(trainer.model_),
        objective_(trainer.objective_),
        options_(trainer.options_),
        training_(training_loader),
        validation_(validation_loader),
        checkpoints_(session.checkpoints),
        callbacks_(calls),
        freeze_(model_, options_.freeze),
        optimizers_(model_, options_, objective_.turns(model_)),
        schedule_(optim::parse_schedule(options_.schedule).make()),
        base_lr_(optimizers_.lr()),
        higher_is_better_(options_.monitor == "accuracy"),
        best_from_(session.best_from),
        time_(options_.time_limit, session.deadline),
        best_(state_of(model_)),
        good_(state_of(model_, objective_, optimizers_)),
        buffers_(model_.named_buffers()),
        spikes_(options_.spike_threshold),
        good_spikes_(options_.spike_threshold),
        units_(model_) {
    const double by_epochs = options_.epochs ? std::ceil(*options_.epochs * updates_per_epoch()) : std::numeric_limits<double>::infinity();
    const double by_steps = options_.steps ? static_cast<double>(*options_.steps) : std::numeric_limits<double>::infinity();
    total_steps_ = std::min(by_epochs, by_steps);
    ends_by_ = by_steps <= by_epochs ? "steps" : "epochs";
    result_.monitor = fmt::format("{} {}", validation_ != nullptr ? "validation" : "training", options_.monitor);
    if (validation_ != nullptr) {
      time_.expect_closing(kEvaluationShare * static_cast<double>(validation_->num_samples()) / static_cast<double>(options_.batch_size));
    }
    if (rolls_back()) keep_good();
    if (session.start == Start::resume) resume();
    terms_before_ = result_.terms;
    result_.resumed_step = result_.steps;
  }

  Result run() {
    model_.train();
    // Saved between the last update of an epoch and its validation.
    if (result_.steps > 0 && options_.validate_every == 0 && training_.position().batch == 0) close_epoch();
    while (!finished()) {
      const int64_t steps_before = result_.steps;
      int64_t left = training_.batches_per_epoch() - training_.position().batch;
      if (training_.position().batch == 0) sums_ = {};
      std::vector<data::Batch> pending;  // of one update; unused where an update is one batch, so that its memory is used again
      for (const data::Batch& batch : training_) {
        --left;
        if (options_.accumulate > 1) {
          pending.push_back(batch);
          if (static_cast<int64_t>(pending.size()) < options_.accumulate && left > 0) continue;
          update(pending);
          pending.clear();
        } else {
          update({&batch, 1});
        }
        if (options_.validate_every > 0 && result_.steps % options_.validate_every == 0) close_epoch();
        else if (is_save_due() && !(options_.validate_every == 0 && left == 0)) save();  // there close_epoch() does
        if (finished()) break;
      }
      if (result_.steps == steps_before) throw DataError(kWhere, "got a training split without a batch; expected at least one");
      if (options_.validate_every == 0 && result_.stopped_by != "request") close_epoch();
    }
    if (result_.stopped_by == "request") save();
    else close_epoch();
    if (best_.taken()) best_.restore();
    result_.seconds = time_.seconds();
    result_.epochs = progress().epoch;
    return std::move(result_);
  }

 private:
  optim::Progress progress() const {
    optim::Progress p;
    p.step = result_.steps;
    p.epoch = static_cast<double>(result_.steps) / updates_per_epoch();
    double fraction = total_steps_ > 0 ? static_cast<double>(result_.steps) / total_steps_ : 1;  // 0 without a limit of steps
    if (options_.tokens) fraction = std::max(fraction, static_cast<double>(result_.terms) / static_cast<double>(*options_.tokens));
    p.fraction = std::min(std::max(fraction, time_.fraction()), 1.0);
    p.update_fraction = std::max(total_steps_ > 0 ? 1 / total_steps_ : 1, time_.update_fraction());
    return p;
  }

  double updates_per_epoch() const {
    return static_cast<double>(std::max<int64_t>((training_.batches_per_epoch() + options_.accumulate - 1) / options_.accumulate, 1));
  }

  bool finished() {
    if (!result_.stopped_by.empty()) return true;
    if (static_cast<double>(result_.steps) >= total_steps_) result_.stopped_by = ends_by_;
    else if (options_.tokens && result_.terms >= *options_.tokens) result_.stopped_by = "tokens";
    else if (time_.is_over()) result_.stopped_by = time_.limit_name();
    else if (callbacks_.stop_requested != nullptr && callbacks_.stop_requested->load()) result_.stopped_by = "request";
    return !result_.stopped_by.empty();
  }

  // One turn of an update: adds the gradient of each batch, weighted by its part of all terms: the gradient of the mean over all of them.
  EpochSums accumulate(std::span<const data::Batch> batches, size_t turn) {
    const kernels::WithMatmulPrecision precision(options_.precision());
    int64_t terms = 0;
    for (const data::Batch& batch : batches) terms += objective_.terms(batch);
    EpochSums sums;
    for (size_t i = 0; i < batches.size(); ++i) {
      const int64_t batch_terms = objective_.terms(batches[i]);
      const Objective::Outcome outcome = objective_.take_turn(turn, model_, batches[i], memos_[i]);
      sums.add(outcome.loss.item(), outcome.correct, batch_terms);
      if (batches.size() == 1) {
        backward(outcome.loss);
      } else {
        const double part = static_cast<double>(batch_terms) / static_cast<double>(std::max<int64_t>(terms, 1));
        backward(outcome.loss, Tensor::full(outcome.loss.shape(), static_cast<float>(part)));
      }
    }
    return sums;
  }

  void update(std::span<const data::Batch> batches) {
    Profiler::mark("between updates");
    buffers_.take();
    memos_.assign(batches.size(), Tensor());
    const optim::Progress now = progress();
    optimizers_.set_lr(base_lr_ * schedule_->factor(now));
    EpochSums batch_sums;
    double norm = 0;
    bool goes_on = true;
    for (size_t turn = 0; turn < optimizers_.size() && goes_on; ++turn) goes_on = take_turn(batches, turn, batch_sums, norm);
    result_.terms += batch_sums.terms;
    time_.measured_update();
    ++result_.steps;  // a skipped update still counts, so that training ends
    memos_.clear();
    if (!goes_on) return;
    skips_in_a_row_ = 0;
    if (options_.l1 == 0) units_.look();
    const double loss = batch_sums.mean_loss();
    sums_.add(loss, batch_sums.correct, batch_sums.terms);
    for (const auto& [name, other] : batch_sums.others) sums_.others[name] += other;
    sums_.add_update(norm);
    if (callbacks_.on_step) {
      callbacks_.on_step({progress(), loss, sums_.mean_loss(), sums_.accuracy(), optimizers_.lr(), norm,
                         static_cast<double>(result_.terms - terms_before_) / std::max(time_.session_seconds(), 1e-9), objective_.unit()});
    }
  }

  // Gradients and the step of one of the optimisers; whether the update goes on. `sums` and `norm` become those of this turn, with the
  // losses of earlier ones as others.
  bool take_turn(std::span<const data::Batch> batches, size_t turn, EpochSums& sums, double& norm) {
    const RandomState random = random_state();
    optim::Optimizer& optimizer = optimizers_[turn];
    optimizer.zero_grad();
    Profiler::mark("zero_grad");
    EpochSums turn_sums = accumulate(batches, turn);
    turn_sums.others = std::move(sums.others);
    sums = std::move(turn_sums);
    const double loss = sums.mean_loss();
    optim::ParameterStore& store = optimizer.store();
    if (options_.l1 > 0) {
      units_.look();  // a dead unit has no gradient but that of the penalty
      kernels::add_l1_gradient(static_cast<float>(options_.l1), store.values().data(), store.gradients().mutable_data(), store.decayed());
    }
    norm = std::sqrt(kernels::sum_of_squares(store.gradients().data(), store.size()));
    Profiler::mark("gradient norm");
    if (!std::isfinite(loss) || !std::isfinite(norm)) {
      handle_nan(batches, turn, random, loss, norm);
      return false;
    }
    const bool last = turn + 1 == optimizers_.size();
    if (last && options_.on_spike != "ignore" && spikes_.is_spike(loss) && handle_spike(batches, loss, norm)) return false;
    const double scale = options_.clip_norm > 0 && norm > options_.clip_norm ? options_.clip_norm / norm : 1.0;
    optimizer.step(static_cast<float>(scale));
    Profiler::mark("optimizer");
    if (!last) sums.add_other(optimizers_.name(turn) + "_loss", loss, sums.terms);
    return true;
  }

  // Repeats the failed update with every operation checked, to name the first that went wrong.
  std::string diagnose(std::span<const data::Batch> batches, size_t turn, const RandomState& random) {
    const RandomState now = random_state();
    std::string cause = "the operation could not be named: the repeated update was finite";
    try {
      const CheckFinite check_finite;
      set_random_state(random);
      optimizers_[turn].zero_grad();
      accumulate(batches, turn);
    } catch (const NumericError& error) {
      cause = error.message();
    }
    set_random_state(now);
    clear_tape();
    return cause;
  }

  static data::Batch sample(const data::Batch& batch, int64_t i) {
    return {batch.x.rows(i, i + 1), batch.y.rows(i, i + 1), batch.first.defined() ? batch.first.rows(i, i + 1) : Tensor(),
            {batch.indexes[static_cast<size_t>(i)]}, batch.epoch};
  }

  // Which samples of a failed update have a loss that is not finite by themselves, in evaluation mode: bad data rather than a bad step.
  std::string suspects(std::span<const data::Batch> batches) const {
    const NoGrad no_grad;
    const nn::EvalMode eval(model_);
    std::string found;
    int64_t count = 0;
    for (const data::Batch& batch : batches) {
      for (int64_t i = 0; i < batch.size(); ++i) {
        const data::Batch alone = sample(batch, i);
        if (std::isfinite(objective_.evaluate(model_, alone).loss.item())) continue;
        if (count++ < kMostSuspects) found += fmt::format("{}{}", found.empty() ? "" : ", ", alone.indexes[0]);
      }
    }
    if (count == 0) return "no sample of the batch gives it alone";
    return fmt::format("{} of its samples alone give{} it too: {}{}", count, count == 1 ? "s" : "", found, count > kMostSuspects ? ", ..." : "");
  }

  void handle_nan(std::span<const data::Batch> batches, size_t turn, const RandomState& random, double loss, double norm) {
    const std::string cause = fmt::format("step {}: loss {}, gradient norm {}; {}", result_.steps + 1, loss, norm, diagnose(batches, turn, random));
    buffers_.restore();  // running statistics of neither forward pass are kept
    if (options_.on_nan == "stop" || ++skips_in_a_row_ > kMaxSkipsInARow) {
      throw NumericError(kWhere, cause + "; " + suspects(batches) + "; the last good state is of step " + std::to_string(last_saved_step_) + "; lower the learning rate, set train.clip_norm, or check the data for extreme values");
    }
    ++result_.skipped_updates;
    log_warning(kWhere, fmt::format("{}; {}", cause, options_.on_nan == "skip" ? "update skipped" : "went back to the last good weights with half the learning rate"));
    if (options_.on_nan == "rollback") {
      roll_back();
      base_lr_ *= 0.5;
    }
  }

  bool rolls_back() const { return options_.on_nan == "rollback" || options_.on_spike == "rollback"; }
  void keep_good() {
    good_.take();
    good_optimizer_steps_ = optimizers_.num_steps();
    good_spikes_ = spikes_;
    rollbacks_ = 0;
  }
  void roll_back() {
    good_.restore();
    optimizers_.set_num_steps(good_optimizer_steps_);
    spikes_ = good_spikes_;  // what is usual there
    ++rollbacks_;
  }

  // The samples of an update with the highest loss by themselves, in evaluation mode: "17 (loss 12.3)".
  std::string hardest(std::span<const data::Batch> batches) const {
    constexpr size_t kNamed = 3;
    const NoGrad no_grad;
    const nn::EvalMode eval(model_);
    std::vector<std::pair<double, int64_t>> losses;
    for (const data::Batch& batch : batches) {
      for (int64_t i = 0; i < batch.size(); ++i) {
        const data::Batch alone = sample(batch, i);
        const double loss = objective_.evaluate(model_, alone).loss.item();
        losses.emplace_back(std::isnan(loss) ? -HUGE_VAL : -loss, alone.indexes[0]);
      }
    }
    std::sort(losses.begin(), losses.end());
    std::string text;
    for (size_t i = 0; i < std::min(kNamed, losses.size()); ++i) {
      text += fmt::format("{}{} (loss {:.4g})", i == 0 ? "" : ", ", losses[i].second, -losses[i].first);
    }
    return text;
  }

  // Whether the update is not to be made. Source of going back and on with other data: PaLM, arXiv:2204.02311, section 5.1.
  bool handle_spike(std::span<const data::Batch> batches, double loss, double norm) {
    constexpr int64_t kTold = 10;
    const bool drops = options_.on_spike != "warn";
    if (++result_.loss_spikes <= kTold) {
      const RandomState random = random_state();
      const char* done = options_.on_spike == "skip" ? "; the update was skipped" : drops ? "; went back to the weights of the last validation" : "";
      log_warning(kWhere, fmt::format("step {}: the loss jumped from about {:.4g} to {:.4g}, gradient norm {:.4g}; hardest samples: {}{}{}",
                                      result_.steps + 1, spikes_.usual(), loss, norm, hardest(batches), done,
                                      result_.loss_spikes == kTold ? "; further ones are counted and not told" : ""));
      set_random_state(random);
    }
    if (!drops) return false;
    buffers_.restore();
    ++result_.skipped_updates;
    if (options_.on_spike == "rollback") {
      if (rollbacks_ > 0) base_lr_ *= 0.5;
      roll_back();
    }
    return true;
  }

  // Validation, early stopping, the report and the checkpoints; once for a step.
  void close_epoch() {
    if (last_closed_step_ == result_.steps) return;
    const Timer closing;
    last_closed_step_ = result_.steps;
    EpochReport report;
    report.progress = progress();
    report.train_loss = sums_.mean_loss();
    report.train_accuracy = sums_.accuracy();
    report.gradient_norm = sums_.mean_norm();
    report.lr = optimizers_.lr();
    report.measures = sums_.mean_others();
    if (validation_ != nullptr) {
      const Validation v = objective_.validate(model_, *validation_);
      report.validation_loss = v.loss;
      report.validation_accuracy = v.accuracy;
      report.measures.insert(v.measures.begin(), v.measures.end());
    }
    const double loss = report.validation_loss.value_or(report.train_loss);
    const std::optional<double> accuracy = validation_ != nullptr ? report.validation_accuracy : report.train_accuracy;
    if (higher_is_better_ && !accuracy) throw ConfigError(kWhere, "train.monitor: got accuracy, which this task does not have; expected loss");
    const double value = higher_is_better_ ? *accuracy : loss;
    schedule_->observe(loss);
    const bool counts = report.progress.fraction >= best_from_;
    report.is_best = counts && std::isfinite(value) && (!best_value_ || (higher_is_better_ ? value > *best_value_ : value < *best_value_));
    if (report.is_best) {
      best_value_ = value;
      result_.best_value = value;
      result_.best_step = result_.steps;
      waited_ = 0;
      best_.take();
    } else if (counts && options_.early_stop > 0 && ++waited_ >= options_.early_stop && result_.stopped_by.empty()) {
      result_.stopped_by = "early stop";
    }
    if (rolls_back()) keep_good();
    report.dead_units = units_.count();
    tell_dead_units(report.dead_units);
    if (options_.validate_every > 0) sums_ = {};
    report.seconds = time_.seconds();
    result_.history.push_back(report);
    if (callbacks_.on_epoch) callbacks_.on_epoch(report);
    // best first: whenever a state says that there is a best, there is one.
    if (report.is_best) checkpoints_.save_best(model_, state());
    save();
    time_.measured_closing(closing.seconds());
  }

  // Once for a layer.
  void tell_dead_units(const std::vector<LayerUnits>& layers) {
    for (const LayerUnits& layer : layers) {
      if (2 * layer.dead < layer.units || std::find(told_.begin(), told_.end(), layer.name) != told_.end()) continue;
      told_.push_back(layer.name);
      log_warning(kWhere, fmt::format("step {}: {} of the {} units of {} had no gradient since the last validation: they are dead and learn nothing; "
                                      "lower the learning rate, or lengthen the warm-up", result_.steps, layer.dead, layer.units, layer.name));
    }
  }

  bool is_save_due() const {
    return (options_.save_every > 0 && result_.steps % options_.save_every == 0) ||
           (options_.save_minutes > 0 && since_save_.seconds() >= 60 * options_.save_minutes);
  }

  void save() {
    since_save_.reset();
    last_saved_step_ = result_.steps;
    checkpoints_.save_last(model_, optimizers_[0], further_tensors(), state());
  }

  // What a state has besides the model and the first optimiser.
  std::vector<nn::NamedTensor> further_tensors() const {
    std::vector<nn::NamedTensor> all = good_.named("good.");
    for (nn::NamedTensor& p : state_of(objective_)) all.push_back(std::move(p));
    for (nn::NamedTensor& moment : optimizers_.later_moments()) all.push_back(std::move(moment));
    return all;
  }

  // All that training goes on from besides tensors. resume() reads it back.
  Json state() const {
    const RandomState random = random_state();
    const data::LoaderPosition position = training_.position();
    return {{"step", result_.steps},
            {"terms", result_.terms},
            {"epoch", progress().epoch},
            {"seconds", time_.seconds()},
            {"fraction", progress().fraction},
            {"position", {{"epoch", position.epoch}, {"batch", position.batch}}},
            {"random", {{"seed", random.seed}, {"offset", random.offset}}},
            {"sums", sums_.to_json()},
            {"monitor", result_.monitor},
            {"best_value", or_null(best_value_)},
            {"best_step", result_.best_step},
            {"waited", waited_},
            {"last_closed_step", last_closed_step_},
            {"skipped_updates", result_.skipped_updates},
            {"skips_in_a_row", skips_in_a_row_},
            {"loss_spikes", result_.loss_spikes},
            {"spikes", spikes_.to_json()},
            {"silent_units", units_.to_json()},
            {"good_optimizer_steps", good_optimizer_steps_},
            {"good_spikes", good_spikes_.to_json()},
            {"rollbacks", rollbacks_},
            {"base_lr", base_lr_},
            {"lr", optimizers_.lr()},
            {"optimizer_steps", optimizers_[0].num_steps()},
            {"turn_steps", optimizers_.num_steps()},
            {"schedule", schedule_->state()},
            {"early_stop", result_.stopped_by == "early stop"}};
  }

  void resume() {
    const bool has_best = checkpoints_.load_best(model_);
    if (has_best) best_.take();
    const std::optional<Json> saved = checkpoints_.load_last(model_, optimizers_[0], further_tensors());
    if (!saved) throw DataError(kWhere, "got no saved state to go on from; train afresh");
    try {
      const Json& s = *saved;
      result_.steps = s.at("step").get<int64_t>();
      result_.terms = s.at("terms").get<int64_t>();
      time_.resume(s.at("seconds").get<double>(), s.at("fraction").get<double>());
      training_.seek({s.at("position").at("epoch").get<int64_t>(), s.at("position").at("batch").get<int64_t>()});
      set_random_state({s.at("random").at("seed").get<uint64_t>(), s.at("random").at("offset").get<uint64_t>()});
      sums_ = EpochSums::from_json(s.at("sums"));
      if (has_best && !s.at("best_value").is_null()) {
        best_value_ = s.at("best_value").get<double>();
        result_.best_value = *best_value_;
        result_.best_step = s.at("best_step").get<int64_t>();
      }
      waited_ = s.at("waited").get<int64_t>();
      last_closed_step_ = s.at("last_closed_step").get<int64_t>();
      result_.skipped_updates = s.at("skipped_updates").get<int64_t>();
      skips_in_a_row_ = s.at("skips_in_a_row").get<int>();
      result_.loss_spikes = s.at("loss_spikes").get<int64_t>();
      spikes_.restore(s.at("spikes"));
      units_.restore(s.at("silent_units"));
      good_optimizer_steps_ = s.at("good_optimizer_steps").get<std::vector<int64_t>>();
      optimizers_.set_num_steps(s.at("turn_steps").get<std::vector<int64_t>>());
      good_spikes_.restore(s.at("good_spikes"));
      rollbacks_ = s.at("rollbacks").get<int64_t>();
      base_lr_ = s.at("base_lr").get<double>();
      optimizers_.set_lr(s.at("lr").get<double>());
      schedule_->set_state(s.at("schedule"));
      if (s.at("early_stop").get<bool>()) result_.stopped_by = "early stop";
    } catch (const Json::exception& error) {
      throw DataError(kWhere, fmt::format("the saved state is of another version: {}; train afresh", error.what()));
    }
    if (callbacks_.on_resume) callbacks_.on_resume(result_.steps, last_closed_step_);
  }

  nn::Module& model_;
  const Objective& objective_;
  const TrainOptions& options_;
  data::DataLoader& training_;
  data::DataLoader* validation_;
  CheckpointStore checkpoints_;
  const Callbacks& callbacks_;

  nn::Freeze freeze_;
  Optimizers optimizers_;
  std::unique_ptr<optim::Schedule> schedule_;
  double base_lr_;
  bool higher_is_better_;
  double total_steps_ = 0;
  const char* ends_by_ = "epochs";
  double best_from_;

  TimePlan time_;
  Timer since_save_;
  int64_t terms_before_ = 0;  // of this session
  Result result_;
  EpochSums sums_;  // of the epoch under way
  int64_t last_closed_step_ = -1;
  int64_t last_saved_step_ = 0;
  int skips_in_a_row_ = 0;
  int64_t waited_ = 0;
  std::optional<double> best_value_;
  Snapshot best_;
  Snapshot good_;     // what a rollback goes back to
  std::vector<int64_t> good_optimizer_steps_;
  int64_t rollbacks_ = 0;  // to that state
  Snapshot buffers_;       // as they were before the update under way
  std::vector<Tensor> memos_;  // of the update under way, a batch each: what its turns leave to each other
  LossSpikes spikes_, good_spikes_;
  DeadUnits units_;
  std::vector<std::string> told_;  // layers of dead units
};

Trainer::Trainer(nn::Module& model, const Objective& objective, const TrainOptions& options)
    : model_(model), objective_(objective), options_(options) {
  check(options_);
}

Result Trainer::fit(data::DataLoader& training, data::DataLoader* validation, const Session& session, const Callbacks& callbacks) {
  return Run(*this, training, validation, session, callbacks).run();
}

}  // namespace danlu::train
