#include "danlu/app/recipe/recipe.h"

#include <cstdlib>

#include "danlu/app/recipe/checks.h"
#include "danlu/app/recipe/overrides.h"
#include "danlu/app/recipe/tune_section.h"
#include "danlu/app/recipe/yaml.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/models/recommender.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.recipe";
constexpr int64_t kMaxBytes = int64_t{1} << 21;  // more than the YAML reader takes, so that it is the one to refuse

// Who wrote it. The environment has a say in what the user did, and in nothing else.
enum class Author { user, search, render };

bool is_plain_text(fs::path path) {
  if (path.extension() == ".gz") path = path.stem();
  return path.extension() == ".txt" || path.extension() == ".md";
}

Recipe read(YamlDocument document, std::string text, const std::vector<std::string>& overrides, Author author) {
  Recipe recipe;
  Origins origins;
  if (author == Author::user) {
    apply_environment(document.json, recipe_keys([&](OptionVisitor& v) { recipe.describe(v); }), origins);
  }
  apply_overrides(document.json, overrides, origins);
  const Locate locate = locate_with(document.locate(), std::move(origins));
  read_options(document.json, recipe, locate);
  recipe.text = std::move(text);
  recipe.given = document.json;
  check_recipe(recipe, locate);
  recipe.data.source = expand_path(recipe.data.source);
  for (std::string& path : recipe.data.faq.off_topic) path = expand_path(path);
  if (author == Author::user) check_everything_is_read(recipe, locate);  // a search may try models that read other keys
  check_tune_section(recipe, locate);
  return recipe;
}

}  // namespace

void DataSection::describe(OptionVisitor& v) {
  v.field(
      "source", source,
      "a table file (.csv .tsv .arff .json .jsonl, also .gz), a directory of images, or text (.txt .md .jsonl, a directory, a "
      "pattern); ${NAME} is the environment's");
  v.field("licence", licence, "of the data, for the model card: the terms that they come under");
  table.describe(v);
  v.field("class_names", class_names,
          "what answers call the classes of a table, in the order of classes; default: as they are in the file");
  v.group("csv", csv, "how to read a CSV or TSV file");
  v.group("image", image, "how to read images");
  v.group("text", text, "how to read text");
  v.group("interactions", interactions, "the columns of a table of users and items");
  v.group("series", series, "the columns of a table of times, and what of them is to be foretold");
  v.group("faq", faq, "the columns of a table of questions and answers");
  v.group("augment", augment, "random variations of training images");
  v.group("split", split, "which samples train, validate and test");
  v.group("report", report, "limits of the data quality report");
  v.field("strict", strict, "stop when the data quality report finds a failure");
}

void ImageSection::describe(OptionVisitor& v) {
  FolderOptions::describe(v);
  v.field("column", column, "of a table: PNG and JPEG files, by their paths from the table on, of which its other columns tell");
}

void TextSection::describe(OptionVisitor& v) {
  source.describe(v);
  v.group("clean", clean, "what is changed in documents, and which are left out");
  v.field("column", column, "of a table: the texts to say something of; default: the column with the longest ones");
  v.field("length", length, {0, 1e6}, "tokens of a text of a table, after which it is cut off; 0: as most texts have, at most 512");
  v.field("token_dropout", token_dropout, {0, 0.9}, "fraction of the tokens of a text of a table that training leaves out, others in every epoch");
  v.field("mask_rate", mask_rate, {0.01, 0.9}, "fraction of the tokens of a text of a table that pre-training asks for");
  v.choice("split_by", split_by, {"auto", "document", "position"},
           "whole documents by chance, or the beginning of the text trains and its end tests; auto: by document if there are enough");
  v.field("isolate_documents", isolate_documents, "a window that holds the end of one document and the start of another looks at neither from the other");
}

