#include "danlu/app/recipe/stages.h"

#include <unistd.h>

#include "danlu/base/cpu.h"
#include "danlu/base/error.h"
#include "danlu/base/eta.h"
#include "danlu/base/format.h"
#include "danlu/base/threads.h"
#include "danlu/base/timer.h"
#include "danlu/base/version.h"
#include "danlu/data/dataset/kfold.h"
#include "danlu/data/dataset/loader.h"
#include "danlu/engine/ops/random.h"
#include "danlu/infer/predictor.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/train/checkpoint.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.stages";
constexpr int64_t kEvaluationBatch = 256;

Json to_json(const data::Split& split) {
  return {{"train", split.train}, {"validation", split.validation}, {"test", split.test}};
}

data::Split split_from_json(const Json& json, int64_t size, const std::string& source) {
  data::Split split;
  try {
    split = {json.at("train").get<std::vector<int64_t>>(), json.at("validation").get<std::vector<int64_t>>(), json.at("test").get<std::vector<int64_t>>()};
  } catch (const Json::exception& error) {
    throw DataError(kWhere, fmt::format("{}: {}", source, error.what()));
  }
  for (const auto* part : {&split.train, &split.validation, &split.test}) {
    for (const int64_t i : *part) {
      if (i < 0 || i >= size) throw DataError(kWhere, fmt::format("{}: got sample {} of {}; the data have changed since: prepare the run again", source, i, size));
    }
  }
  return split;
}

eval::Predictions predictions_of(DataSource& source, data::TaskKind task, const std::vector<std::string>& class_names,
                                 std::span<const int64_t> samples, const Tensor& outputs, const std::vector<infer::Prediction>& decoded) {
  if (task == data::TaskKind::regression) {
    std::vector<double> values;
    for (const infer::Prediction& p : decoded) values.push_back(p.value);
    return eval::Predictions::regression(source.targets(samples), values);
  }
  return eval::Predictions::classification(source.labels(samples, class_names), outputs.span(), static_cast<int64_t>(class_names.size()));
}

}  // namespace

Pipeline::Pipeline(Recipe recipe, RunDirectory directory, Observer observer)
    : recipe_(std::move(recipe)), directory_(std::move(directory)), observer_(std::move(observer)) {
  source_ = open_source(recipe_.data);  // before anything is cleared: a wrong path must not cost an earlier run
  complete(recipe_, source_->kind() == infer::InputKind::image, source_->size());
  train::check(recipe_.train);
  directory_.start_fresh();
}

Pipeline::Pipeline(RunDirectory directory, Observer observer)
    : recipe_(load_recipe(directory.file("resolved.yaml"))), directory_(std::move(directory)), observer_(std::move(observer)) {
  if (recipe_.threads > 0) set_num_threads(static_cast<int>(recipe_.threads));
}

Pipeline::~Pipeline() = default;

void Pipeline::begin(const char* stage) {
  directory_.update({{"status", "running"}, {"stage", stage}, {"pid", ::getpid()}});
  if (observer_.on_stage) observer_.on_stage(stage);
}

template <class Stage>
auto Pipeline::guarded(const Stage& stage) {
  try {
    return stage();
  } catch (const std::exception& error) {
    directory_.update({{"status", "failed"}, {"error", error.what()}, {"finished", now_text()}});
    throw;
  }
}

DataSource& Pipeline::source() {
  if (!source_) source_ = open_source(recipe_.data);
  return *source_;
}

data::Split Pipeline::make_split() {
  return data::split({.size = source().size(), .labels = source().strata(), .hashes = source().hashes(), .given = source().given()}, recipe_.data.split);
}

const data::Split& Pipeline::split() {
  if (!split_) {
    const fs::path path = directory_.file("split.json");
    split_ = split_from_json(read_json(path), source().size(), path.string());
  }
  return *split_;
}

FittedData& Pipeline::fitted() {
  if (!fitted_) fitted_ = source().fit(split().train);
  return *fitted_;
}

