// From a bundle to a smaller one, and to numbers of both: the ranges of activations and the fine-tuning see the training samples alone,
// the test split is read for the comparison.
#include <algorithm>
#include <cmath>
#include <functional>

#include "danlu/app/recipe/compare_predictions.h"
#include "danlu/app/recipe/compression.h"
#include "danlu/app/recipe/prediction_pipeline.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/rng.h"
#include "danlu/compress/channels.h"
#include "danlu/compress/fold_norms.h"
#include "danlu/compress/heads.h"
#include "danlu/compress/prune.h"
#include "danlu/compress/quantize.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/random.h"
#include "danlu/infer/bundle_directory.h"
#include "danlu/learn/nn/compact_weight.h"
#include "danlu/learn/train/checkpoint.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.compress";
constexpr int64_t kLeastCalibration = 8;  // samples
constexpr int64_t kBatch = 64;            // of the larger latency
constexpr int64_t kMeasuredBatch = 16;    // of the importance of heads
constexpr double kRamp = 0.6;             // of the fine-tuning, in which weights become fewer
constexpr int64_t kChoices = 100;         // of weights in the ramp

void require_dense(const nn::Module& model, const std::string& name) {
  bool any = false;
  const std::function<void(const nn::Module&)> look = [&](const nn::Module& module) {
    if (const auto* layer = dynamic_cast<const nn::WeightedLayer*>(&module)) {
      any = true;
      if (const nn::CompactWeight* compact = layer->compact_weight()) {
        throw ConfigError(kWhere, fmt::format("{} is compressed already, to {}; compress the run that it was made of", name, compact->name()));
      }
    }
    for (const auto& [child_name, child] : module.children()) look(*child);
  };
  look(model);
  if (!any) throw ConfigError(kWhere, fmt::format("{} has no linear layer and no convolution; there is nothing to compress", name));
}

void require_calibration(int64_t wanted, int64_t training_samples) {
  const int64_t samples = std::min(wanted, training_samples);
  if (samples >= kLeastCalibration) return;
  throw ConfigError(kWhere, fmt::format("int8: got {} training sample{} to calibrate by; expected at least {}: the ranges of so few say little of others{}", samples,
                                        samples == 1 ? "" : "s", kLeastCalibration, training_samples < kLeastCalibration ? "" : "; raise --calibration"));
}

// So many training samples, drawn by a seed.
std::vector<int64_t> some_of(std::vector<int64_t> samples, int64_t count) {
  Rng rng(0);
  rng.shuffle(samples);
  samples.resize(static_cast<size_t>(std::min<int64_t>(count, std::ssize(samples))));
  return samples;
}

int64_t file_bytes(const fs::path& path) { return static_cast<int64_t>(fs::file_size(path)); }

}  // namespace

// What a recipe asks for is refused before the training, and not after it.
void PredictionPipeline::check_compression(const nn::Module& model, const Plan& plan) const {
  const compress::Target target = compress::parse_target(recipe_.compress.to, "compress.to");
  require_dense(model, recipe_.name);
  if (target.kind == compress::Target::Kind::int8) require_calibration(recipe_.compress.options.calibration, std::ssize(plan.split.train));
  if (target.kind == compress::Target::Kind::channels && !compress::has_heads(plan.config.model)) compress::take_channels(model, plan.config.model, plan.config.input_shape, plan.config.outputs(), target.share);
}

// ---- The smaller model ----------------------------------------------------------------------------------------------------

void PredictionPipeline::learn_again(nn::Module& model, compress::Pruning* pruning, const CompressOptions& options) {
  train::TrainOptions training = recipe_.train;
  if (options.epochs) {
    training.epochs = options.epochs;
    training.steps.reset();
    training.tokens.reset();
    training.time_limit.reset();
  } else {
    if (training.epochs) *training.epochs /= 2;
    if (training.steps) training.steps = std::max<int64_t>(1, *training.steps / 2);
    if (training.tokens) training.tokens = std::max<int64_t>(1, *training.tokens / 2);
    if (training.time_limit) *training.time_limit /= 2;
  }
  const auto choose = [&](double part) {
    if (pruning == nullptr) return;
    pruning->choose(part);
    pruning->apply();
  };
  if (options.epochs && *options.epochs == 0) return choose(1);
  train::Callbacks callbacks = observer().training;
  int64_t chosen = 0;
  callbacks.on_step = [&](const train::StepReport& step) {
    const auto now = std::min(static_cast<int64_t>(step.progress.fraction / kRamp * kChoices), kChoices);
    if (pruning != nullptr && now > chosen) choose(compress::cubic_schedule(static_cast<double>(now) / kChoices));
    else if (pruning != nullptr) pruning->apply();
    chosen = std::max(now, chosen);
    if (observer().training.on_step) observer().training.on_step(step);
  };
  const auto seed = static_cast<uint64_t>(recipe_.seed);
  manual_seed(seed);
  const FittedData& data = fitted();
  data::DataLoader loader(*data.dataset, data.training_samples, {.batch_size = training.batch_size}, seed, data::Phase::train);
  std::optional<data::DataLoader> validation;
  if (!split().validation.empty()) validation.emplace(*data.dataset, split().validation, data::LoaderOptions{.batch_size = 256}, seed, data::Phase::evaluate);
  const std::unique_ptr<train::Objective> objective = make_objective(data);
  const train::Session session{.best_from = pruning != nullptr ? kRamp : 0};
  const train::Result result = train::Trainer(model, *objective, training).fit(loader, validation ? &*validation : nullptr, session, callbacks);
  if (result.stopped_by == "request") throw Error(kWhere, "stopped on request; nothing was written");
  choose(1);
}

