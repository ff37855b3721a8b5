#include "danlu/app/recipe/recipe.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/learn/models/model.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.recipe";

void set_path(Json& json, const std::string& key_path, Json value, const std::string& origin) {
  Json* at = &json;
  size_t begin = 0;
  for (;;) {
    const size_t dot = key_path.find('.', begin);
    const std::string key = key_path.substr(begin, dot - begin);
    if (key.empty()) throw ConfigError(kWhere, fmt::format("{}: got \"{}\"; expected key.sub=value", origin, key_path));
    if (at->is_null()) *at = Json::object();
    // A bare word like `optimizer: adam` opens up when one of its options is set.
    if (at->is_string()) *at = Json{{"type", at->get<std::string>()}};
    if (!at->is_object()) throw ConfigError(kWhere, fmt::format("{}: {} has no keys below it", origin, key_path.substr(0, begin > 0 ? begin - 1 : 0)));
    at = &(*at)[key];
    if (dot == std::string::npos) break;
    begin = dot + 1;
  }
  *at = std::move(value);
}

Json parse_value(const std::string& text, const std::string& origin) {
  return parse_yaml("value: " + text, origin).json["value"];
}

// Every key path of the recipe that the environment may set.
class PathCollector : public OptionVisitor {
 public:
  std::vector<std::string> paths;
  void field(const char* n, bool&, const char*) override { add(n); }
  void field(const char* n, int64_t&, Range, const char*) override { add(n); }
  void field(const char* n, double&, Range, const char*) override { add(n); }
  void field(const char* n, std::string&, const char*) override { add(n); }
  void field(const char* n, std::optional<int64_t>&, Range, const char*) override { add(n); }
  void field(const char* n, std::optional<double>&, Range, const char*) override { add(n); }
  void field(const char* n, std::vector<int64_t>&, Range, const char*) override { add(n); }
  void field(const char* n, std::vector<double>&, Range, const char*) override { add(n); }
  void field(const char* n, std::vector<std::string>&, const char*) override { add(n); }
  void field(const char* n, Json&, const char*) override { add(n); }
  void choice(const char* n, std::string&, const std::vector<std::string>&, const char*) override { add(n); }

 protected:
  bool enter(const char* name, const char*) override {
    prefix_.push_back(prefix_.empty() ? name : prefix_.back() + "." + name);
    return true;
  }
  void leave() override { prefix_.pop_back(); }
  std::vector<std::string> keys(const std::vector<std::string>& present) override { return present; }

 private:
  void add(const char* name) { paths.push_back(prefix_.empty() ? name : prefix_.back() + "." + name); }
  std::vector<std::string> prefix_;
};

void apply_environment(Json& json) {
  PathCollector collector;
  Recipe().describe(collector);
  for (const std::string& path : collector.paths) {
    // Short names would collide with the program's own variables: DANLU_DATA is the cache.
    if (path.find('.') == std::string::npos && path != "seed" && path != "threads") continue;
    std::string name = "DANLU_" + path;
    for (char& c : name) c = c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    if (const char* value = std::getenv(name.c_str())) set_path(json, path, parse_value(value, name), name);
  }
}

void apply_overrides(Json& json, const std::vector<std::string>& overrides) {
  for (const std::string& override_text : overrides) {
    const size_t equals = override_text.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw ConfigError(kWhere, fmt::format("got \"{}\"; expected key.sub=value, for example train.epochs=5", override_text));
    }
    const std::string origin = "command line";
    set_path(json, override_text.substr(0, equals), parse_value(override_text.substr(equals + 1), origin), origin);
  }
}

Recipe read(YamlDocument& document, const std::vector<std::string>& overrides) {
  apply_environment(document.json);
  apply_overrides(document.json, overrides);
  Recipe recipe;
  const Locate locate = document.locate();
  read_options(document.json, recipe, locate);
  if (recipe.data.source.empty()) {
    throw ConfigError(kWhere, fmt::format("{}: data.source is missing; expected a table file or a directory of images", document.source));
  }
  recipe.data.source = expand_path(recipe.data.source);
  optim::parse_optimizer(recipe.train.optimizer, locate, "train.optimizer");
  optim::parse_schedule(recipe.train.schedule, locate, "train.schedule");
  if (!recipe.model.is_null()) models::parse_model(recipe.model, locate, "model");
  if (recipe.name.empty() || recipe.name.find('/') != std::string::npos || recipe.name.front() == '.') {
    throw ConfigError(kWhere, fmt::format("{}: name: got \"{}\"; expected a word without slashes: it names the run directory", document.source, recipe.name));
  }
  return recipe;
}

}  // namespace

