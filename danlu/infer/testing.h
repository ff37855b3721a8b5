// For tests of generation and of what serves it: small networks with random weights over bytes.
#pragma once

#include <algorithm>
#include <memory>
#include <string>

#include "danlu/data/text/tokenizer_model.h"
#include "danlu/engine/autograd/tape.h"
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

}  // namespace danlu::infer
