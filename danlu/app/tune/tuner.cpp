#include "danlu/app/tune/tuner.h"

#include <algorithm>
#include <atomic>

#include "danlu/app/recipe/prediction_pipeline.h"
#include "danlu/app/recipe/tune_section.h"
#include "danlu/app/tune/results.h"
#include "danlu/app/tune/trial_metrics.h"
#include "danlu/base/duration.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/log.h"
#include "danlu/base/timer.h"
#include "danlu/base/version.h"
#include "danlu/learn/train/checkpoint_store.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.tune";
constexpr int64_t kPatience = 5;  // trials, all of which fail, before the search is given up

void remove_tree(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) throw FileError(kWhere, fmt::format("cannot remove {}: {}", path.string(), error.message()));
}

void copy_tree(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::copy(from, to, fs::copy_options::recursive, error);
  if (error) throw FileError(kWhere, fmt::format("cannot copy {} to {}: {}", from.string(), to.string(), error.message()));
}

Json merged(Json values, const Json& over) {
  values.update(over);
  return values;
}

}  // namespace

Tuner::Tuner(Recipe recipe, RunDirectory directory, TuneObserver observer)
    : recipe_(std::move(recipe)),
      directory_(std::move(directory)),
      observer_(std::move(observer)),
      search_(tune::parse_space(recipe_.tune.space), recipe_.tune, tune_maximizes(recipe_)) {
  check_can_tune(recipe_);
}

RunDirectory Tuner::trial_directory(int64_t number) const { return RunDirectory(directory_.path() / fmt::format("{:04}", number)); }

bool Tuner::run(bool fresh) {
  check_data();
  open(fresh);
  if (!search_.trials().empty() && observer_.on_resume) observer_.on_resume(search_);
  try {
    const bool finished = search_to_end() && conclude();
    if (!finished) directory_.update({{"status", "stopped"}});
    changed();
    return finished;
  } catch (const std::exception& error) {
    try {
      directory_.update({{"status", "failed"}, {"error", error.what()}, {"finished", now_text()}});
    } catch (const FileError&) {
      // The first error is the one that tells.
    }
    changed();
    throw;
  }
}

void Tuner::changed() const {
  if (observer_.run.on_change) observer_.run.on_change(directory_);
}

bool Tuner::search_to_end() {
  const double limit = recipe_.tune.time.empty() ? 0 : parse_duration(recipe_.tune.time, "tune.time");
  const double before = search_.seconds();
  const Timer timer;
  while (const auto task = search_.next(limit > 0 && before + timer.seconds() >= limit)) {
    if (stop_requested() || work_on(*task) == Outcome::stopped) return false;
  }
  return true;
}

// What can be known before anything is written: that the data is there, and that it gives what trials are compared by.
void Tuner::check_data() {
  const Recipe trial = vary_recipe(recipe_, recipe_.tune.trial);
  const auto pipeline = open_pipeline(trial, directory_, {});
  pipeline->check();
  const bool accuracy = tuned_metric(recipe_) == "accuracy";
  bool validates = pipeline->recipe().data.split.validation > 0, classifies = false;
  if (auto* prediction = dynamic_cast<PredictionPipeline*>(pipeline.get())) {
    const Plan& plan = prediction->plan();
    validates = !plan.split.validation.empty();
    classifies = data::has_classes(plan.data.task);
  }
  if (!validates) {
    throw ConfigError(kWhere, "there is no validation split to compare trials by; set data.split.validation, or, for trials alone, "
                              "tune: {trial: {data.split.validation: 0.2}}");
  }
  if (accuracy && !classifies) throw ConfigError(kWhere, "tune.metric: got accuracy, which this task does not have; expected loss");
}

// What makes it another search: not its budget, and not the number of threads, on which no result depends.
Json Tuner::fingerprint() const {
  Json options = write_options(recipe_.tune), recipe = vary_recipe(recipe_, recipe_.tune.trial).given;
  for (const char* budget : {"trials", "time"}) options.erase(budget);
  recipe.erase("threads");
  return {{"danlu", version()}, {"recipe", recipe}, {"tune", options}};
}