void DataSection::describe(OptionVisitor& v) {
  v.field("source", source, "a table file (.csv .tsv .arff .json .jsonl, also .gz) or a directory of images");
  table.describe(v);
  v.group("csv", csv, "how to read a CSV or TSV file");
  v.group("image", image, "how to read images");
  v.group("augment", augment, "random variations of training images");
  v.group("split", split, "which samples train, validate and test");
  v.group("report", report, "limits of the data quality report");
  v.field("strict", strict, "stop when the data quality report finds a failure");
}

void KfoldSection::describe(OptionVisitor& v) {
  v.field("folds", folds, {0, 1e6}, "folds of a stratified cross-validation beside the one split; 0: none");
  v.field("repeats", repeats, {1, 1e6}, "rounds, each with folds drawn anew");
  v.field("seed", seed, {0, 9e15}, "of the folds");
}

void EvaluateSection::describe(OptionVisitor& v) {
  report.describe(v);
  v.group("kfold", kfold, "cross-validation: the recipe is trained afresh on every fold");
}

void Recipe::describe(OptionVisitor& v) {
  v.field("name", name, "names the run directory, runs/NAME, and the served model");
  v.field("seed", seed, {0, 9e15}, "of initial weights, shuffling and augmentation");
  v.field("threads", threads, {0, 4096}, "of the engine; 0: all processors, or OMP_NUM_THREADS");
  v.group("data", data, "what to learn from");
  v.field("model", model, "logistic, mlp or cnn; a group {type, ...} to set its options");
  v.group("train", train, "how to learn");
  v.group("evaluate", evaluate, "how to measure");
}

std::string Recipe::render() const {
  Json json = write_options(*this);
  if (!model.is_null()) json["model"] = models::parse_model(model).resolved;
  json["train"]["optimizer"] = optim::parse_optimizer(train.optimizer).resolved;
  json["train"]["schedule"] = optim::parse_schedule(train.schedule).resolved;
  return to_yaml(json, reasons);
}

Recipe load_recipe(const fs::path& path, const std::vector<std::string>& overrides) {
  YamlDocument document = parse_yaml(read_file(path, int64_t{1} << 21), path.string());
  if (!document.json.contains("name")) document.json["name"] = path.stem().string();
  return read(document, overrides);
}

Recipe derive_recipe(const std::string& source, const std::string& target, const std::vector<std::string>& overrides) {
  YamlDocument document;
  document.source = "derived recipe";
  const std::string stem = fs::path(source).filename().stem().stem().string();
  document.json = {{"name", stem.empty() ? "run" : stem}, {"data", {{"source", source}}}};
  if (!target.empty()) document.json["data"]["target"] = target;
  return read(document, overrides);
}

void complete(Recipe& recipe, bool images, int64_t samples) {
  if (recipe.model.is_null()) {
    recipe.model = images ? "cnn" : "mlp";
    recipe.reasons["model"] = images ? "derived: convolutions for images" : "derived: a small perceptron for the rows of a table";
  }
  train::TrainOptions& t = recipe.train;
  if (!t.epochs && !t.steps && !t.time_limit) {
    t.epochs = images ? 12 : 100;
    recipe.reasons["train.epochs"] = images ? "derived: enough passes for a small network on images" : "derived: small tables learn quickly; early stopping ends it sooner";
    if (t.early_stop == 0) {
      t.early_stop = images ? 4 : 15;
      recipe.reasons["train.early_stop"] = "derived: the validation loss decides how long to train";
    }
  }
  // A small table in large batches would see few updates.
  if (t.batch_size == train::TrainOptions().batch_size && samples < 2000) {
    t.batch_size = std::clamp<int64_t>(samples / 20, 8, 64);
    recipe.reasons["train.batch_size"] = fmt::format("derived: about 20 updates an epoch from {} samples", samples);
  }
}

std::string expand_path(const std::string& text) {
  std::string result = text;
  const char* home = std::getenv("HOME");
  if (result.starts_with("~/") && home != nullptr) result = home + result.substr(1);
  for (size_t at = result.find("${"); at != std::string::npos; at = result.find("${", at)) {
    const size_t end = result.find('}', at);
    if (end == std::string::npos) throw ConfigError(kWhere, fmt::format("got \"{}\"; expected a closing brace after ${{", text));
    const std::string name = result.substr(at + 2, end - at - 2);
    const char* value = std::getenv(name.c_str());
    std::string replacement = value != nullptr ? value : "";
    if (replacement.empty()) {
      if (name != "DANLU_DATA" || home == nullptr) {
        throw ConfigError(kWhere, fmt::format("got \"{}\"; the environment variable {} is not set", text, name));
      }
      replacement = std::string(home) + "/.cache/danlu";
    }
    result.replace(at, end - at + 1, replacement);
    at += replacement.size();  // what it holds is not expanded again
  }
  return result;
}

}  // namespace danlu::app
