#include "danlu/app/recipe/transfer_source.h"

#include "danlu/app/recipe/run_directory.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/text/text_preprocess.h"
#include "danlu/formats/safetensors.h"
#include "danlu/infer/bundle.h"
#include "danlu/infer/language_model.h"
#include "danlu/infer/pretrained_encoder.h"
#include "danlu/learn/models/gpt_quantized.h"

namespace danlu::app {
namespace {

std::vector<nn::NamedTensor> weights_of(const nn::Module& model) {
  std::vector<nn::NamedTensor> all = model.named_parameters();
  for (nn::NamedTensor& buffer : model.named_buffers()) all.push_back(std::move(buffer));
  return all;
}

// How a bundle reads the texts of a table; nothing for one of rows, of images, or of a language model.
std::optional<data::TextPreprocess> texts_in(const fs::path& bundle) {
  const fs::path preprocess = bundle / "preprocess.json";
  if (!fs::exists(preprocess)) return {};
  const Json json = read_json(preprocess);
  if (!json.is_object() || !json.contains("tokenizer") || !json.contains("column")) return {};
  return data::TextPreprocess::from_json(json, preprocess.string());
}

std::string model_type_in(const fs::path& bundle) {
  const Json config = read_json(bundle / "config.json");
  const Json model = config.is_object() ? config.value("model", Json()) : Json();
  const Json type = model.is_object() ? model.value("type", Json()) : Json();
  return type.is_string() ? type.get<std::string>() : "";
}

std::optional<data::Tokenizer> tokenizer_in(const fs::path& bundle) {
  if (fs::exists(bundle / "tokenizer.json")) return data::Tokenizer::load(bundle);
  if (const auto texts = texts_in(bundle); texts && texts->tokenizer() != nullptr) return data::Tokenizer(texts->tokenizer()->model());
  return {};
}

}  // namespace

fs::path bundle_of(const std::string& from, const fs::path& runs) {
  const fs::path path = expand_path(from);
  for (const char* weights : {"model.safetensors", "model.safetensors.index.json"}) {
    if (fs::exists(path / weights)) return path;
  }
  return find_run(path.string(), runs).bundle();
}

TransferSource read_transfer_source(const std::string& from, const fs::path& runs) {
  TransferSource source;
  source.name = from;
  if (fs::path(from).extension() == ".safetensors") {
    const formats::SafetensorsFile file(expand_path(from));
    for (const std::string& name : file.names()) source.weights.push_back({name, file.read(name)});
    return source;
  }
  const fs::path bundle = bundle_of(from, runs);
  source.tokenizer = tokenizer_in(bundle);
  if (infer::is_language_model(bundle)) source.weights = models::dequantized_weights(*infer::LanguageModel::load(bundle)->network);
  else if (infer::is_pretrained_encoder(bundle)) source.weights = weights_of(*infer::read_pretrained_encoder(bundle).model);
  else source.weights = weights_of(*infer::read_bundle(bundle).model);
  return source;
}

data::Tokenizer load_tokenizer(const fs::path& path) {
  for (const fs::path& folder : {path, path / "bundle"}) {
    if (std::optional<data::Tokenizer> tokenizer = tokenizer_in(folder)) return std::move(*tokenizer);
  }
  return data::Tokenizer::load(path);
}

void derive_from_transfer(Recipe& recipe, const fs::path& runs) {
  if (recipe.transfer.from.empty() || fs::path(recipe.transfer.from).extension() == ".safetensors") return;
  const fs::path bundle = bundle_of(recipe.transfer.from, runs);
  if (recipe.tokenizer.file.empty() && tokenizer_in(bundle)) {
    recipe.tokenizer.file = bundle.string();
    recipe.reasons["tokenizer.file"] = "derived: the weights of transfer.from were learnt with this tokeniser";
  }
  const auto texts = texts_in(bundle);
  const auto learns_places = [](const std::string& type) { return type == "encoder" || type == "masked_encoder"; };
  if (!texts || recipe.data.text.length > 0 || !learns_places(recipe.model_type()) || !learns_places(model_type_in(bundle))) return;
  recipe.data.text.length = texts->length();
  recipe.reasons["data.text.length"] = "derived: transfer.from has positions for so many tokens";
}

}  // namespace danlu::app
