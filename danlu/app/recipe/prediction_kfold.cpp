// Cross-validation of a whole recipe: each fold splits off its own validation part, fits its own transforms and trains
// a fresh model, so that nothing of a fold's test samples is known to what is tested on them.
#include "danlu/app/recipe/prediction_pipeline.h"
#include "danlu/app/report/model_card.h"
#include "danlu/app/report/run_report.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/dataset/loader.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.kfold";
constexpr int64_t kEvaluationBatch = 256;

Json to_json(const KfoldResult& result, const KfoldSection& options, const std::vector<data::Fold>& folds) {
  Json scores = Json::array();
  for (size_t f = 0; f < folds.size(); ++f) scores.push_back({{"accuracy", result.scores[f]}, {"test", folds[f].test}});
  return {{"metric", "accuracy"},
          {"folds", options.folds},
          {"repeats", options.repeats},
          {"seed", options.seed},
          {"mean", result.accuracy.mean},
          {"standard_deviation", result.accuracy.standard_deviation},
          {"interval", {result.accuracy.interval.low, result.accuracy.interval.high}},
          {"scores", scores}};  // indexes into the labelled samples in the order of the source
}

}  // namespace

std::vector<data::Fold> PredictionPipeline::make_folds(const KfoldSection& options) {
  if (options.folds < 2) throw ConfigError(kWhere, fmt::format("got {} folds; expected at least 2", options.folds));
  if (source().strata().empty())
    throw ConfigError(kWhere, "folds are stratified by class; the target of this run is a number");
  return data::repeated_stratified_kfold(source().strata(), options.folds, options.repeats,
                                         static_cast<uint64_t>(options.seed), source().hashes());
}

// The test samples of the fold are fixed; of the others the recipe's share validates.
data::Split PredictionPipeline::split_fold(const data::Fold& fold, int64_t number) {
  std::vector<data::Part> given(static_cast<size_t>(source().size()), data::Part::train);
  for (const int64_t i : fold.test) given[static_cast<size_t>(i)] = data::Part::test;
  data::SplitOptions options = recipe_.data.split;
  options.seed += number;
  return data::split(
      {.size = source().size(), .labels = source().strata(), .hashes = source().hashes(), .given = given}, options);
}

double PredictionPipeline::score_fold(const data::Fold& fold, int64_t number) {
  const data::Split inner = split_fold(fold, number);
  const FittedData data = source().fit(inner.train);
  const uint64_t seed = static_cast<uint64_t>(recipe_.seed) + static_cast<uint64_t>(number);
  const auto model = make_model(data, seed);
  const data::LoaderOptions evaluation{.batch_size = kEvaluationBatch};
  data::DataLoader training(*data.dataset, data.training_samples, {.batch_size = recipe_.train.batch_size}, seed,
                            data::Phase::train);
  data::DataLoader test(*data.dataset, fold.test, evaluation, seed, data::Phase::evaluate);
  std::optional<data::DataLoader> validation;
  if (!inner.validation.empty())
    validation.emplace(*data.dataset, inner.validation, evaluation, seed, data::Phase::evaluate);

  const train::PredictionObjective objective(data.task, recipe_.train.objective);
  train::Callbacks callbacks;
  callbacks.stop_requested = observer().training.stop_requested;
  train::Trainer(*model, objective, recipe_.train).fit(training, validation ? &*validation : nullptr, {}, callbacks);
  return objective.validate(*model, test).accuracy.value();  // a number as target has been refused
}

void PredictionPipeline::kfold(const KfoldSection& options) {
  stage("kfold", [&] {
    KfoldResult result;
    const auto folds = make_folds(options);
    const auto total = static_cast<int64_t>(folds.size());
    for (int64_t f = 0; f < total; ++f) {
      result.scores.push_back(score_fold(folds[static_cast<size_t>(f)], f));
      if (observer().stop_requested())
        throw Error(kWhere, fmt::format("stopped on request after {} of {} folds", f, total));
      if (observer().on_fold) observer().on_fold(f + 1, total);
    }
    result.accuracy = eval::summarize_repeated_folds(result.scores, 1.0 / static_cast<double>(options.folds - 1), {.low = 0, .high = 1});
    const Json json = to_json(result, options, folds);
    write_json(directory_.file("kfold.json"), json);
    directory_.update({{"status", "finished"}, {"finished", now_text()}});
    if (fs::exists(directory_.bundle() / "card.md")) write_model_card(directory_);
    write_run_report(directory_);
    report(
        "kfold",
        fmt::format("{} x {}-fold cross-validation: accuracy {:.4f}, 95 % interval {:.4f} to {:.4f}\n", options.repeats,
                    options.folds, result.accuracy.mean, result.accuracy.interval.low, result.accuracy.interval.high),
        json);
    kfold_ = std::move(result);
  });
}

}  // namespace danlu::app
