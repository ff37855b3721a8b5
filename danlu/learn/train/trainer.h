// The training loop.
//
//   train::Trainer trainer(model, objective, options);
//   train::Result result = trainer.fit(training_loader, validation_loader, {.checkpoints = "checkpoints"}, callbacks);
//
// Each update: forward, loss, backward (over `accumulate` batches, as if they were one), guard against NaN and spikes of the loss,
// clip, schedule, optimiser step; all that again for each further turn of the objective, where there are adversaries. After each epoch (or every `validate_every` updates) the validation split is read in evaluation mode; the
// checkpoint `best` is the one with the best monitored value, `last` the newest, and both are always kept (checkpoint_store.h).
// When training ends the model holds the weights of `best`.
//
// Training that was interrupted goes on from `last`, and comes to the same weights, to the bit, as if it never had been: the state
// has the moments, the schedule, the loader's position, the random numbers, and what the epoch has summed up so far.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "danlu/base/files.h"
#include "danlu/base/options.h"
#include "danlu/data/dataset/loader.h"
#include "danlu/engine/kernels/matmul_precision.h"
#include "danlu/learn/nn/module.h"
#include "danlu/learn/optim/optimizer.h"
#include "danlu/learn/optim/schedule.h"
#include "danlu/learn/train/dead_units.h"
#include "danlu/learn/train/objective.h"

namespace danlu::train {

struct TrainOptions {
  std::optional<double> epochs;        // at least one of these four ends the training; the first reached does
  std::optional<int64_t> steps;
  std::optional<int64_t> tokens;       // of a language model
  std::optional<double> time_limit;    // seconds; the schedule fits itself to it
  int64_t batch_size = 64;
  int64_t accumulate = 1;
  Json optimizer = "adamw";
  Json schedule = "constant";
  std::vector<std::string> freeze;
  Json lr_scale = Json::object();
  std::string matmul_precision = "highest";  // of the updates; validation is always in f32 (kernels/matmul_precision.h)
  int64_t early_stop = 0;
  std::string monitor = "loss";
  double clip_norm = 0;
  double l1 = 0;
  ObjectiveOptions objective;
  int64_t validate_every = 0;
  int64_t save_every = 0;
  double save_minutes = 5;
  std::string on_nan = "stop";
  std::string on_spike = "warn";
  double spike_threshold = 10;
  void describe(OptionVisitor& v);
  kernels::MatmulPrecision precision() const;
};

// Checks what the field table cannot: that something ends the training, that the optimiser and schedule exist and take their
// options. Throws ConfigError; key paths begin with `prefix`.
void check(const TrainOptions& options, const Locate& locate = {}, const std::string& prefix = "train");

// One update, as reported to the caller.
struct StepReport {
  optim::Progress progress;
  double loss = 0;           // of this batch
  double average_loss = 0;   // over the epoch so far
  std::optional<double> average_accuracy;  // absent where there are no classes
  double lr = 0;
  double gradient_norm = 0;
  double terms_per_second = 0;
  const char* unit = "samples";  // of the terms
};

// A validation, or the end of an epoch without a validation split.
struct EpochReport {
  optim::Progress progress;
  double seconds = 0;  // since training began
  double train_loss = 0;
  std::optional<double> train_accuracy;  // accuracies are absent where there are no classes
  std::optional<double> validation_loss, validation_accuracy;
  std::map<std::string, double> measures;  // what else the objective tells of itself
  double lr = 0;
  double gradient_norm = 0;  // mean over the epoch
  std::vector<LayerUnits> dead_units;  // of the layers that have some
  bool is_best = false;
};

struct Callbacks {
  std::function<void(const StepReport&)> on_step;
  // Before the state is saved: what it writes about a step is there whenever a state of that step is.
  std::function<void(const EpochReport&)> on_epoch;
  // A state was loaded, of this step; the last validation before it was at step `validated` (-1: none). What is known of later ones
  // is void.
  std::function<void(int64_t step, int64_t validated)> on_resume;
  // Set from outside (a signal) to end training after the update under way, with its state saved.
  const std::atomic<bool>* stop_requested = nullptr;
};

struct Result {
  int64_t steps = 0;
  double epochs = 0;
  double seconds = 0;         // of training, earlier sessions included
  int64_t resumed_step = 0;   // where this session began
  int64_t best_step = 0;
  double best_value = 0;   // of the monitored quantity
  std::string monitor;     // what was monitored: "validation loss", "training loss", "validation accuracy"
  std::string stopped_by;  // "epochs", "steps", "tokens", "time limit", "early stop", "deadline", "request"
  int64_t terms = 0;       // samples or tokens that were learnt from
  int64_t skipped_updates = 0;
  int64_t loss_spikes = 0;
  std::vector<EpochReport> history;  // of this session
};

// The raw outputs of a model over a loader, (samples, outputs), in evaluation mode and in the loader's order.
Tensor predict_all(nn::Module& model, data::DataLoader& loader);

enum class Start { afresh, resume };

// One call of fit().
struct Session {
  fs::path checkpoints = {};             // empty: none are written, and the best weights are kept in memory
  Start start = Start::afresh;           // resume: from the newest whole state, or from the beginning if there is none
  std::optional<double> deadline = {};   // seconds from now at which it shall have ended, last validation and checkpoint included
  double best_from = 0;                  // of the training, as a fraction: no earlier weights are taken for the best
};

class Trainer {
 public:
  // Both must outlive the trainer.
  Trainer(nn::Module& model, const Objective& objective, const TrainOptions& options);

  // `validation` may be null: then the training loss is monitored. Throws NumericError naming the first operation that produced
  // a NaN and the step, if on_nan is stop (or after 10 updates in a row had to be skipped); DataError if there are checkpoints to
  // go on from and none is whole.
  Result fit(data::DataLoader& training, data::DataLoader* validation, const Session& session = {}, const Callbacks& callbacks = {});

 private:
  class Run;
  nn::Module& model_;
  const Objective& objective_;
  TrainOptions options_;
};

}  // namespace danlu::train
