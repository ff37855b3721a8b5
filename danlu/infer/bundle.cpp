#include "danlu/infer/bundle.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/infer/bounded_model.h"
#include "danlu/infer/bundle_directory.h"
#include "danlu/infer/pretrained_encoder.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/nn/compact_weight.h"
#include "danlu/learn/train/checkpoint.h"

namespace danlu::infer {
namespace {

constexpr const char* kWhere = "infer.bundle";
constexpr BundleFormat kFormat = {"danlu-bundle", 1, "a bundle"};

data::TaskKind task_from_name(const std::string& name, const std::string& source) {
  for (const auto task : {data::TaskKind::binary, data::TaskKind::multiclass, data::TaskKind::multilabel, data::TaskKind::regression, data::TaskKind::multitask, data::TaskKind::clustering, data::TaskKind::generation}) {
    if (name == data::name_of(task)) return task;
  }
  throw DataError(kWhere, fmt::format("{}: task: got \"{}\"; expected binary, multiclass, multilabel, regression, multitask, clustering or generation", source, name));
}

bool classes_fit(data::TaskKind task, size_t classes) {
  switch (task) {
    case data::TaskKind::binary: return classes == 2;
    case data::TaskKind::multiclass: return classes > 2;
    case data::TaskKind::multilabel: return classes > 1;
    case data::TaskKind::clustering: return classes > 0;
    case data::TaskKind::generation: return classes != 1;
    case data::TaskKind::regression:
    case data::TaskKind::multitask: return classes == 0;
  }
  return false;
}

Shape shape_from(const Json& json, InputKind input, const std::string& source) {
  const auto sizes = json.get<std::vector<int64_t>>();
  const bool positive = std::all_of(sizes.begin(), sizes.end(), [](int64_t size) { return size > 0; });
  if (!positive || sizes.size() != (input == InputKind::image ? 3 : 1)) {
    throw DataError(kWhere, fmt::format("{}: input_shape: got {}; expected {}", source, to_line(json),
                                        input == InputKind::table ? "[features]" : input == InputKind::text ? "[tokens]" : "[height, width, channels]"));
  }
  return Shape(sizes);
}

}  // namespace

const char* name_of(InputKind kind) { return kind == InputKind::table ? "table" : kind == InputKind::image ? "image" : "text"; }

Json BundleConfig::to_json() const {
  Json json = format_fields(kFormat);
  json.update({{"name", name},
          {"task", data::name_of(task)},
          {"input", name_of(input)},
          {"input_shape", std::vector<int64_t>(input_shape.sizes().begin(), input_shape.sizes().end())},
          {"class_names", class_names},
          {"target", target},
          {"decision", decides() ? decision.to_json() : Json(nullptr)},
          {"notice", notice},
          {"missing", {{"words", missing.words}, {"quoted", missing.quoted}}},
          {"model", model},
          {"training", training}});
  for (const data::Head& head : heads) json["heads"].push_back({{"name", head.name}, {"task", data::name_of(head.task)}, {"class_names", head.class_names}});
  return json;
}

BundleConfig BundleConfig::from_json(const Json& json, const std::string& source) {
  const auto fail = [&](const std::string& message) { throw DataError(kWhere, fmt::format("{}: {}", source, message)); };
  BundleConfig config;
  try {
    check_format(json, kFormat, source, kWhere);
    config.name = json.at("name");
    config.task = task_from_name(json.at("task"), source);
    const std::string input = json.at("input");
    if (input != "table" && input != "image" && input != "text") fail(fmt::format("input: got \"{}\"; expected table, image or text", input));
    config.input = input == "table" ? InputKind::table : input == "image" ? InputKind::image : InputKind::text;
    config.input_shape = shape_from(json.at("input_shape"), config.input, source);
    config.class_names = json.at("class_names").get<std::vector<std::string>>();
    config.target = json.at("target");
    config.notice = json.value("notice", "");
    if (const auto decision = json.find("decision"); decision != json.end() && !decision->is_null()) config.decision = Decision::from_json(*decision, source);
    if (const auto words = json.find("missing"); words != json.end()) {
      config.missing = {words->at("words").get<std::vector<std::string>>(), words->at("quoted").get<bool>()};
    }
    for (const Json& saved : json.value("heads", Json::array())) {
      data::Head head{saved.at("name").get<std::string>(), task_from_name(saved.at("task"), source), saved.at("class_names").get<std::vector<std::string>>()};
      if (!classes_fit(head.task, head.class_names.size()) || !(data::has_classes(head.task) || head.task == data::TaskKind::regression)) {
        fail(fmt::format("heads: got {} class names for the {} head {}", head.class_names.size(), data::name_of(head.task), head.name));
      }
      if (std::any_of(config.heads.begin(), config.heads.end(), [&](const data::Head& other) { return other.name == head.name; })) {
        fail(fmt::format("heads: got two of the name {}; expected a name of its own for each target", head.name));
      }
      config.heads.push_back(std::move(head));
    }
    config.model = json.at("model");
    config.training = json.value("training", Json::object());
  } catch (const Json::exception& error) {
    fail(error.what());
  }
  const size_t classes = config.class_names.size();
  const bool fits = classes_fit(config.task, classes) && (config.task == data::TaskKind::multitask) == (config.heads.size() > 1) &&
                    (config.decision.thresholds.empty() || config.decision.thresholds.size() == classes);
  if (!fits) {
    fail(fmt::format("class_names: got {} names for a {} task of {} heads", classes, data::name_of(config.task), config.heads.size()));
  }
  return config;
}

bool is_bundle(const fs::path& given) { return has_format(given, kFormat); }

void write_bundle(const fs::path& directory, const BundleConfig& config, const nn::Module& model, const Json& preprocess) {
  make_directories(directory);
  train::save_checkpoint(directory / kModelFile, model, nullptr, Json::object());
  write_json(directory / kPreprocessFile, preprocess);
  write_json(directory / kConfigFile, config.to_json());
}

Bundle read_bundle(const fs::path& given) {
  const fs::path directory = bundle_directory(given);
  const fs::path config_path = directory / kConfigFile;
  if (!fs::exists(config_path)) {
    throw FileError(kWhere, fmt::format("got {}; expected a bundle or a finished run (no {} there); make one with: danlu run RECIPE",
                                        given.string(), kConfigFile));
  }
  if (is_pretrained_encoder(directory)) {
    throw DataError(kWhere, fmt::format("{}: an encoder that tells hidden tokens answers nothing by itself; begin a model with it, by a recipe with transfer: {{from: ...}} and model: encoder", directory.string()));
  }
  Bundle bundle;
  bundle.directory = directory;
  bundle.config = BundleConfig::from_json(read_json(config_path), config_path.string());
  bundle.preprocess = read_json(directory / kPreprocessFile);
  const BundleConfig& config = bundle.config;
  const formats::SafetensorsFile file(directory / kModelFile);
  make_bounded(directory / kModelFile, config_path.string(), kWhere, [&] { bundle.model = models::parse_model(config.model).make(config.input_shape, config.outputs()); },
               nn::bytes_when_dense(file));
  nn::take_compact_weights(*bundle.model, file, (directory / kModelFile).string());
  train::load_checkpoint(directory / kModelFile, *bundle.model);
  bundle.model->eval();
  return bundle;
}

}  // namespace danlu::infer
