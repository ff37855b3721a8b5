#include "danlu/app/recipe/pretraining_pipeline.h"

#include <algorithm>

#include "danlu/app/recipe/cost.h"
#include "danlu/app/recipe/derive.h"
#include "danlu/app/recipe/gates.h"
#include "danlu/app/recipe/split_file.h"
#include "danlu/app/recipe/transfer_source.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/timer.h"
#include "danlu/data/dataset/loader.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/random.h"
#include "danlu/eval/language.h"
#include "danlu/infer/pretrained_encoder.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/train/masked_language_objective.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.pretraining";
constexpr int64_t kEvaluationBatch = 32;
constexpr double kUsualEpochs = 20;
constexpr int64_t kUsualPatience = 3;

}  // namespace

PretrainingPipeline::PretrainingPipeline(Recipe recipe, RunDirectory directory, Observer observer)
    : Pipeline(std::move(recipe), std::move(directory), std::move(observer)) {
  derive_from_transfer(recipe_, directory_.path().parent_path());
  derive_end(recipe_, kUsualEpochs, kUsualPatience);
}

PretrainingPipeline::PretrainingPipeline(RunDirectory directory, Observer observer)
    : Pipeline(reopen_recipe(directory.file("resolved.yaml")), directory, std::move(observer)), prepared_(true) {}

DataSource& PretrainingPipeline::source() {
  if (source_) return *source_;
  auto source = open_source(recipe_);
  if (prepared_) require_unchanged(source->content_hash().hex());
  source_ = std::move(source);
  return *source_;
}

const data::Split& PretrainingPipeline::split() {
  if (!split_) split_ = read_split(directory_.file("split.json"), source().size());
  return *split_;
}

const FittedData& PretrainingPipeline::fitted() {
  if (!fitted_) fitted_ = source().fit(split().train);
  return *fitted_;
}

data::TextPreprocess PretrainingPipeline::preprocess() { return data::TextPreprocess::from_json(fitted().preprocess, "preprocess.json"); }

// Of a split whose texts are all empty nothing can be asked.
void PretrainingPipeline::require_words(const std::string& column, std::span<const int64_t> samples, const char* part) {
  data::Batch batch;
  for (const int64_t sample : samples) {
    fitted().dataset->gather({&sample, 1}, batch);
    if (batch.x.data<int64_t>()[0] != 0) return;
  }
  if (samples.empty()) return;
  throw DataError(kWhere, fmt::format("{}: got no word in the {} {} texts of \"{}\"; expected some to hide; is that the column of texts (data.text.column)?", recipe_.data.source, samples.size(), part, column));
}

std::unique_ptr<nn::Module> PretrainingPipeline::make_model() {
  manual_seed(static_cast<uint64_t>(recipe_.seed));
  return models::parse_model(recipe_.model).make(fitted().input_shape, fitted().vocabulary);
}

void PretrainingPipeline::check() {
  train::check(recipe_.train);
  if (recipe_.train.monitor == "accuracy") throw ConfigError(kWhere, "train.monitor: got accuracy; expected loss: pre-training is watched by its loss");
  check_gates_are_measured(recipe_.evaluate.gates, {"loss", "perplexity", "bits_per_byte", "token_accuracy"});
  fitted_.reset();
  split_ = data::split({.size = source().size(), .labels = {}, .hashes = source().hashes(), .given = source().given()}, recipe_.data.split);
  if (split_->test.empty()) throw ConfigError(kWhere, "the test split is empty, so that nothing could be measured; set data.split.test above 0");
  quality_ = source().report(*split_);
  report("data", quality_.text, quality_.json);
  if (!quality_.passed && recipe_.data.strict) throw DataError(kWhere, fmt::format("{}: the data quality report has failures, and data.strict is set", recipe_.data.source));
  if (recipe_.train.early_stop > 0 && split_->validation.empty()) throw ConfigError(kWhere, "train.early_stop needs a validation split, which is empty; set data.split.validation above 0");
  recipe_.reasons["data.columns"] = fitted().reasons;
  const data::TextPreprocess text = preprocess();
  require_words(text.column(), split_->train, "training");
  require_words(text.column(), split_->validation, "validation");
  require_words(text.column(), split_->test, "test");
  const auto model = make_model();
  if (const auto& encoder = dynamic_cast<const models::MaskedEncoder&>(*model); encoder.vocab_size() != text.vocab_size()) {
    throw ConfigError(kWhere, fmt::format("model.vocab_size: got {}; expected 0, or {}: the tokens of the tokeniser, and padding", encoder.vocab_size(), text.vocab_size()));
  }
  plan_weights(*model, text.tokenizer());
  report("plan", fmt::format("{} texts to train, {} to validate, {} to test\n{}\n{} parameters\n", fitted().training_samples.size(), split_->validation.size(), split_->test.size(), model->describe(), model->num_parameters()),
         {{"task", "pretraining"}, {"train", fitted().training_samples.size()}, {"validation", split_->validation.size()}, {"test", split_->test.size()}, {"parameters", model->num_parameters()}});
}

