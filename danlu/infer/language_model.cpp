#include "danlu/infer/language_model.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/formats/safetensors_folder.h"
#include "danlu/infer/bundle_directory.h"
#include "danlu/infer/gguf_language_model.h"
#include "danlu/learn/models/gpt_huggingface.h"
#include "danlu/learn/models/gpt_quantized.h"

namespace danlu::infer {
namespace {

constexpr const char* kWhere = "infer.language_model";
constexpr const char* kGenerationFile = "generation_config.json";
constexpr const char* kQuantization = "quantization_config";
constexpr int64_t kMaxSettingsBytes = 16 << 20;

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

// What people call it: the run that the bundle lies in, or the directory.
std::string name_of(const fs::path& directory, const Json& config) {
  const Json own = config.value("danlu", Json());
  if (own.is_object() && own.contains("name") && own["name"].is_string()) return own["name"];
  fs::path path = fs::absolute(directory).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  return path.filename() == "bundle" ? path.parent_path().filename().string() : path.filename().string();
}

// eos_token_id of a file: an id, a list of ids, or nothing.
std::vector<int64_t> read_eos(const Json& json, const fs::path& path) {
  const auto fail = [&](const Json& got) {
    throw DataError(kWhere, fmt::format("{}: eos_token_id: got {}; expected an id or a list of ids", path.string(), to_line(got)));
  };
  if (!json.is_object()) throw DataError(kWhere, fmt::format("{}: expected an object", path.string()));
  const Json value = json.value("eos_token_id", Json());
  if (value.is_null()) return {};
  std::vector<int64_t> ids;
  for (const Json& id : value.is_array() ? value : Json::array({value})) {
    if (!id.is_number_integer()) fail(value);
    ids.push_back(id.get<int64_t>());
  }
  return ids;
}

// What the settings of generation name, else the configuration, and the tokeniser's own: a chat model's turn often ends with the
// one and a text with the other. Ids that the vocabulary lacks end nothing and are left out.
std::vector<data::TokenId> find_eos(const fs::path& directory, const Json& config, const data::Tokenizer& tokenizer, int64_t vocab_size) {
  std::vector<int64_t> ids;
  if (is_there(directory / kGenerationFile)) {
    ids = read_eos(read_json(directory / kGenerationFile, kMaxSettingsBytes), directory / kGenerationFile);
  }
  if (ids.empty()) ids = read_eos(config, directory / kConfigFile);
  if (tokenizer.eos()) ids.push_back(*tokenizer.eos());
  std::vector<data::TokenId> eos;
  for (const int64_t id : ids) {
    if (id < 0 || id >= vocab_size || std::find(eos.begin(), eos.end(), id) != eos.end()) continue;
    eos.push_back(static_cast<data::TokenId>(id));
  }
  return eos;
}

// Weights in few bits of our own; those of others gpt_from_huggingface() refuses.
bool is_quantized(const Json& config, const fs::path& path) {
  const Json method = config.is_object() ? config.value(kQuantization, Json()) : Json();
  if (!method.is_object() || method.value("quant_method", Json()) != kOwnQuantization) return false;
  if (method.value("version", Json()) == kOwnQuantizationVersion) return true;
  throw DataError(kWhere, fmt::format("{}: {}.version: got {}; expected {}; the model was compressed by another release", path.string(), kQuantization,
                                      to_line(method.value("version", Json())), kOwnQuantizationVersion));
}

}  // namespace

std::shared_ptr<LanguageModel> LanguageModel::load(const fs::path& given) {
  if (is_gguf(given)) return read_gguf_language_model(given);
  const fs::path directory = bundle_directory(given), config_path = directory / kConfigFile;
  if (!is_there(config_path)) {
    throw FileError(kWhere, fmt::format("got {}; expected the directory of a language model (no {} there), or a .gguf file", given.string(), kConfigFile));
  }
  Json config = read_json(config_path, kMaxSettingsBytes);
  const bool quantized = is_quantized(config, config_path);
  Json network_config = config;
  if (quantized) network_config.erase(kQuantization);
  const models::GptOptions options = models::gpt_from_huggingface(network_config, config_path.string());
  data::Tokenizer tokenizer = data::Tokenizer::load(directory);
  if (tokenizer.vocab_size() > options.vocab_size) {
    throw DataError(kWhere, fmt::format("{}: vocab_size: got {}; the tokeniser beside it has {} tokens", config_path.string(), options.vocab_size,
                                        tokenizer.vocab_size()));
  }
  std::vector<data::TokenId> eos = find_eos(directory, config, tokenizer, options.vocab_size);
  const fs::path weights = directory / "model.safetensors";
  auto network = quantized ? models::read_quantized_gpt(formats::SafetensorsFile(weights), weights.string(), options)
                           : models::read_huggingface_weights(formats::SafetensorsFolder(directory), options);
  network->eval();
  return std::make_shared<LanguageModel>(
      LanguageModel{name_of(directory, config), std::move(network), std::move(tokenizer), std::move(eos), std::move(config)});
}

bool is_language_model(const fs::path& given) {
  if (is_gguf(given)) return true;
  const fs::path path = bundle_directory(given) / kConfigFile;
  if (!is_there(path)) return false;
  const Json config = read_json(path, kMaxSettingsBytes);
  return config.is_object() && config.contains("model_type");
}

}  // namespace danlu::infer
