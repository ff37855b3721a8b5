// A language model as it lies on disk, ready to run: network, tokeniser, settings of generation.
//
// The directory is a Hugging Face one (config.json, model.safetensors or shards of it, tokenizer.json, tokenizer_config.json,
// generation_config.json): a bundle of ours and a folder that transformers saved are read alike. A GGUF file (gguf_language_model.h) holds
// the same in one.
#pragma once

#include <memory>
#include <string>

#include "danlu/base/files.h"
#include "danlu/base/json.h"
#include "danlu/data/text/tokenizer.h"
#include "danlu/learn/models/gpt.h"

namespace danlu::infer {

struct LanguageModel {
  std::string name;
  std::unique_ptr<models::Gpt> network;  // in evaluation mode
  data::Tokenizer tokenizer;
  std::vector<data::TokenId> eos;        // any of them ends an answer; each is in the vocabulary
  Json config;                           // config.json

  // A directory with config.json, a run directory, taken for its bundle/, or a .gguf file. Throws FileError or DataError naming the file.
  static std::shared_ptr<LanguageModel> load(const fs::path& directory);
};

// Does the directory, or the bundle/ in it, hold a language model rather than a predictor? Reads config.json alone. A .gguf file is one.
bool is_language_model(const fs::path& directory);

// quantization_config of config.json where the weights are in few bits, as learn/models/gpt_quantized.h lays them out: other programs
// refuse such a model by its name, and do not take it for one of theirs.
constexpr const char* kOwnQuantization = "danlu";
constexpr int kOwnQuantizationVersion = 1;

// Writes all of it, the weights with the names and shapes that transformers expects, config.json last. What is written is read again
// and compared: DataError if a weight, a token or a logit differs, and then there is no config.json.
void write_language_model(const fs::path& directory, models::Gpt& network, const data::Tokenizer& tokenizer, const std::string& name,
                          const Json& training = Json::object());
// The same with all the end tokens of the model.
void write_language_model(const fs::path& directory, const LanguageModel& model, const Json& training = Json::object());

}  // namespace danlu::infer
