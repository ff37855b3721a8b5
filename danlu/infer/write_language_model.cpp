#include <algorithm>
#include <cstring>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/formats/safetensors.h"
#include "danlu/infer/language_model.h"
#include "danlu/infer/sample_text.h"
#include "danlu/learn/models/gpt_huggingface.h"
#include "danlu/learn/models/gpt_quantized.h"

namespace danlu::infer {
namespace {

using data::TokenId;
using data::Tokenizer;
using models::Gpt;

constexpr const char* kWhere = "infer.language_model";
constexpr const char* kConfigFile = "config.json";

// One id as a number, more as a list.
Json to_json(const std::vector<TokenId>& eos) { return eos.empty() ? Json(nullptr) : eos.size() == 1 ? Json(eos[0]) : Json(eos); }
Json to_json(std::optional<TokenId> id) { return id ? Json(*id) : Json(nullptr); }

Tensor sample_logits(Gpt& network, const std::vector<TokenId>& ids) {
  constexpr int64_t kTokens = 64;
  const int64_t count = std::min({kTokens, network.options().context, std::max<int64_t>(1, static_cast<int64_t>(ids.size()))});
  Tensor input = Tensor::zeros({1, count}, Dtype::i64);
  for (size_t i = 0; i < std::min(ids.size(), static_cast<size_t>(count)); ++i) input.mutable_data<int64_t>()[i] = ids[i];
  const NoGrad no_grad;
  const nn::EvalMode eval(network);
  return network(input);
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && std::memcmp(a.raw_bytes(), b.raw_bytes(), a.bytes()) == 0;
}

// What differs between what was to be written and what is read; empty if nothing does.
std::string difference(Gpt& network, const Tokenizer& tokenizer, LanguageModel& again) {
  const auto before = network.named_parameters(), after = again.network->named_parameters();
  if (before.size() != after.size()) return fmt::format("{} parameters became {}", before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) {
    if (!same_bits(before[i].tensor, after[i].tensor)) return "the weights " + before[i].name;
  }
  for (const auto& [name, weight] : network.quantized_weights()) {
    const auto found = again.network->quantized_weights().find(name);
    if (found == again.network->quantized_weights().end() || !same_bits(weight.packed(), found->second.packed())) return "the weights " + name;
  }
  const Tokenizer& read = again.tokenizer;
  if (read.vocab_size() != tokenizer.vocab_size()) return fmt::format("{} tokens became {}", tokenizer.vocab_size(), read.vocab_size());
  for (TokenId id = 0; id < tokenizer.vocab_size(); ++id) {
    if (read.token_bytes(id) != tokenizer.token_bytes(id) || read.is_special(id) != tokenizer.is_special(id)) return fmt::format("token {}", id);
  }
  if (read.bos() != tokenizer.bos() || read.eos() != tokenizer.eos() || read.pad() != tokenizer.pad() || read.unk() != tokenizer.unk()) {
    return "the special tokens";
  }
  if (read.chat_template() != tokenizer.chat_template()) return "the chat template";
  const std::string text = sample_text(tokenizer);
  const std::vector<TokenId> ids = tokenizer.encode(text);
  if (read.encode(text) != ids || read.decode(ids) != tokenizer.decode(ids)) return "the token ids of a sample";
  if (!same_bits(sample_logits(network, ids), sample_logits(*again.network, ids))) return "the logits of a sample";
  return "";
}

void write(const fs::path& directory, Gpt& network, const Tokenizer& tokenizer, const std::vector<TokenId>& eos, const std::string& name, const Json& training) {
  if (tokenizer.vocab_size() > network.options().vocab_size) {
    throw ConfigError(kWhere, fmt::format("got a tokeniser of {} tokens for an embedding of {}", tokenizer.vocab_size(), network.options().vocab_size));
  }
  const fs::path config_path = directory / kConfigFile;
  const auto unmake = [&] {  // without it the directory is no bundle
    std::error_code error;
    fs::remove(config_path, error);
  };
  const Json special = {{"bos_token_id", to_json(tokenizer.bos())}, {"eos_token_id", to_json(eos)}, {"pad_token_id", to_json(tokenizer.pad())}};
  Json config = models::gpt_to_huggingface(network.options());
  config.update(special);
  config["danlu"] = {{"name", name}, {"training", training}};

  make_directories(directory);
  unmake();
  const bool quantized = !network.quantized_weights().empty();
  if (quantized) config["quantization_config"] = {{"quant_method", kOwnQuantization}, {"version", kOwnQuantizationVersion}};
  formats::write_safetensors(directory / "model.safetensors", quantized ? models::quantized_gpt_weights(network) : models::huggingface_weights(network));
  tokenizer.save(directory);
  write_json(directory / "generation_config.json", special);
  write_json(config_path, config);
  try {
    const std::string different = difference(network, tokenizer, *LanguageModel::load(directory));
    if (!different.empty()) throw DataError(kWhere, fmt::format("{}: read again after writing, {} differ", directory.string(), different));
  } catch (...) {
    unmake();
    throw;
  }
}

}  // namespace

void write_language_model(const fs::path& directory, Gpt& network, const Tokenizer& tokenizer, const std::string& name, const Json& training) {
  write(directory, network, tokenizer, tokenizer.eos() ? std::vector{*tokenizer.eos()} : std::vector<TokenId>(), name, training);
}

void write_language_model(const fs::path& directory, const LanguageModel& model, const Json& training) {
  write(directory, *model.network, model.tokenizer, model.eos, model.name, training);
}

}  // namespace danlu::infer
