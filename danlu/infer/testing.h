// For tests of generation and of what serves it, small networks with random weights over bytes; for tests of bundles from anywhere, one field
// of a file after the other that is what it must not be.
#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/files.h"
#include "danlu/base/float16.h"
#include "danlu/base/json.h"
#include "danlu/base/rng.h"
#include "danlu/data/text/tokenizer_model.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/packed_weight.h"
#include "danlu/engine/ops/random.h"
#include "danlu/infer/language_model.h"

namespace danlu::infer {

// Token i is the byte i; then come the end of text, and three tokens of several bytes.
constexpr data::TokenId kEndOfText = 256;
constexpr int64_t kByteVocabulary = 260;

inline data::TokenizerModel byte_tokenizer() {
  data::TokenizerModel model;
  for (int byte = 0; byte < 256; ++byte) model.vocab.push_back(std::string(1, static_cast<char>(byte)));
  model.vocab.push_back("<|endoftext|>");
  for (const char* word : {"th", "春", " end"}) model.vocab.push_back(word);
  model.merges = {{'t', 'h', 257}};
  model.added = {{kEndOfText, "<|endoftext|>", true}};
  model.eos = kEndOfText;
  return model;
}

// Weights are larger than fresh ones, so that what a network says depends on all that it has read.
inline std::unique_ptr<models::Gpt> random_gpt(models::GptOptions options, uint64_t seed = 1) {
  manual_seed(seed);
  auto network = std::make_unique<models::Gpt>(options);
  const NoGrad no_grad;
  for (Tensor& parameter : network->parameters()) {
    if (parameter.rank() < 2) continue;
    for (float& weight : parameter.mutable_span()) weight *= 6;
  }
  network->eval();
  return network;
}

// With random weights of 4 bits, 8 in the embedding.
inline std::unique_ptr<models::Gpt> quantized_gpt(const models::GptOptions& options) {
  Rng rng(3);
  auto network = std::make_unique<models::Gpt>(options, [&](const std::string& name, int64_t rows, int64_t columns) {
    const WeightFormat format = name == "token_embedding" ? WeightFormat::q8 : WeightFormat::q4;
    const kernels::PackedWeight layout{format, rows, columns, nullptr};
    Tensor packed = Tensor::zeros(QuantizedWeight::packed_shape(format, rows, columns), Dtype::u8);
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t group = 0; group * kernels::kGroup < columns; ++group) {
        uint8_t codes[kernels::kGroup];
        for (uint8_t& code : codes) code = static_cast<uint8_t>(rng.uniform() * static_cast<float>(2 * kernels::zero_code(format)));
        kernels::put_group(layout, packed.mutable_data<uint8_t>(), row, group, codes, f32_to_f16(0.4f / static_cast<float>(kernels::zero_code(format))));
      }
    }
    return QuantizedWeight(format, rows, columns, packed);
  });
  for (nn::NamedTensor& p : network->named_parameters()) {
    for (float& v : p.tensor.mutable_span()) v = 0.5f + rng.uniform();
  }
  network->eval();
  return network;
}

inline std::shared_ptr<LanguageModel> random_language_model(models::GptOptions options = {.family = "llama",
                                                                                          .layers = 2,
                                                                                          .heads = 4,
                                                                                          .kv_heads = 2,
                                                                                          .width = 32,
                                                                                          .context = 128}) {
  options.vocab_size = std::max(options.vocab_size, kByteVocabulary);
  return std::make_shared<LanguageModel>(
      LanguageModel{"random", random_gpt(options), data::Tokenizer(byte_tokenizer()), {kEndOfText}, Json::object()});
}

struct DamagedField {
  const char* file;
  const char* pointer;  // RFC 6901; the field that is set
  Json value;           // discarded: the field is taken out
  const char* words;    // of the message, beside the file's name
  const char* named = nullptr;  // the file that the message names, if another
};
inline const Json kTakenOut = Json(Json::value_t::discarded);

// Opens the bundle with one field wrong at a time, and expects a DataError that names the file. The files are as before afterwards.
template <class Open>
void expect_refused(const fs::path& directory, const std::vector<DamagedField>& fields, const Open& open) {
  for (const DamagedField& field : fields) {
    SCOPED_TRACE(std::string(field.file) + " " + field.pointer + " = " + (field.value.is_discarded() ? "nothing" : to_line(field.value)));
    const fs::path path = directory / field.file;
    const std::string whole = read_file(path);
    Json json = parse_json(whole, field.file);
    const Json::json_pointer pointer(field.pointer);
    if (field.value.is_discarded()) json.at(pointer.parent_pointer()).erase(pointer.back());
    else json[pointer] = field.value;
    write_json(path, json);
    try {
      open();
      ADD_FAILURE() << "not refused";
    } catch (const DataError& error) {
      EXPECT_THAT(error.message(), testing::HasSubstr((directory / (field.named != nullptr ? field.named : field.file)).string()));
      EXPECT_THAT(error.message(), testing::HasSubstr(field.words));
    }
    write_file_atomic(path, whole);
  }
  for (const char* file : {"config.json", "preprocess.json", "model.safetensors"}) {
    const std::string whole = read_file(directory / file);
    write_file_atomic(directory / file, whole.substr(0, whole.size() - 3));
    EXPECT_THAT(open, testing::ThrowsMessage<DataError>(testing::HasSubstr((directory / file).string()))) << "cut short";
    fs::remove(directory / file);
    EXPECT_THAT(open, testing::ThrowsMessage<FileError>(testing::AllOf(testing::HasSubstr(directory.string()), testing::HasSubstr(file)))) << "gone";
    write_file_atomic(directory / file, whole);
  }
  EXPECT_NO_THROW(open());
}

}  // namespace danlu::infer