void TokenizerSection::describe(OptionVisitor& v) {
  v.choice("type", type, {"bpe", "character"}, "byte-level byte-pair encoding, or single characters");
  v.field("vocab_size", vocab_size, {257, 1e7}, "tokens to learn: 256 bytes, the special ones, and merges");
  v.field("min_frequency", min_frequency, {1, 1e9}, "a merge, or a character, must be there so often");
  v.field("pattern", pattern, "what merges stay within: gpt2, cl100k (Llama 3) or qwen");
  v.field("file", file, "a tokenizer.json, a directory that holds one, or a run of a model that reads text: to be taken as it is");
  v.field("chat_template", chat_template, "Jinja: how a conversation is put before the model; empty: ChatML, or that of the file");
}

void SampleSection::describe(OptionVisitor& v) {
  v.field("prompts", prompts, "beginnings to go on from after each validation; empty: none");
  v.field("tokens", tokens, {1, 1e6}, "length of each");
  sampling.describe(v);
}

void DialogueSection::describe(OptionVisitor& v) {
  v.field("precision", precision, {0, 1}, "part of the given answers that shall be right, on validation questions and those off topic; the others are handed over to a person");
  v.field("context", context, {0, 1}, "how much what was asked before counts, of what comes next; 0: every question stands alone");
  v.field("hand_over", hand_over, "what is said where a person takes over");
}

void TransferSection::describe(OptionVisitor& v) {
  v.field("from", from, "a run, a bundle, a folder of a language model or a .safetensors file, whose weights this model begins with; empty: none");
  v.field("names", names, "parts of this model, and what they are called there: {encoder: backbone}; empty: all tensors of the same name and shape");
}

void KfoldSection::describe(OptionVisitor& v) {
  v.field("folds", folds, {0, 1e6}, "folds of a stratified cross-validation beside the one split; 0: none");
  v.field("repeats", repeats, {1, 1e6}, "rounds, each with folds drawn anew");
  v.field("seed", seed, {0, 9e15}, "of the folds");
}

void EvaluateSection::describe(OptionVisitor& v) {
  report.describe(v);
  v.group("kfold", kfold, "cross-validation: the recipe is trained afresh on every fold");
  v.group("sample", sample, "text that a language model writes during training");
  v.field("demographic", demographic, "columns of a table, used as features or not, by whose values the test split is compared in groups");
  v.field("top", top, {1, 10000}, "recommendations that are measured: the k of recall@k and NDCG@k");
  v.field("gates", gates, "bounds that measures have to keep, {auc: 0.75}, or the run has failed: exit code 3");
  v.field("price_per_hour", price_per_hour, {0, 1e6}, "of the machine, in any currency; reports then say what 1,000 predictions cost");
  v.field("explain_seconds", explain_seconds, {0, 3600}, "at most, for saying why the model answers as it does; 0: not at all");
}

void Recipe::describe(OptionVisitor& v) {
  v.field("name", name, "names the run directory, runs/NAME, and the served model");
  v.field("seed", seed, {0, 9e15}, "of initial weights, shuffling and augmentation");
  v.field("threads", threads, {0, 4096}, "of the engine; 0: all processors, or OMP_NUM_THREADS");
  v.group("data", data, "what to learn from");
  v.group("tokenizer", tokenizer, "how text becomes tokens");
  v.group("ngrams", ngrams, "which n-grams a bag_of_ngrams is made of");
  static const std::string kModels = fmt::format("{}; a group {{type, ...}} to set its options", fmt::join(models::model_types(), ", "));
  v.field("model", model, kModels.c_str());
  v.group("transfer", transfer, "another model to begin with");
  v.group("train", train, "how to learn");
  v.group("decision", decision, "how probabilities become answers");
  v.group("dialogue", dialogue, "how questions are answered from a FAQ, and when a person takes over");
  v.group("evaluate", evaluate, "how to measure");
  v.group("compress", compress, "the finished model made smaller, beside it and measured against it");
  v.field("purpose", purpose, "what the model is for, a sentence for its model card");
  v.field("notice", notice, "a sentence that stands beside every answer, in the report and in the model card: what this model is not for");
  v.group("tune", tune, "how danlu tune looks for better values; nothing else heeds it");
}

std::string Recipe::model_type() const {
  const Json type = model.is_object() ? model.value("type", Json()) : model;
  return type.is_string() ? type.get<std::string>() : "";
}

