#include "danlu/app/recipe/language_pipeline.h"

#include <algorithm>

#include "danlu/app/recipe/derive.h"
#include "danlu/app/recipe/gates.h"
#include "danlu/app/recipe/language_quality.h"
#include "danlu/app/recipe/latency.h"
#include "danlu/app/recipe/transfer_source.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/timer.h"
#include "danlu/data/dataset/loader.h"
#include "danlu/data/dataset/token_dataset.h"
#include "danlu/data/text/bpe_trainer.h"
#include "danlu/data/text/character_vocabulary.h"
#include "danlu/data/text/tokenizer_model.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/random.h"
#include "danlu/infer/generator.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/train/language_objective.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.language";
constexpr int64_t kUsualBatch = 16;
constexpr double kUsualEpochs = 10;
constexpr int64_t kUsualPatience = 3;

const char* const kEndOfText = "<|endoftext|>";
// The turns of a conversation (ChatML). They are in every vocabulary, so that a model can be taught to talk later.
const std::vector<std::string> kSpecialTokens = {kEndOfText, "<|im_start|>", "<|im_end|>"};

constexpr data::Part kParts[] = {data::Part::train, data::Part::validation, data::Part::test};

// What a recipe leaves open.
void derive_language_choices(Recipe& recipe) {
  if (recipe.model.is_null()) {
    recipe.model = "gpt";
    recipe.reasons["model"] = "derived: a small decoder, because the data are text";
  }
  train::TrainOptions& t = recipe.train;
  if (!recipe.gives("train.batch_size")) {
    t.batch_size = kUsualBatch;
    recipe.reasons["train.batch_size"] = "derived: sequences, each of model.context tokens";
  }
  derive_end(recipe, kUsualEpochs, kUsualPatience);
}

// Fractions of the text that nobody chose: small ones do, because a text has many tokens.
void derive_split(Recipe& recipe) {
  if (!recipe.gives("data.split.validation")) recipe.data.split.validation = 0.05;
  if (!recipe.gives("data.split.test")) recipe.data.split.test = 0.05;
}

bool has_part(const Recipe& recipe, data::Part part) {
  if (part == data::Part::validation) return recipe.data.split.validation > 0;
  if (part == data::Part::test) return recipe.data.split.test > 0;
  return true;
}

}  // namespace

LanguagePipeline::LanguagePipeline(Recipe recipe, RunDirectory directory, Observer observer)
    : Pipeline(std::move(recipe), std::move(directory), std::move(observer)) {
  derive_from_transfer(recipe_, directory_.path().parent_path());
  derive_language_choices(recipe_);
  derive_split(recipe_);
}

LanguagePipeline::LanguagePipeline(RunDirectory directory, Observer observer)
    : Pipeline(reopen_recipe(directory.file("resolved.yaml")), directory, std::move(observer)) {}

const LanguageCorpus& LanguagePipeline::corpus() {
  if (!corpus_) {
    corpus_.emplace(recipe_.data);
    recipe_.data.text.split_by = corpus_->split_by();
    if (!corpus_->reason().empty()) recipe_.reasons["data.text.split_by"] = corpus_->reason();
    report("data", corpus_->report_text(), corpus_->report());
  }
  return *corpus_;
}

void LanguagePipeline::check() {
  train::check(recipe_.train);
  models::parse_model(recipe_.model);
  data::split_pattern(recipe_.tokenizer.pattern);
  infer::check(recipe_.evaluate.sample.sampling);
  if (recipe_.train.monitor == "accuracy") {
    throw ConfigError(kWhere, "train.monitor: got accuracy; expected loss: a language model is watched by its loss");
  }
  if (recipe_.evaluate.kfold.folds > 0) throw ConfigError(kWhere, "evaluate.kfold is for tables and images with classes; a text has none");
  if (!recipe_.compress.to.empty() && !has_held_out_text()) throw ConfigError(kWhere, "compress.to: got one, and neither a test part nor a validation part to measure by; set data.split.test above 0");
  check_gates_are_measured(recipe_.evaluate.gates, {"loss", "perplexity", "bits_per_byte", "token_accuracy"});
  corpus();
}

