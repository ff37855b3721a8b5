// From checkpoint to bundle, and from bundle to numbers: the test split is read here alone, by weights that come from
// disk.
#include "danlu/app/explain/explain_run.h"
#include "danlu/app/recipe/compare_predictions.h"
#include "danlu/app/recipe/image_strips.h"
#include "danlu/app/recipe/latency.h"
#include "danlu/app/recipe/prediction_pipeline.h"
#include "danlu/app/recipe/telling_examples.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/timer.h"
#include "danlu/eval/curves.h"
#include "danlu/eval/groups.h"
#include "danlu/infer/predictor.h"
#include "danlu/learn/models/model.h"

namespace danlu::app {
namespace {

// The page of the evaluation, and what its decision is.
std::string to_text(const eval::EvaluationReport& quality, const Json& report) {
  std::string text = eval::to_text(quality);
  for (const std::string& line : decision_lines(report)) text += "\n" + line;
  return decision_lines(report).empty() ? text : text + "\n";
}

}  // namespace

void PredictionPipeline::write_bundle() {
  const fs::path config_path = directory_.file("config.json");
  infer::BundleConfig config = infer::BundleConfig::from_json(read_json(config_path), config_path.string());
  const auto model = models::parse_model(config.model).make(config.input_shape, config.outputs());
  config.training.update(load_best(*model));
  config.notice = recipe_.notice;
  if (config.decides()) config.decision = make_decision(*model, config);
  write_background();
  infer::write_bundle(directory_.bundle(), config, *model, read_json(directory_.file("preprocess.json")));
}

// What explanations of a table's rows are made with: made again for a bundle of an earlier version.
void PredictionPipeline::write_background() {
  const fs::path path = directory_.bundle() / "background.json";
  if (fs::exists(path) || source().kind() != infer::InputKind::table) return;
  make_directories(directory_.bundle());
  write_file_atomic(path, to_line(fitted().background) + "\n");
}

Evaluation PredictionPipeline::measure_target(const infer::BundleConfig& config, const Json& preprocess, infer::Predictor& predictor, const Tensor& outputs) {
  const std::vector<int64_t>& samples = split().test;
  const eval::Predictions predictions = compare_predictions(source(), samples, config, preprocess, predictor, outputs);
  const eval::EvaluationReport& quality =
      quality_.emplace(eval::evaluate(predictions, measured_by(recipe_.evaluate, predictions.task()), config.class_names, source().content_hash().hex()));
  Evaluation found;
  Json& json = found.measured = eval::to_json(quality);
  if (config.decides()) {
    json["metrics"].update(decision_metrics(recipe_.decision, config.decision, predictions, recipe_.evaluate.report.bootstrap.seed));
    json["decision"] = config.decision.to_json();
    const fs::path choice = directory_.file("decision.json");
    if (fs::exists(choice)) json["decision"]["found"] = read_json(choice);
  }
  for (const std::string& column : recipe_.evaluate.demographic) {
    json["groups"][column] = eval::to_json(eval::compare_groups(predictions, source().values_of(column, samples)));
  }
  found.text = to_text(quality, json);
  found.details = {{"curves", eval::curves(predictions, config.class_names)}, {"examples", telling_examples(source(), predictor, samples, predictions)}};
  if (config.task != data::TaskKind::regression) show_mistakes(found.details["examples"]);
  const Json explanation = explain_run(source(), predictor, samples, predictions, found.details["examples"], recipe_.evaluate.explain_seconds);
  if (explanation.is_null()) directory_.remove({"explanation.json"});
  else write_json(directory_.file("explanation.json"), explanation);
  return found;
}

// Each target by the usual measures of its kind, called "NAME.auc" among those of the run.
Evaluation PredictionPipeline::measure_targets(const infer::BundleConfig& config, const Json& preprocess, infer::Predictor& predictor, const Tensor& outputs) {
  const std::vector<int64_t>& samples = split().test;
  const std::vector<infer::Prediction> said = predictor.decode(outputs);
  Evaluation found;
  found.measured = {{"task", data::name_of(config.task)}, {"samples", samples.size()},
                    {"confidence", recipe_.evaluate.report.bootstrap.confidence}, {"metrics", Json::object()}};
  for (const data::Head& head : config.heads) {
    const eval::Predictions predictions = compare_head(source(), samples, head, preprocess, said);
    const eval::EvaluationReport quality = eval::evaluate(predictions, recipe_.evaluate.report, head.class_names);
    Json report = eval::to_json(quality);
    for (const auto& [name, metric] : report["metrics"].items()) found.measured["metrics"][head.name + "." + name] = metric;
    found.measured["targets"][head.name] = std::move(report);
    found.details["targets"][head.name]["curves"] = eval::curves(predictions, head.class_names);
    found.text += fmt::format("{}{}: {}", found.text.empty() ? "" : "\n", head.name, eval::to_text(quality));
  }
  return found;
}

Evaluation PredictionPipeline::measure() {
  write_background();
  infer::Predictor predictor(directory_.bundle());
  const infer::BundleConfig config = infer::BundleConfig::from_json(predictor.config(), "config.json");
  const std::vector<int64_t>& samples = split().test;

  const Timer timer;
  const CpuTimer cpu;
  const Tensor outputs = source().predict(predictor, samples);
  const Effort batches{timer.seconds(), cpu.seconds()};
  const Json preprocess = read_json(directory_.bundle() / "preprocess.json");
  const bool several = config.task == data::TaskKind::multitask;
  Evaluation found = several ? measure_targets(config, preprocess, predictor, outputs) : measure_target(config, preprocess, predictor, outputs);
  found.measured["weights_hash"] = config.training.value("weights_hash", Json(nullptr));
  found.measured["samples_per_second"] = static_cast<double>(samples.size()) / batches.seconds;
  SingleAnswers single = time_single_answers(source(), predictor, samples);
  const std::optional<double>& price = recipe_.evaluate.price_per_hour;
  found.details["cost"] = {{"predictions in batches", per_thousand(static_cast<double>(samples.size()), batches, price)},
                           {"predictions one by one", per_thousand(static_cast<double>(single.seconds.size()), single.effort, price)}};
  found.details["latency"] = {{"one sample", percentiles(std::move(single.seconds))}};
  found.example_request = {{"model", predictor.name()}};
  found.example_request.update(source().example(predictor, samples.front()));
  return found;
}

// A step later than the last of training, so that they are not taken for a part of it; those of an earlier evaluation are void.
void PredictionPipeline::show_mistakes(const Json& examples) const {
  if (source_->kind() != infer::InputKind::image) return;
  const int64_t step = directory_.info().value("training", Json::object()).value("steps", int64_t{0}) + 1;
  formats::EventWriter events(directory_.file("tensorboard"), step);
  write_strips(events, "wrong", step, wrong_strips(examples.at("wrong")));
}

}  // namespace danlu::app