void Tuner::open(bool fresh) {
  lock_ = std::make_unique<RunLock>(directory_);
  const Json now = fingerprint();
  bool begins = fresh || !directory_.exists();
  if (!begins && directory_.info().value("search", Json()) != now) {
    log_warning(kWhere, fmt::format("the recipe or the program has changed: the search begins again; the earlier one is kept in .previous/{}", directory_.name()));
    begins = true;
  }
  if (begins) {
    directory_.start_fresh();
    // First, so that what a kill leaves is known for a search.
    directory_.update({{"name", recipe_.name}, {"kind", "tune"}, {"started", now_text()}, {"danlu", version()}, {"search", now}});
  }
  if (!fs::exists(directory_.file("recipe.yaml"))) write_file_atomic(directory_.file("recipe.yaml"), recipe_.text);
  directory_.update({{"status", "running"}, {"stage", "tune"}, {"error", nullptr}});
  changed();
  journal_ = std::make_unique<tune::Journal>(directory_.file("trials.jsonl"));
  for (const Json& event : journal_->events()) search_.apply(event);
}

void Tuner::record(const Json& event) {
  search_.apply(event);
  journal_->append(event);
}

Tuner::Outcome Tuner::work_on(const tune::Task& task) {
  if (task.begins) record(search_.begin(task));
  if (observer_.on_task) observer_.on_task(task);
  const Timer timer;
  const auto fails = [&](const std::string& why) { record(tune::Search::failed(task, why, timer.seconds())); };
  try {
    if (train(task) == Outcome::stopped) return Outcome::stopped;
    const TrialMetrics metrics = read_trial_metrics(trial_directory(task.trial), tuned_metric(recipe_));
    const Json facts = trial_facts(trial_directory(task.trial), metrics);
    if (!metrics.value) fails("no validation gave a finite value");
    else if (trial_directory(task.trial).status() == "stopped") record(tune::Search::rung(task, metrics.value, timer.seconds(), facts));
    else record(tune::Search::finished(task, *metrics.value, timer.seconds(), facts));
  } catch (const NumericError& error) {
    fails(error.what());
  } catch (const ConfigError& error) {
    fails(error.what());  // values that do not go together
  } catch (const ShapeError& error) {
    fails(error.what());
  } catch (const std::bad_alloc&) {
    fails("[memory] there is not enough for this trial");
  }
  const tune::Trial& trial = search_.trials()[static_cast<size_t>(task.trial - 1)];
  // States to go on from are not needed any more; the best checkpoint stays.
  if (trial.state == tune::Trial::State::finished || trial.state == tune::Trial::State::failed) {
    const train::CheckpointStore store(trial_directory(task.trial).checkpoints());
    for (const fs::path& state : {store.last(), store.previous()}) remove_tree(state);
  }
  write_results();
  if (observer_.on_trial) observer_.on_trial(search_, trial);
  if (trial.number >= kPatience && search_.best() == nullptr) {
    throw NumericError(kWhere, fmt::format("the first {} trials failed, the last with {}; narrow tune.space", trial.number, trial.error));
  }
  return Outcome::done;
}