void Pipeline::prepare() {
  guarded([&] {
    directory_.update({{"name", recipe_.name}, {"started", now_text()}, {"danlu", version()}, {"compiler", compiler()},
                       {"git_commit", git_commit()}, {"cpu", cpu_info().model}, {"threads", num_threads()}});
    begin("prepare");
    write_file_atomic(directory_.file("resolved.yaml"), recipe_.render());
    split_ = make_split();
    const data::LeakReport leaks = data::check_leaks(source().hashes(), *split_);
    const QualityReport quality = source().report(*split_);
    write_json(directory_.file("data_report.json"), quality.json);
    write_file_atomic(directory_.file("data_report.txt"), quality.text);
    if (observer_.on_text) observer_.on_text(quality.text);
    if (!leaks.empty() && recipe_.data.split.on_overlap == "drop") {
      throw DataError(kWhere, fmt::format("{}: got {} training samples whose content is in the test split too; expected none", recipe_.data.source, leaks.train_test));
    }
    if (!quality.passed && recipe_.data.strict) {
      throw DataError(kWhere, fmt::format("{}: the data quality report found failures (data.strict is set); see {}", recipe_.data.source,
                                          directory_.file("data_report.txt").string()));
    }
    const FittedData& data = fitted();
    write_json(directory_.file("split.json"), to_json(*split_));
    write_json(directory_.file("preprocess.json"), data.preprocess);
    write_file_atomic(directory_.file("preprocess.txt"), data.reasons);

    infer::BundleConfig config;
    config.name = recipe_.name;
    config.task = data.task;
    config.input = source().kind();
    config.input_shape = data.input_shape;
    config.class_names = data.class_names;
    config.target = recipe_.data.table.target;
    config.model = models::parse_model(recipe_.model).resolved;
    config.training = {{"danlu", version()}, {"seed", recipe_.seed}, {"data_hash", source().content_hash().hex()}, {"git_commit", git_commit()},
                       {"train_samples", data.training_samples.size()}};
    const auto model = make_model(data, static_cast<uint64_t>(recipe_.seed));  // a network that cannot be built must fail here
    write_json(directory_.file("config.json"), config.to_json());
    directory_.update({{"data_hash", source().content_hash().hex()}, {"samples", source().size()}, {"parameters", model->num_parameters()}});
    if (observer_.on_text) {
      observer_.on_text(fmt::format("{} samples: {} train, {} validation, {} test\n\n{}", source().size(), split_->train.size(), split_->validation.size(),
                                    split_->test.size(), models::summary(*model, data.input_shape)));
    }
  });
}

std::unique_ptr<nn::Module> Pipeline::make_model(const FittedData& data, uint64_t seed) const {
  manual_seed(seed);
  return models::parse_model(recipe_.model).make(data.input_shape, data::task_outputs(data.task, static_cast<int64_t>(data.class_names.size())));
}

train::Result Pipeline::train() {
  return guarded([&] {
    begin("train");
    FittedData& data = fitted();
    const auto seed = static_cast<uint64_t>(recipe_.seed);
    const auto model = make_model(data, seed);
    data::DataLoader training(*data.dataset, data.training_samples, {.batch_size = recipe_.train.batch_size}, seed, data::Phase::train);
    std::optional<data::DataLoader> validation;
    if (!split().validation.empty()) {
      validation.emplace(*data.dataset, split().validation, data::LoaderOptions{.batch_size = kEvaluationBatch}, seed, data::Phase::evaluate);
    }
    std::error_code ignored;
    fs::remove(directory_.file("metrics.jsonl"), ignored);  // of an earlier training of the same run
    LineAppender metrics(directory_.file("metrics.jsonl"));
    train::Callbacks callbacks = observer_.training;
    callbacks.on_epoch = [&](const train::EpochReport& r) {
      const auto number_or_null = [](const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); };
      metrics.append(to_line({{"step", r.progress.step}, {"epoch", r.progress.epoch}, {"seconds", r.seconds}, {"train_loss", r.train_loss},
                              {"train_accuracy", r.train_accuracy}, {"validation_loss", number_or_null(r.validation_loss)},
                              {"validation_accuracy", number_or_null(r.validation_accuracy)}, {"lr", r.lr}, {"gradient_norm", r.gradient_norm},
                              {"best", r.is_best}}));
      if (observer_.training.on_epoch) observer_.training.on_epoch(r);
    };
    train::Trainer trainer(*model, train::Objective(data.task, recipe_.train.objective), recipe_.train);
    train::Result result = trainer.fit(training, validation ? &*validation : nullptr, directory_.checkpoints(), callbacks);
    directory_.update({{"training", {{"steps", result.steps}, {"epochs", result.epochs}, {"seconds", result.seconds}, {"stopped_by", result.stopped_by},
                                     {"monitor", result.monitor}, {"best_value", result.best_value}, {"best_step", result.best_step},
                                     {"skipped_updates", result.skipped_updates}, {"weights_hash", train::weights_hash(*model)}}}});
    return result;
  });
}

