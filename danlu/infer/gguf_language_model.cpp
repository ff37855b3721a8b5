#include "danlu/infer/gguf_language_model.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/json.h"
#include "danlu/infer/gguf_tokenizer.h"
#include "danlu/infer/sample_text.h"
#include "danlu/learn/models/gpt_gguf.h"
#include "danlu/learn/models/gpt_huggingface.h"

namespace danlu::infer {
namespace {

using data::TokenId;
using data::Tokenizer;
using formats::BlockType;
using formats::GgufFile;
using formats::GgufMetadata;
using formats::GgufTensor;

constexpr const char* kWhere = "infer.gguf";
constexpr const char* kExtension = ".gguf";
constexpr uint32_t kQuantizationVersion = 2;

// llama.cpp's numbers of what most tensors are.
uint32_t file_type(const BlockType& type) {
  const std::string_view name = type.name;
  return name == "F32" ? 0 : name == "F16" ? 1 : name == "Q4_0" ? 2 : name == "Q8_0" ? 7 : 32;
}

// "3 tensors as F16: rows of 48 are ..."
std::vector<std::string> notes_on_types(const std::vector<GgufTensor>& weights, const BlockType& type) {
  int64_t plain = 0, finer = 0;
  for (const GgufTensor& weight : weights) {
    plain += type.elements > 1 && weight.type->name == std::string_view("F16") ? 1 : 0;
    finer += weight.type->name != std::string_view(type.name) && weight.type->elements > 1 ? 1 : 0;
  }
  std::vector<std::string> notes;
  if (plain > 0) notes.push_back(fmt::format("{} matrices are F16: their rows are no whole number of blocks of {}", plain, type.elements));
  if (finer > 0) notes.push_back("the output layer is Q8_0");
  return notes;
}

std::string difference(const Tokenizer& a, const Tokenizer& b) {
  if (a.vocab_size() != b.vocab_size()) return fmt::format("{} tokens became {}", a.vocab_size(), b.vocab_size());
  for (TokenId id = 0; id < a.vocab_size(); ++id) {
    if (a.token_bytes(id) != b.token_bytes(id) || a.is_special(id) != b.is_special(id)) return fmt::format("token {}", id);
  }
  if (a.chat_template() != b.chat_template()) return "the chat template";
  const std::string text = sample_text(a);
  return a.encode(text) == b.encode(text) ? "" : "the token ids of a sample";
}

void check(const GgufFile& file, const GgufMetadata& metadata, const LanguageModel& model) {
  const auto fail = [&](const std::string& what) { throw DataError(kWhere, fmt::format("{}: read again after writing, {} differ", file.source(), what)); };
  if (!std::equal(metadata.begin(), metadata.end(), file.metadata().begin(), file.metadata().end() - 1)) fail("the metadata");
  const GgufTokenizer again = read_gguf_tokenizer(file);
  if (const std::string different = difference(model.tokenizer, again.tokenizer); !different.empty()) fail(different);
  if (again.eos != model.eos) fail("the tokens that end an answer");
}

}  // namespace

bool is_gguf(const fs::path& path) {
  std::error_code error;
  return path.extension() == kExtension && fs::is_regular_file(path, error);
}

std::shared_ptr<LanguageModel> read_gguf_language_model(const fs::path& path) {
  const GgufFile file(path);
  const models::GptOptions options = models::gpt_from_gguf(file);
  GgufTokenizer read = read_gguf_tokenizer(file);
  if (read.tokenizer.vocab_size() > options.vocab_size) {
    throw DataError(kWhere, fmt::format("{}: got {} tokens and {} rows of the embedding", path.string(), read.tokenizer.vocab_size(), options.vocab_size));
  }
  auto network = models::read_gguf_weights(file, options);
  network->eval();
  Json config = models::gpt_to_huggingface(network->options());
  return std::make_shared<LanguageModel>(
      LanguageModel{path.stem().string(), std::move(network), std::move(read.tokenizer), std::move(read.eos), std::move(config)});
}

GgufExport write_gguf_language_model(const fs::path& path, const LanguageModel& model, const BlockType& type) {
  const models::GptOptions& options = model.network->options();
  GgufMetadata metadata = models::gpt_to_gguf(options);
  GgufTokenizerMetadata tokenizer = write_gguf_tokenizer(model.tokenizer, model.eos, options.vocab_size);
  metadata.emplace_back("general.type", "model");
  metadata.emplace_back("general.name", model.name);
  metadata.emplace_back("general.file_type", file_type(type));
  metadata.emplace_back("general.quantization_version", kQuantizationVersion);
  metadata.insert(metadata.end(), tokenizer.metadata.begin(), tokenizer.metadata.end());

  const std::vector<GgufTensor> weights = models::gguf_weights(*model.network, type);
  const fs::path unchecked = path.parent_path() / ("." + path.filename().string() + ".unchecked");
  formats::write_gguf(unchecked, metadata, weights);
  GgufExport result;
  try {
    const GgufFile file(unchecked);
    check(file, metadata, model);
    result.largest_error = models::check_gguf_weights(file, *model.network, type);
    result.bytes = static_cast<int64_t>(fs::file_size(unchecked));
    rename_path(unchecked, path);
  } catch (...) {
    std::error_code error;
    fs::remove(unchecked, error);
    throw;
  }
  result.notes = notes_on_types(weights, type);
  result.notes.insert(result.notes.end(), tokenizer.notes.begin(), tokenizer.notes.end());
  return result;
}

}  // namespace danlu::infer