data::Tokenizer LanguagePipeline::make_tokenizer() {
  const TokenizerSection& options = recipe_.tokenizer;
  data::TokenizerModel model;
  if (!options.file.empty()) {
    model = load_tokenizer(expand_path(options.file)).model();
  } else if (options.type == "character") {
    data::CharacterVocabulary characters;
    corpus().read(data::Part::train, [&](std::string_view text, bool) { characters.add(text); });
    model = characters.model({.min_frequency = options.min_frequency, .special_tokens = {kEndOfText}});
  } else {
    data::BpeTrainerOptions bpe;
    bpe.vocab_size = options.vocab_size;
    bpe.min_frequency = options.min_frequency;
    bpe.pattern = options.pattern;
    bpe.special_tokens = kSpecialTokens;
    data::BpeTrainer trainer(bpe);
    corpus().read(data::Part::train, [&](std::string_view text, bool) { trainer.add(text); });
    model = trainer.train();
  }
  if (!options.chat_template.empty()) model.chat_template = options.chat_template;
  return data::Tokenizer(std::move(model));
}

void LanguagePipeline::write_tokens(const data::Tokenizer& tokenizer) {
  const data::TokenStreamInfo info{tokenizer.vocab_size(), tokenizer.bos(), tokenizer.eos()};
  std::vector<data::TokenId> ids;
  std::string summary;
  Json json = Json::object();
  for (const data::Part part : kParts) {
    if (!has_part(recipe_, part)) continue;
    data::TokenShardWriter writer(directory_.file("tokens"), data::part_name(part), info);
    bool in_document = false;
    corpus().read(part, [&](std::string_view text, bool last) {
      if (!in_document) writer.begin_document();
      ids.clear();
      tokenizer.encode(text, ids);
      writer.add(ids);
      in_document = !last;
      if (last) writer.end_document();
    });
    if (writer.size() == 0) {
      throw DataError(kWhere, fmt::format("the {} part is empty; expected text in it: set data.split.{} higher, or to 0", data::part_name(part), data::part_name(part)));
    }
    writer.finish();
    json[data::part_name(part)] = writer.size();
    summary += fmt::format("{}{} {} tokens", summary.empty() ? "" : ", ", data::part_name(part), writer.size());
  }
  directory_.update({{"tokens", json}});
  report("tokens", fmt::format("{}; vocabulary {}\n", summary, tokenizer.vocab_size()), {{"tokens", json}, {"vocab_size", tokenizer.vocab_size()}});
}

// Neither is ever written to again, so that links are as good as copies.
void LanguagePipeline::link_tokens(const RunDirectory& prepared) const {
  for (const char* part : {"tokenizer", "tokens"}) {
    std::error_code error;
    fs::copy(prepared.file(part), directory_.file(part), fs::copy_options::recursive | fs::copy_options::create_hard_links, error);
    if (error) throw FileError(kWhere, fmt::format("cannot link {} to {}: {}", prepared.file(part).string(), directory_.path().string(), error.message()));
  }
  directory_.update({{"tokens", prepared.info().at("tokens")}});
}

void LanguagePipeline::prepare_from(const RunDirectory* prepared) {
  begin("prepare");
  check();
  directory_.start_fresh();
  guarded([&] {
    start_directory({{"data_hash", corpus().content_hash().hex()}, {"documents", corpus().documents()}, {"bytes", corpus().bytes()}});
    write_json(directory_.file("data_report.json"), corpus().report());
    write_file_atomic(directory_.file("data_report.txt"), corpus().report_text());
    if (prepared != nullptr) {
      link_tokens(*prepared);
    } else {
      const data::Tokenizer tokenizer = make_tokenizer();
      tokenizer.save(directory_.file("tokenizer"));
      write_tokens(tokenizer);
    }
    const auto model = make_model();
    plan_weights(*model->network, &model->tokenizer);
    write_transfer();
    directory_.update({{"parameters", model->network->num_parameters()}});
    report("plan", fmt::format("{}\n{} parameters\n", model->network->describe(), model->network->num_parameters()),
           {{"model", write_options(model->network->options())}, {"parameters", model->network->num_parameters()}});
    directory_.update({{"status", "prepared"}});
  });
}

std::shared_ptr<infer::LanguageModel> LanguagePipeline::make_model() const {
  data::Tokenizer tokenizer = data::Tokenizer::load(directory_.file("tokenizer"));
  manual_seed(static_cast<uint64_t>(recipe_.seed));
  std::unique_ptr<nn::Module> network = models::parse_model(recipe_.model).make({1}, tokenizer.vocab_size());
  std::vector<data::TokenId> eos;
  if (tokenizer.eos()) eos.push_back(*tokenizer.eos());
  return std::make_shared<infer::LanguageModel>(infer::LanguageModel{
      recipe_.name, std::unique_ptr<models::Gpt>(&dynamic_cast<models::Gpt&>(*network.release())), std::move(tokenizer), std::move(eos), Json::object()});
}

