#include "danlu/app/recipe/pipeline.h"

#include "danlu/app/recipe/commit.h"
#include "danlu/app/recipe/language_pipeline.h"
#include "danlu/app/recipe/prediction_pipeline.h"
#include "danlu/base/cpu.h"
#include "danlu/base/error.h"
#include "danlu/base/threads.h"
#include "danlu/base/version.h"
#include "danlu/learn/train/checkpoint.h"

namespace danlu::app {
namespace {

template <class T>
Json or_null(const std::optional<T>& value) { return value ? Json(*value) : Json(nullptr); }

}  // namespace

Pipeline::Pipeline(Recipe recipe, RunDirectory directory, Observer observer)
    : recipe_(std::move(recipe)), directory_(std::move(directory)), observer_(std::move(observer)) {
  if (recipe_.threads > 0) set_num_threads(static_cast<int>(recipe_.threads));
}

void Pipeline::kfold(const KfoldSection& /*options*/) {
  throw ConfigError("app.run", "evaluate.kfold is for tables and images with classes; this recipe has none");
}

bool Pipeline::run() {
  prepare();
  if (train().stopped_by == "request") return false;
  bundle();
  evaluate();
  if (recipe_.evaluate.kfold.folds > 0) kfold(recipe_.evaluate.kfold);
  return true;
}

void Pipeline::report(const char* name, const std::string& text, const Json& json) const {
  if (observer_.on_report) observer_.on_report(name, text, json);
}

void Pipeline::begin(const char* stage) {
  if (!lock_) lock_ = std::make_unique<RunLock>(directory_);
  if (observer_.on_stage) observer_.on_stage(stage);
}

void Pipeline::guarded(const std::function<void()>& work) const {
  try {
    work();
  } catch (const std::exception& error) {
    try {
      directory_.update({{"status", "failed"}, {"error", error.what()}, {"finished", now_text()}});
    } catch (const FileError&) {
      // A full disk takes no record either. The first error is the one that tells.
    }
    throw;
  }
}

void Pipeline::stage(const char* name, const std::function<void()>& work) {
  begin(name);
  guarded([&] {
    directory_.update({{"status", "running"}, {"stage", name}, {"error", nullptr}});
    work();
  });
}

void Pipeline::start_directory(const Json& facts) const {
  Json info = {{"name", recipe_.name},       {"status", "running"},       {"stage", "prepare"},       {"started", now_text()},
               {"danlu", version()},         {"compiler", compiler()},    {"git_commit", git_commit()},
               {"cpu", cpu_info().model},    {"threads", num_threads()}};
  info.update(facts);
  directory_.update(info);
  write_file_atomic(directory_.file("recipe.yaml"), recipe_.text);
  write_file_atomic(directory_.file("resolved.yaml"), recipe_.render());
}

Json to_json(const train::EpochReport& r) {
  return {{"step", r.progress.step},
          {"epoch", r.progress.epoch},
          {"seconds", r.seconds},
          {"train_loss", r.train_loss},
          {"train_accuracy", or_null(r.train_accuracy)},
          {"validation_loss", or_null(r.validation_loss)},
          {"validation_accuracy", or_null(r.validation_accuracy)},
          {"lr", r.lr},
          {"gradient_norm", r.gradient_norm},
          {"best", r.is_best}};
}

Json to_json(const train::Result& r, const nn::Module& model) {
  return {{"steps", r.steps},
          {"epochs", r.epochs},
          {"seconds", r.seconds},
          {"terms", r.terms},
          {"stopped_by", r.stopped_by},
          {"monitor", r.monitor},
          {"best_value", r.best_value},
          {"best_step", r.best_step},
          {"skipped_updates", r.skipped_updates},
          {"weights_hash", train::weights_hash(model)}};
}

std::unique_ptr<Pipeline> open_pipeline(Recipe recipe, RunDirectory directory, Observer observer) {
  if (recipe.is_language()) return std::make_unique<LanguagePipeline>(std::move(recipe), std::move(directory), std::move(observer));
  return std::make_unique<PredictionPipeline>(std::move(recipe), std::move(directory), std::move(observer));
}

std::unique_ptr<Pipeline> reopen_pipeline(RunDirectory directory, Observer observer) {
  Recipe recipe = reopen_recipe(directory.file("resolved.yaml"));
  if (recipe.is_language()) return std::make_unique<LanguagePipeline>(std::move(directory), std::move(observer));
  return std::make_unique<PredictionPipeline>(std::move(directory), std::move(observer));
}

}  // namespace danlu::app
