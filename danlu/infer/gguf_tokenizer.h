// A tokeniser among the metadata of a GGUF file: tokenizer.ggml.*, as llama.cpp reads them.
//
// A file does not say how a text is cut: it names one of the ways that are built into llama.cpp (tokenizer.ggml.pre). Byte-level
// tokenisers that cut in one of these have a place there:
//
//   gpt-2       the pattern of GPT-2                        llama-bpe   that of Llama 3; pieces that are tokens are not merged
//   smollm      digits apart, then the pattern of GPT-2     smaug-bpe   that of Llama 3
//   qwen2       that of Qwen2
//
// llama.cpp does not normalise. A tokeniser that does (Qwen's: NFC) gives other ids there for texts that are not in that form; what it
// does is kept in a key of ours, danlu.normalizer, and a file without it under qwen2 has NFC, as Qwen's own.
#pragma once

#include <string>
#include <vector>

#include "danlu/data/text/tokenizer.h"
#include "danlu/formats/gguf.h"

namespace danlu::infer {

struct GgufTokenizer {
  data::Tokenizer tokenizer;
  std::vector<data::TokenId> eos;  // all tokens that end an answer
};

// Throws DataError naming the file and the key, and for a tokeniser of another kind or cut which there are.
GgufTokenizer read_gguf_tokenizer(const formats::GgufFile& file);

struct GgufTokenizerMetadata {
  formats::GgufMetadata metadata;
  std::vector<std::string> notes;  // what llama.cpp will do otherwise than this program, a sentence each
};

// `rows` of the embedding: ids without a token get a name. Throws ConfigError for a tokeniser that cannot be said exactly.
GgufTokenizerMetadata write_gguf_tokenizer(const data::Tokenizer& tokenizer, const std::vector<data::TokenId>& eos, int64_t rows);

}  // namespace danlu::infer