void Pipeline::bundle() {
  guarded([&] {
    begin("bundle");
    const fs::path best = directory_.checkpoints() / "best.safetensors";
    if (!fs::exists(best)) throw FileError(kWhere, fmt::format("{} has no checkpoint yet; train it first: danlu train {}", directory_.path().string(), directory_.path().string()));
    const fs::path config_path = directory_.file("config.json");
    infer::BundleConfig config = infer::BundleConfig::from_json(read_json(config_path), config_path.string());
    auto model = models::parse_model(config.model).make(config.input_shape, config.outputs());
    const Json state = train::load_checkpoint(best, *model);
    config.training["step"] = state.value("step", Json(nullptr));
    infer::write_bundle(directory_.bundle(), config, *model, read_json(directory_.file("preprocess.json")));
  });
}

eval::EvaluationReport Pipeline::evaluate() {
  return guarded([&] {
    if (!fs::exists(directory_.bundle() / "config.json")) bundle();
    begin("evaluate");
    if (split().test.empty()) throw ConfigError(kWhere, "the test split is empty; set data.split.test to a fraction above 0");
    infer::Predictor predictor(directory_.bundle());
    const Timer timer;
    const Tensor outputs = source().predict(predictor, split().test);
    const double seconds = timer.seconds();
    const infer::BundleConfig config = infer::BundleConfig::from_json(predictor.config(), "config.json");
    const auto predictions = predictions_of(source(), config.task, config.class_names, split().test, outputs, predictor.decode(outputs));
    const eval::EvaluationReport report = eval::evaluate(predictions, recipe_.evaluate.report, config.class_names, source().content_hash().hex());
    Json json = eval::to_json(report);
    json["git_commit"] = git_commit();
    json["danlu"] = version();
    json["seconds_a_thousand_samples"] = 1000 * seconds / static_cast<double>(split().test.size());
    json["peak_memory_bytes"] = peak_memory_bytes();
    write_json(directory_.file("report.json"), json);
    write_file_atomic(directory_.file("report.txt"), eval::to_text(report));
    write_json(directory_.bundle() / "metrics.json", json);
    write_card(report);
    directory_.update({{"status", "finished"}, {"stage", "evaluate"}, {"finished", now_text()}, {"metrics", json.value("metrics", Json())},
                       {"peak_memory_bytes", peak_memory_bytes()}});
    if (observer_.on_text) observer_.on_text(eval::to_text(report));
    return report;
  });
}

