// Cross-validation of a whole recipe: each fold splits off its own validation part, fits its own transforms and trains
// a fresh model, so that nothing of a fold's test samples is known to what is tested on them.
#include <cmath>
#include <map>

#include "danlu/app/recipe/prediction_pipeline.h"
#include "danlu/app/report/model_card.h"
#include "danlu/app/report/run_report.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.kfold";

// Where the mean of a measure must lie.
eval::ScoreBounds bounds_of(const eval::Metric& metric) {
  if (metric.direction == eval::Direction::lower_is_better) return {.low = 0};
  return {.low = std::string_view(metric.name) == "mcc" ? -1.0 : 0.0, .high = 1};
}

Json to_json(const eval::CrossValidationScore& score) {
  if (std::isnan(score.mean)) return {{"mean", nullptr}};  // undefined on a fold, which had one class alone
  return {{"mean", score.mean},
          {"standard_deviation", score.standard_deviation},
          {"interval", {score.interval.low, score.interval.high}}};
}

Json to_json(const KfoldResult& result, const KfoldSection& options, const std::vector<data::Fold>& folds) {
  Json scores = Json::array(), metrics = Json::object();
  for (size_t f = 0; f < folds.size(); ++f) {
    Json& score = scores.emplace_back(Json{{"test", folds[f].test}});
    for (const KfoldMeasure& m : result.measures) score[m.metric->name] = std::isnan(m.scores[f]) ? Json(nullptr) : Json(m.scores[f]);
  }
  for (const KfoldMeasure& m : result.measures) metrics[m.metric->name] = to_json(m.summary);
  Json json = to_json(result.accuracy().summary);
  json.update({{"metric", "accuracy"},
               {"metrics", std::move(metrics)},
               {"folds", options.folds},
               {"repeats", options.repeats},
               {"seed", options.seed},
               {"scores", std::move(scores)}});  // indexes into the labelled samples in the order of the source
  return json;
}

// Accuracy first: it is what folds are drawn by.
std::vector<KfoldMeasure> measures_of(const eval::EvaluateOptions& options, eval::Task task) {
  std::vector<KfoldMeasure> measures{{&eval::find_metric("accuracy", task), {}, {}}};
  for (const std::string& name : options.metrics.empty() ? eval::default_metrics(task) : options.metrics) {
    if (name != "accuracy") measures.push_back({&eval::find_metric(name, task), {}, {}});
  }
  return measures;
}

std::string to_text(const KfoldResult& result, const KfoldSection& options) {
  std::string text = fmt::format("{} x {}-fold cross-validation, mean of the folds and 95 % interval\n", options.repeats, options.folds);
  for (const KfoldMeasure& m : result.measures) {
    const eval::CrossValidationScore& s = m.summary;
    text += std::isnan(s.mean) ? fmt::format("  {:<18} undefined on a fold\n", m.metric->display)
                               : fmt::format("  {:<18} {:.4f}   {:.4f} to {:.4f}\n", m.metric->display, s.mean, s.interval.low, s.interval.high);
  }
  return text;
}

}  // namespace

std::vector<data::Fold> PredictionPipeline::make_folds(const KfoldSection& options) {
  if (options.folds < 2) throw ConfigError(kWhere, fmt::format("got {} folds; expected at least 2", options.folds));
  if (source().strata().empty())
    throw ConfigError(kWhere, "folds are stratified by class; the target of this run is a number");
  std::map<int64_t, int64_t> counts;
  for (const int64_t label : source().strata()) ++counts[label];
  for (const auto& [label, count] : counts) {
    if (count == 1) throw ConfigError(kWhere, "a class has one sample alone, which no fold can both train and test on; leave it out, or evaluate.kfold");
  }
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

eval::Predictions PredictionPipeline::predict_fold(const data::Fold& fold, int64_t number) {
  const data::Split inner = split_fold(fold, number);
  const FittedData data = source().fit(inner.train);
  const Tensor outputs = train_and_predict(data, inner.validation, fold.test, static_cast<uint64_t>(recipe_.seed) + static_cast<uint64_t>(number));
  const Tensor answers = train::PredictionObjective(data.task).answer(outputs);
  return eval::Predictions::classification(source().labels(fold.test, data.preprocess), answers.span(), static_cast<int64_t>(data.class_names.size()));
}

void PredictionPipeline::kfold(const KfoldSection& options) {
  stage("kfold", [&] {
    const auto folds = make_folds(options);
    const auto total = static_cast<int64_t>(folds.size());
    KfoldResult result;
    for (int64_t f = 0; f < total; ++f) {
      const eval::Predictions predictions = predict_fold(folds[static_cast<size_t>(f)], f);
      if (f == 0) result.measures = measures_of(recipe_.evaluate.report, predictions.task());
      for (KfoldMeasure& m : result.measures) m.scores.push_back(m.metric->prepare(predictions)({}));
      if (observer().on_fold) observer().on_fold(f + 1, total);
    }
    for (KfoldMeasure& m : result.measures) {
      m.summary = eval::summarize_repeated_folds(m.scores, 1.0 / static_cast<double>(options.folds - 1), bounds_of(*m.metric));
    }
    const Json json = to_json(result, options, folds);
    write_json(directory_.file("kfold.json"), json);
    directory_.update({{"status", "finished"}, {"finished", now_text()}});
    if (fs::exists(directory_.bundle() / "card.md")) write_model_card(directory_);
    write_run_report(directory_);
    report("kfold", to_text(result, options), json);
    kfold_ = std::move(result);
  });
}

}  // namespace danlu::app
