#include "danlu/app/recipe/pipeline.h"

#include "danlu/app/recipe/derive.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/threads.h"
#include "danlu/engine/ops/random.h"
#include "danlu/learn/models/model.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.run";

void use_threads(const Recipe& recipe) {
  if (recipe.threads > 0) set_num_threads(static_cast<int>(recipe.threads));
}

std::vector<int64_t> read_indexes(const Json& json, const char* part, int64_t size, const std::string& file) {
  std::vector<int64_t> indexes;
  try {
    indexes = json.at(part).get<std::vector<int64_t>>();
  } catch (const Json::exception& error) {
    throw DataError(kWhere, fmt::format("{}: {}: {}", file, part, error.what()));
  }
  for (const int64_t i : indexes) {
    if (i < 0 || i >= size) throw DataError(kWhere, fmt::format("{}: {}: got sample {} of {}", file, part, i, size));
  }
  return indexes;
}

}  // namespace

Pipeline::Pipeline(Recipe recipe, RunDirectory directory, Observer observer)
    : recipe_(std::move(recipe)), directory_(std::move(directory)), observer_(std::move(observer)) {
  use_threads(recipe_);
  source_ = open_source(recipe_.data);
  derive_choices(recipe_, source_->kind(), source_->size());
}

Pipeline::Pipeline(RunDirectory directory, Observer observer)
    : recipe_(reopen_recipe(directory.file("resolved.yaml"))),
      directory_(std::move(directory)),
      observer_(std::move(observer)) {
  use_threads(recipe_);
}

// A run goes on only with the data that it was prepared with.
DataSource& Pipeline::source() {
  if (source_) return *source_;
  source_ = open_source(recipe_.data);
  const std::string prepared = directory_.info().value("data_hash", std::string());
  if (prepared != source_->content_hash().hex()) {
    throw DataError(kWhere, fmt::format("{} has changed since {} was prepared; prepare it again", recipe_.data.source,
                                        directory_.path().string()));
  }
  return *source_;
}

const data::Split& Pipeline::split() {
  if (plan_) return plan_->split;
  if (!split_) {
    const fs::path path = directory_.file("split.json");
    const Json json = read_json(path);
    const auto part = [&](const char* name) { return read_indexes(json, name, source().size(), path.string()); };
    split_ = data::Split{part("train"), part("validation"), part("test")};
  }
  return *split_;
}

const FittedData& Pipeline::fitted() {
  if (plan_) return plan_->data;
  if (!fitted_) fitted_ = source().fit(split().train);
  return *fitted_;
}

std::unique_ptr<nn::Module> Pipeline::make_model(const FittedData& data, uint64_t seed) const {
  manual_seed(seed);
  return models::parse_model(recipe_.model).make(data.input_shape, data.outputs());
}

void Pipeline::report(const char* name, const std::string& text, const Json& json) const {
  if (observer_.on_report) observer_.on_report(name, text, json);
}

void Pipeline::begin(const char* stage) {
  if (!lock_) lock_ = std::make_unique<RunLock>(directory_);
  if (observer_.on_stage) observer_.on_stage(stage);
}

// Keeps a failure in run.json.
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

std::optional<eval::EvaluationReport> Pipeline::run() {
  prepare();
  if (train().stopped_by == "request") return std::nullopt;
  bundle();
  eval::EvaluationReport quality = evaluate();
  if (recipe_.evaluate.kfold.folds > 0) kfold(recipe_.evaluate.kfold);
  return quality;
}

}  // namespace danlu::app