void PretrainingPipeline::prepare() {
  begin("prepare");
  check();
  directory_.start_fresh();
  guarded([&] {
    start_directory({{"data_hash", data_hash()}, {"samples", source().size()}, {"parameters", make_model()->num_parameters()}});
    write_json(directory_.file("data_report.json"), quality_.json);
    write_file_atomic(directory_.file("data_report.txt"), quality_.text);
    write_json(directory_.file("split.json"), to_json(split()));
    write_json(directory_.file("preprocess.json"), fitted().preprocess);
    write_transfer();
    directory_.update({{"status", "prepared"}});
  });
}

train::Result PretrainingPipeline::train(train::Start start) {
  train::Result result;
  stage("train", [&] {
    const auto model = make_model();
    put_transferred(*model);
    const auto seed = static_cast<uint64_t>(recipe_.seed);
    data::DataLoader training(*fitted().dataset, fitted().training_samples, {.batch_size = recipe_.train.batch_size}, seed, data::Phase::train);
    std::optional<data::DataLoader> validation;
    if (!split().validation.empty()) validation.emplace(*fitted().dataset, split().validation, data::LoaderOptions{.batch_size = kEvaluationBatch}, seed, data::Phase::evaluate);
    result = fit(start, *model, train::MaskedLanguageObjective(), training, validation ? &*validation : nullptr);
  });
  return result;
}

void PretrainingPipeline::write_bundle() {
  const auto model = make_model();
  const Json training = load_best(*model);
  infer::write_pretrained_encoder(directory_.bundle(), recipe_.name, *model, fitted().preprocess, models::parse_model(recipe_.model).resolved, training);
}

Evaluation PretrainingPipeline::measure() {
  const infer::PretrainedEncoder encoder = infer::read_pretrained_encoder(directory_.bundle());
  if (encoder.preprocess.to_json() != fitted().preprocess) throw DataError(kWhere, fmt::format("{}: preprocess.json is not what the data and the recipe make; bundle the run again", directory_.bundle().string()));
  const data::Tokenizer& tokenizer = *encoder.preprocess.tokenizer();
  const NoGrad no_grad;
  std::vector<eval::LanguageScore> texts;
  int64_t bytes = 0;
  data::DataLoader loader(*fitted().dataset, split().test, {.batch_size = kEvaluationBatch}, 0, data::Phase::evaluate);
  const Timer timer;
  const CpuTimer cpu;
  for (const data::Batch& batch : loader) {
    std::vector<int64_t> places, wanted, counts;  // those of one text after those of another
    for (int64_t row = 0; row < batch.size(); ++row) {
      counts.push_back(0);
      for (int64_t i = row * batch.y.size(1); i < (row + 1) * batch.y.size(1); ++i) {
        const int64_t token = batch.y.data<int64_t>()[i];
        if (token == models::MaskedEncoder::kIgnore) continue;
        places.push_back(i);
        wanted.push_back(token);
        ++counts.back();
        const auto id = static_cast<data::TokenId>(token - 1);
        if (!tokenizer.is_special(id)) bytes += std::ssize(tokenizer.token_bytes(id));
      }
    }
    if (places.empty()) continue;  // texts of nothing
    Tensor at = Tensor::empty({std::ssize(places)}, Dtype::i64);
    std::copy(places.begin(), places.end(), at.mutable_data<int64_t>());
    const Tensor logits = encoder.model->logits(batch.x, at);
    size_t first = 0;
    for (const int64_t count : counts) {
      if (count == 0) continue;
      eval::LanguageScore score;
      score.add(logits.rows(static_cast<int64_t>(first), static_cast<int64_t>(first) + count).span(), std::span(wanted).subspan(first, static_cast<size_t>(count)), encoder.model->vocab_size());
      texts.push_back(score);
      first += static_cast<size_t>(count);
    }
  }
  const Effort effort{timer.seconds(), cpu.seconds()};
  const eval::LanguageReport quality = eval::summarize(texts, bytes);
  Json json = eval::to_json(quality);
  json["task"] = "pretraining";
  json["samples"] = split().test.size();
  json["weights_hash"] = encoder.config.at("training").value("weights_hash", Json(nullptr));
  Json details;
  details["cost"] = {{"texts read, in batches", per_thousand(static_cast<double>(texts.size()), effort, recipe_.evaluate.price_per_hour)}};
  return {.measured = std::move(json), .text = "hidden tokens of the test split\n\n" + eval::to_text(quality), .details = std::move(details)};
}

}  // namespace danlu::app