// Up to the end of the training, or to a rung, where it is stopped with its state saved.
Tuner::Outcome Tuner::train(const tune::Task& task) {
  const RunDirectory directory = trial_directory(task.trial);
  const std::string metric = tuned_metric(recipe_);
  std::atomic<bool> stop = stop_requested();
  bool at_rung = false;
  const auto look = [&] {
    if (task.rung && read_trial_metrics(directory, metric).progress(recipe_.tune.asha.unit) >= search_.resource(*task.rung)) at_rung = true;
    if (at_rung || stop_requested()) stop = true;
  };
  Observer observer;
  observer.on_change = observer_.run.on_change;
  observer.training.stop_requested = &stop;
  observer.training.on_resume = [&](int64_t, int64_t) { look(); };
  observer.training.on_epoch = [&](const train::EpochReport&) { look(); };
  observer.training.on_step = [&](const train::StepReport& report) {
    if (stop_requested()) stop = true;
    if (observer_.run.training.on_step) observer_.run.training.on_step(report);
  };
  const bool resumes = directory.exists() && train::CheckpointStore(directory.checkpoints()).has_state();
  std::unique_ptr<Pipeline> pipeline;
  if (resumes) {
    pipeline = reopen_pipeline(directory, observer);
  } else {
    remove_tree(directory.path());
    pipeline = open_pipeline(vary_recipe(recipe_, merged(recipe_.tune.trial, tune::to_json(search_.space(), task.point))), directory, observer);
    const RunDirectory first = trial_directory(1);
    if (task.trial > 1 && shares_data() && first.exists() && first.info().contains("tokens")) pipeline->prepare_like(first);
    else pipeline->prepare();
    check_same_data(directory);
  }
  const train::Result result = pipeline->train(resumes ? train::Start::resume : train::Start::afresh);
  return result.stopped_by == "request" && !at_rung ? Outcome::stopped : Outcome::done;
}

// No key that is searched is one of the data or of the tokeniser.
bool Tuner::shares_data() const {
  return std::none_of(search_.space().begin(), search_.space().end(), [](const tune::Parameter& parameter) {
    return parameter.name().starts_with("data.") || parameter.name().starts_with("tokenizer.");
  });
}

void Tuner::check_same_data(const RunDirectory& trial) {
  const std::string hash = trial.info().value("data_hash", ""), before = directory_.info().value("data_hash", hash);
  if (hash != before) {
    throw DataError(kWhere, fmt::format("{} has changed since the search began; begin again with --fresh", recipe_.data.source));
  }
  directory_.update({{"data_hash", hash}});
}

// The winner, with whatever the recipe leaves for it alone: the trial as it is, or trained again without what was set for trials.
bool Tuner::conclude() {
  const tune::Trial* best = search_.best();
  if (best == nullptr) {
    const std::string why = search_.trials().empty() ? "no trial began within tune.time" : fmt::format("every trial failed, the last with {}", search_.trials().back().error);
    throw NumericError(kWhere, why);
  }
  if (!is_concluded(best->number)) {
    const RunDirectory directory = best_directory();
    const bool same = directory_.info().value("best", int64_t{0}) == best->number;  // or what is there is of an earlier winner
    directory_.update({{"best", best->number}});
    const Json values = tune::to_json(search_.space(), best->point);
    if (recipe_.tune.trial.empty()) {
      const fs::path copy = directory_.path() / ".best";
      for (const fs::path& path : {copy, directory.path()}) remove_tree(path);
      copy_tree(trial_directory(best->number).path(), copy);
      rename_path(copy, directory.path());
      const auto pipeline = reopen_pipeline(directory, observer_.run);
      pipeline->bundle();
      pipeline->evaluate();
      if (recipe_.evaluate.kfold.folds > 0) pipeline->kfold(recipe_.evaluate.kfold);
    } else {
      if (!same) remove_tree(directory.path());
      const auto pipeline = open_pipeline(vary_recipe(recipe_, values), directory, observer_.run);
      if (!pipeline->run()) return false;
    }
    directory.update({{"trial", best->number}, {"concluded", true}});
  }
  write_results();
  directory_.update({{"status", "finished"}, {"finished", now_text()}});
  return true;
}

bool Tuner::is_concluded(int64_t best) const {
  const RunDirectory directory = best_directory();
  return directory.exists() && directory.info().value("concluded", false) && directory.info().value("trial", int64_t{0}) == best;
}

void Tuner::write_results() const {
  const Json results = tune_results(search_, recipe_, directory_);
  write_json(directory_.file("tune.json"), results);
  write_file_atomic(directory_.file("tune.html"), tune_page(results));
}

}  // namespace danlu::app