// What the model writes now, as a line of samples.jsonl; the same for people is returned.
std::string LanguagePipeline::write_samples(const std::shared_ptr<infer::LanguageModel>& model, const train::EpochReport& epoch) const {
  const SampleSection& options = recipe_.evaluate.sample;
  const nn::EvalMode eval(*model->network);
  infer::Generator generator(model);
  std::string page;
  LineAppender file(directory_.file("samples.jsonl"));
  for (const std::string& prompt : options.prompts) {
    infer::GenerationRequest request;
    if (model->tokenizer.eos()) request.prompt.push_back(*model->tokenizer.eos());
    model->tokenizer.encode(prompt, request.prompt);
    request.max_tokens = options.tokens;
    request.sampling = options.sampling;
    if (!request.sampling.seed) request.sampling.seed = static_cast<uint64_t>(recipe_.seed);
    const std::string text = prompt + infer::generate(generator, std::move(request)).text;
    file.append(to_line(Json{{"step", epoch.progress.step}, {"prompt", prompt}, {"text", text}}));
    page += text + "\n";
  }
  return page;
}

train::Result LanguagePipeline::train(train::Start start) {
  refuse_compressed();
  train::Result result;
  stage("train", [&] {
    const auto model = make_model();
    put_transferred(*model->network);
    const auto seed = static_cast<uint64_t>(recipe_.seed);
    const int64_t context = model->network->options().context;
    const data::TokenDataset text = windows_of(data::Part::train, context);
    data::DataLoader training(text, data::all_indexes(text), {.batch_size = recipe_.train.batch_size}, seed, data::Phase::train);
    std::optional<data::TokenDataset> held_out;
    std::optional<data::DataLoader> validation;
    if (has_part(recipe_, data::Part::validation)) {
      held_out.emplace(windows_of(data::Part::validation, context));
      validation.emplace(*held_out, data::all_indexes(*held_out), data::LoaderOptions{.batch_size = recipe_.train.batch_size}, seed,
                         data::Phase::evaluate);
    }
    const auto sample = [&](const train::EpochReport& epoch) -> std::string {
      if (recipe_.evaluate.sample.prompts.empty()) return "";
      const std::string page = write_samples(model, epoch);
      report("sample", page, {{"step", epoch.progress.step}, {"text", page}});
      return page;
    };
    result = fit(start, *model->network, train::LanguageObjective(), training, validation ? &*validation : nullptr, sample);
  });
  return result;
}

void LanguagePipeline::write_bundle() {
  const auto model = make_model();
  const Json training = load_best(*model->network);
  model->network->eval();
  infer::write_language_model(directory_.bundle(), *model->network, model->tokenizer, recipe_.name, training);
}

namespace {

// What generation is timed with.
std::vector<data::TokenId> beginning(const data::TokenShards& text) {
  constexpr int64_t kTokens = 1024;
  std::vector<int64_t> ids(static_cast<size_t>(std::min(text.size(), kTokens)));
  text.read(0, ids);
  return {ids.begin(), ids.end()};
}

}  // namespace

data::Part LanguagePipeline::measured_part() const { return has_part(recipe_, data::Part::test) ? data::Part::test : data::Part::validation; }

bool LanguagePipeline::has_held_out_text() const { return has_part(recipe_, measured_part()); }

data::TokenDataset LanguagePipeline::windows_of(data::Part part, int64_t context) const {
  return {data::TokenShards(directory_.file("tokens"), data::part_name(part)), {.context = context, .isolate_documents = recipe_.data.text.isolate_documents}};
}

Evaluation LanguagePipeline::measure() {
  const std::shared_ptr model = infer::LanguageModel::load(directory_.bundle());
  const data::TokenDataset text = windows_of(measured_part(), model->network->options().context);
  const char* part = data::part_name(measured_part());
  const Timer timer;
  const CpuTimer cpu;
  const LanguageQuality measured = score_text(*model, text);
  const Effort scoring{timer.seconds(), cpu.seconds()};
  const eval::LanguageReport quality = eval::summarize(measured.windows, measured.bytes);

  Json json = eval::to_json(quality);
  json["part"] = part;
  json["tokens_per_second"] = static_cast<double>(quality.tokens) / scoring.seconds;
  Json details;
  const GenerationTimes generation = time_generation(model, beginning(text.tokens()));
  const std::optional<double>& price = recipe_.evaluate.price_per_hour;
  details["latency"] = generation.latency;
  details["cost"] = {{"tokens read, in batches", per_thousand(static_cast<double>(quality.tokens), scoring, price)},
                   {"tokens written, one text at a time", per_thousand(generation.tokens, generation.effort, price)}};
  return {.measured = std::move(json), .text = eval::to_text(quality), .details = std::move(details), .part = part};
}

}  // namespace danlu::app