RecipeKind Recipe::kind() const {
  const std::string type = model_type();
  if (type == "gpt" || (type.empty() && !gives("model") && data.table.target_columns().empty() && is_plain_text(data.source))) return RecipeKind::language;
  if (type == "masked_encoder") return RecipeKind::pretraining;
  if (type == "gan" || type == "autoencoder") return RecipeKind::images;
  if (type == "kmeans") return RecipeKind::clusters;
  if (!data.series.values.empty()) return RecipeKind::forecast;
  if (type.empty() ? gives("data.interactions") : models::is_recommender(type)) return RecipeKind::recommendation;
  if (type.empty() ? gives("data.faq") : type == "retriever") return RecipeKind::faq;
  return RecipeKind::prediction;
}

bool Recipe::reads_text() const { return kind() == RecipeKind::prediction && (!data.text.column.empty() || models::reads_text(model_type())); }

bool Recipe::reads_ngrams() const {
  const std::string type = model_type();
  return type.empty() ? model.is_null() && reads_text() && !gives("tokenizer") : models::reads_ngrams(type);
}

bool Recipe::gives(const std::string& key_path) const { return find_value(given, key_path) != nullptr; }

std::string Recipe::render() const {
  Json json = write_options(*this);
  json.erase("tune");
  json.erase(reads_ngrams() ? "tokenizer" : "ngrams");
  if (!model.is_null()) json["model"] = models::parse_model(model).resolved;
  json["train"]["optimizer"] = optim::parse_optimizer(train.optimizer).resolved;
  json["train"]["schedule"] = optim::parse_schedule(train.schedule).resolved;
  return to_yaml(json, reasons);
}

Recipe load_recipe(const fs::path& path, const std::vector<std::string>& overrides) {
  std::string text = read_file(path, kMaxBytes);
  YamlDocument document = parse_yaml(text, path.string());
  if (!document.json.contains("name")) document.json["name"] = path.stem().string();
  return read(std::move(document), std::move(text), overrides, Author::user);
}

Recipe derive_recipe(const std::string& source, const std::string& target, const std::vector<std::string>& overrides) {
  YamlDocument document;
  document.source = "derived recipe";
  // "data/patients.csv.gz" and "data/flowers/" name their runs patients and flowers.
  fs::path path = fs::path(source).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  const std::string stem = path.filename().stem().stem().string();
  document.json = {{"name", stem.empty() || stem == "." || stem == ".." ? "run" : stem},
                   {"data", {{"source", source}}}};
  if (!target.empty()) document.json["data"]["target"] = target;
  std::string text = to_yaml(document.json);
  return read(std::move(document), std::move(text), overrides, Author::user);
}

Recipe vary_recipe(const Recipe& recipe, const Json& values) {
  YamlDocument document;
  document.json = recipe.given;
  for (const char* section : {"tune", "compress"}) document.json.erase(section);
  for (const auto& [key_path, value] : values.items()) set_value(document.json, key_path, value, "tune");
  std::string text = to_yaml(document.json);
  return read(std::move(document), std::move(text), {}, Author::search);
}

Recipe reopen_recipe(const fs::path& path) {
  std::string text = read_file(path, kMaxBytes);
  return read(parse_yaml(text, path.string()), text, {}, Author::render);
}

std::string expand_path(const std::string& text) {
  std::string result = text;
  const char* home = std::getenv("HOME");
  if (result.starts_with("~/") && home != nullptr) result = home + result.substr(1);
  for (size_t at = result.find("${"); at != std::string::npos;) {
    const size_t end = result.find('}', at);
    if (end == std::string::npos) throw ConfigError(kWhere, fmt::format("got \"{}\"; expected a }} after ${{", text));
    const std::string name = result.substr(at + 2, end - at - 2);
    const char* set = std::getenv(name.c_str());
    std::string value = set != nullptr ? set : "";
    if (value.empty() && name == "DANLU_DATA" && home != nullptr) value = std::string(home) + "/.cache/danlu";
    if (value.empty()) {
      throw ConfigError(kWhere, fmt::format("got \"{}\"; the environment variable {} is not set", text, name));
    }
    result.replace(at, end - at + 1, value);
    at = result.find("${", at + value.size());
  }
  return result;
}

}  // namespace danlu::app