// Without some of its units: of a Transformer encoder by what they mean for training samples, of others by their weights.
compress::Narrowed PredictionPipeline::narrow(nn::Module& model, const infer::BundleConfig& config, double share, const CompressOptions& options) {
  if (!compress::has_heads(config.model)) return compress::take_channels(model, config.model, config.input_shape, config.outputs(), share);
  const FittedData& data = fitted();
  const std::unique_ptr<train::Objective> objective = make_objective(data);
  data::DataLoader loader(*data.dataset, some_of(data.training_samples, options.calibration), {.batch_size = kMeasuredBatch}, 0, data::Phase::evaluate);
  compress::HeadImportance importance(model, config.model);
  for (const data::Batch& batch : loader) {
    backward(objective->evaluate(model, batch).loss);
    importance.add();
  }
  return compress::take_heads(model, config.model, config.input_shape, config.outputs(), share, importance);
}

// The bundle's model in its smaller form; config.model may become another.
std::unique_ptr<nn::Module> PredictionPipeline::make_smaller(infer::BundleConfig& config, const compress::Target& target, const CompressOptions& options, Json& settings) {
  using Kind = compress::Target::Kind;
  infer::Bundle bundle = infer::read_bundle(directory_.bundle());
  std::unique_ptr<nn::Module>& model = bundle.model;
  if (target.kind == Kind::int8) {
    require_calibration(options.calibration, std::ssize(split().train));
    const std::vector<int64_t> samples = some_of(split().train, options.calibration);
    if (compress::Folded folded = compress::fold_norms(*model, config.model, config.input_shape, config.outputs()); folded.model != nullptr) {
      model = std::move(folded.model);
      config.model = folded.config;
    }
    const infer::Predictor encoder(directory_.bundle());
    const compress::InputRanges ranges = compress::calibrate(*model, [&] {
      const NoGrad no_grad;
      for (size_t begin = 0; begin < samples.size(); begin += kBatch) {
        const auto piece = std::span(samples).subspan(begin, std::min<size_t>(kBatch, samples.size() - begin));
        (*model)(encoder.narrowed(source().encode(encoder, piece)));
      }
    });
    compress::to_int8(*model, ranges);
    settings = {{"calibration_samples", samples.size()}, {"ranges", Json::object()}};
    for (const auto& [name, range] : ranges) settings["ranges"][name] = {{"low", range.low}, {"high", range.high}, {"percentile", range.percentile}};
    return std::move(model);
  }
  settings = {{"epochs", options.epochs ? Json(*options.epochs) : Json("half of the run's")}};
  if (target.kind == Kind::channels) {
    compress::Narrowed narrowed = narrow(*model, config, target.share, options);
    settings["parameters_before"] = model->num_parameters();
    settings["parameters_after"] = narrowed.model->num_parameters();
    learn_again(*narrowed.model, nullptr, options);
    config.model = narrowed.config;
    return std::move(narrowed.model);
  }
  compress::Pruning pruning(*model, target, options.scope == "layer" ? compress::Scope::layer : compress::Scope::global);
  learn_again(*model, &pruning, options);
  settings["sparsity"] = pruning.sparsity();
  if (target.kind == Kind::sparse) settings["scope"] = options.scope;
  compress::to_sparse(*model);
  return std::move(model);
}

// ---- Beside the larger one ------------------------------------------------------------------------------------------------

