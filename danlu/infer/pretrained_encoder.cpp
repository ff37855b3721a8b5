#include "danlu/infer/pretrained_encoder.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/infer/bounded_model.h"
#include "danlu/infer/bundle_directory.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/train/checkpoint.h"

namespace danlu::infer {
namespace {

constexpr const char* kWhere = "infer.encoder";
constexpr BundleFormat kFormat{"danlu-pretrained-encoder", 1, "an encoder that tells hidden tokens"};

}  // namespace

bool is_pretrained_encoder(const fs::path& given) { return has_format(given, kFormat); }

PretrainedEncoder read_pretrained_encoder(const fs::path& given) {
  const fs::path directory = bundle_directory(given), config_path = directory / kConfigFile, preprocess_path = directory / kPreprocessFile, weights = directory / kModelFile;
  const std::string source = config_path.string();
  Json config = read_json(config_path);
  std::string name;
  Json model_config;
  try {
    check_format(config, kFormat, source, kWhere);
    name = config.at("name").get<std::string>();
    model_config = config.at("model");
  } catch (const Json::exception& error) {
    throw DataError(kWhere, fmt::format("{}: {}", source, error.what()));
  }
  data::TextPreprocess preprocess = data::TextPreprocess::from_json(read_json(preprocess_path), preprocess_path.string());
  std::unique_ptr<nn::Module> made;
  make_bounded(weights, source, kWhere, [&] { made = models::parse_model(model_config).make({preprocess.length()}, preprocess.vocab_size()); });
  auto* encoder = dynamic_cast<models::MaskedEncoder*>(made.get());
  if (encoder == nullptr || encoder->vocab_size() != preprocess.vocab_size()) {
    throw DataError(kWhere, fmt::format("{}: model: got {}; expected a masked_encoder of the {} tokens in {}", source, made->describe(), preprocess.vocab_size(), preprocess_path.string()));
  }
  made.release();
  PretrainedEncoder result{std::move(name), std::move(preprocess), std::unique_ptr<models::MaskedEncoder>(encoder), std::move(config)};
  train::load_checkpoint(weights, *result.model);
  result.model->eval();
  return result;
}

void write_pretrained_encoder(const fs::path& directory, const std::string& name, const nn::Module& weights, const Json& preprocess, const Json& model, const Json& training) {
  make_directories(directory);
  train::save_checkpoint(directory / kModelFile, weights, nullptr, Json::object());
  write_json(directory / kPreprocessFile, preprocess);
  Json config = format_fields(kFormat);
  config.update({{"name", name}, {"model", model}, {"training", training}});
  write_json(directory / kConfigFile, config);
}

}  // namespace danlu::infer