KfoldResult Pipeline::kfold() {
  return guarded([&] {
    begin("kfold");
    const KfoldSection& options = recipe_.evaluate.kfold;
    if (source().strata().empty()) throw ConfigError(kWhere, "evaluate.kfold needs classes to stratify by; the target is a number");
    const auto folds = data::repeated_stratified_kfold(source().strata(), options.folds, options.repeats, static_cast<uint64_t>(options.seed), source().hashes());
    std::vector<double> scores;
    Json record = Json::array();
    for (size_t f = 0; f < folds.size(); ++f) {
      // Within a fold a part of its training samples decides when to stop, as in the one split.
      const data::Fold& fold = folds[f];
      std::vector<data::Part> given(static_cast<size_t>(source().size()), data::Part::train);
      for (const int64_t i : fold.test) given[static_cast<size_t>(i)] = data::Part::test;
      data::SplitOptions inner_options = recipe_.data.split;
      inner_options.seed += static_cast<int64_t>(f);
      const data::Split inner = data::split({.size = source().size(), .labels = source().strata(), .hashes = source().hashes(), .given = given}, inner_options);

      const FittedData data = source().fit(inner.train);
      const uint64_t seed = static_cast<uint64_t>(recipe_.seed) + f;
      const auto model = make_model(data, seed);
      data::DataLoader training(*data.dataset, data.training_samples, {.batch_size = recipe_.train.batch_size}, seed, data::Phase::train);
      data::DataLoader validation(*data.dataset, inner.validation, {.batch_size = kEvaluationBatch}, seed, data::Phase::evaluate);
      data::DataLoader test(*data.dataset, fold.test, {.batch_size = kEvaluationBatch}, seed, data::Phase::evaluate);
      const train::Objective objective(data.task, recipe_.train.objective);
      train::Callbacks callbacks;
      callbacks.stop_requested = observer_.training.stop_requested;
      train::Trainer(*model, objective, recipe_.train).fit(training, inner.validation.empty() ? nullptr : &validation, {}, callbacks);
      scores.push_back(train::validate(*model, objective, test).accuracy);
      record.push_back({{"test", fold.test}, {"accuracy", scores.back()}});
      if (observer_.on_fold) observer_.on_fold(static_cast<int64_t>(f) + 1, static_cast<int64_t>(folds.size()));
      if (callbacks.stop_requested != nullptr && callbacks.stop_requested->load()) throw Error(kWhere, "stopped on request before all folds were done");
    }
    const KfoldResult result{"accuracy", eval::summarize_repeated_folds(scores, 1.0 / static_cast<double>(options.folds - 1))};
    write_json(directory_.file("kfold.json"), {{"metric", result.metric}, {"folds", options.folds}, {"repeats", options.repeats}, {"mean", result.score.mean},
                                               {"standard_deviation", result.score.standard_deviation},
                                               {"interval", {result.score.interval.low, result.score.interval.high}}, {"scores", record}});
    directory_.update({{"status", "finished"}, {"finished", now_text()}, {"kfold", {{"mean", result.score.mean}, {"interval", {result.score.interval.low, result.score.interval.high}}}}});
    if (observer_.on_text) {
      observer_.on_text(fmt::format("{} x {}-fold cross-validation: {} {:.4f}, 95 % interval {:.4f} to {:.4f}\n", options.repeats, options.folds, result.metric,
                                    result.score.mean, result.score.interval.low, result.score.interval.high));
    }
    return result;
  });
}

eval::EvaluationReport Pipeline::run() {
  prepare();
  if (train().stopped_by == "request") {
    directory_.update({{"status", "stopped"}, {"finished", now_text()}});
    throw Error(kWhere, fmt::format("stopped on request; what was learnt so far is in {0}: danlu evaluate {0} measures it", directory_.path().string()));
  }
  bundle();
  const eval::EvaluationReport report = evaluate();
  if (recipe_.evaluate.kfold.folds > 1) kfold();
  return report;
}

void Pipeline::write_card(const eval::EvaluationReport& report) const {
  const Json info = directory_.info();
  const Json training = info.value("training", Json::object());
  std::string card = fmt::format("# {}\n\nMade by danlu {} from {} on {}.\n\n", recipe_.name, version(), recipe_.data.source, now_text());
  card += fmt::format("- samples: {}, data hash {}\n- parameters: {}\n- training: {} steps, {}, stopped by {}\n- weights hash: {}\n\n",
                      to_line(info.value("samples", Json(nullptr))), info.value("data_hash", std::string()), to_line(info.value("parameters", Json(nullptr))),
                      to_line(training.value("steps", Json(nullptr))), format_duration(training.value("seconds", -1.0)), training.value("stopped_by", std::string("?")),
                      training.value("weights_hash", std::string()));
  card += "## Quality on the test split\n\n```\n" + eval::to_text(report) + "```\n";
  write_file_atomic(directory_.bundle() / "card.md", card);
}

}  // namespace danlu::app