void PredictionPipeline::compare_quality(Compression& found, const infer::BundleConfig& config, infer::Predictor& before, infer::Predictor& after) {
  const std::vector<int64_t>& samples = split().test;
  const Json preprocess = read_json(directory_.bundle() / infer::kPreprocessFile);
  const Tensor outputs[] = {source().predict(before, samples), source().predict(after, samples)};
  const eval::BootstrapOptions& bootstrap = recipe_.evaluate.report.bootstrap;
  const auto add = [&](const std::string& prefix, const eval::Predictions& one, const eval::Predictions& other) {
    const std::vector<std::string> names = config.task == data::TaskKind::multitask ? eval::default_metrics(one.task()) : measured_by(recipe_.evaluate, one.task()).metrics;
    for (ComparedMetric& metric : compare_metrics(prefix, one, other, names, bootstrap)) found.metrics.push_back(std::move(metric));
    found.deciding.push_back(prefix + names.front());
  };
  if (config.task != data::TaskKind::multitask) {
    return add("", compare_predictions(source(), samples, config, preprocess, before, outputs[0]), compare_predictions(source(), samples, config, preprocess, after, outputs[1]));
  }
  const std::vector<infer::Prediction> said[] = {before.decode(outputs[0]), after.decode(outputs[1])};
  for (const data::Head& head : config.heads) {
    add(head.name + ".", compare_head(source(), samples, head, preprocess, said[0]), compare_head(source(), samples, head, preprocess, said[1]));
  }
}

void PredictionPipeline::write_smaller(const RunDirectory& made, const infer::BundleConfig& config, const nn::Module& model) const {
  for (const char* name : {"split.json", "preprocess.json", "data_report.json", "data_report.txt", "recipe.yaml"}) {
    if (fs::exists(directory_.file(name))) write_file_atomic(made.file(name), read_file(directory_.file(name)));
  }
  Recipe recipe = recipe_;
  recipe.name = made.name();
  recipe.compress = {};
  recipe.model = config.model;
  write_file_atomic(made.file("resolved.yaml"), recipe.render());
  write_json(made.file("config.json"), config.to_json());
  const fs::path background = directory_.bundle() / "background.json";
  if (fs::exists(background)) write_file_atomic(made.bundle() / "background.json", read_file(background));
  infer::write_bundle(made.bundle(), config, model, read_json(directory_.bundle() / infer::kPreprocessFile));
}

Compression PredictionPipeline::compress(const compress::Target& target, const CompressOptions& options, const RunDirectory& made) {
  const fs::path config_path = directory_.bundle() / infer::kConfigFile;
  infer::Predictor before(directory_.bundle());
  infer::BundleConfig config = infer::BundleConfig::from_json(read_json(config_path), config_path.string());
  require_dense(before.model(), directory_.name());
  if (config.task == data::TaskKind::clustering) throw ConfigError(kWhere, "clusters are not compressed");
  if (split().test.empty()) throw ConfigError(kWhere, fmt::format("{} has no test split; expected one to measure by what compression costs: data.split.test", directory_.path().string()));
  if (fs::absolute(made.path()).lexically_normal() == fs::absolute(directory_.path()).lexically_normal()) {
    throw ConfigError(kWhere, fmt::format("-o: got {}, the run itself; expected another directory", made.path().string()));
  }
  const RunLock lock(made);
  if (observer().on_stage) observer().on_stage("compress");
  Compression found{.from = directory_.name(), .to = target.name(), .tolerance = options.tolerance};
  const std::unique_ptr<nn::Module> model = make_smaller(config, target, options, found.settings);

  made.start_fresh();
  Json info = directory_.info();
  for (const char* key : {"gates", "error", "finished", "peak_memory_bytes"}) info.erase(key);
  config.name = made.name();
  config.training["weights_hash"] = train::weights_hash(*model);
  config.training["compressed"] = {{"from", found.from}, {"to", found.to}};
  info.update({{"name", made.name()}, {"status", "running"}, {"stage", "compress"}, {"started", now_text()}, {"parameters", nn::count_weights(*model)},
               {"compressed", {{"from", found.from}, {"to", found.to}}}});
  made.update(info);
  write_smaller(made, config, *model);

  infer::Predictor after(made.bundle());
  compare_quality(found, config, before, after);
  found.bytes_before = file_bytes(directory_.bundle() / infer::kModelFile);
  found.bytes_after = file_bytes(made.bundle() / infer::kModelFile);
  for (const int64_t batch : {int64_t{1}, kBatch}) {
    std::vector<int64_t> samples;
    for (int64_t i = 0; i < batch; ++i) samples.push_back(split().test[static_cast<size_t>(i % std::ssize(split().test))]);
    found.latencies.push_back(compare_latency(before, after, source().encode(before, samples)));
  }
  write_json(made.bundle() / "compress.json", found.to_json());
  made.update({{"status", "trained"}, {"compressed", {{"from", found.from}, {"to", found.to}, {"worth", found.worth()}}}});
  return found;
}

}  // namespace danlu::app
