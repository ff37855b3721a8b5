// tokenizer.json of Hugging Face tokenizers: models of byte-pair encoding.
//
// Read are the model BPE, the normalisers NFC and NFKC, the pre-tokenisers ByteLevel, Split and Digits and the
// sequences of them, the decoders ByteLevel and Fuse, and a template that puts one token before a text. A file that
// asks for anything else (dropout, byte fallback, truncation, other types) is an error that names it.
#pragma once

#include "danlu/base/files.h"
#include "danlu/data/text/tokenizer_model.h"

namespace danlu::data {

// Throws DataError naming the file; FileError.
TokenizerModel read_tokenizer_json(const fs::path& path);
// The same for its text; `source` is for messages.
TokenizerModel parse_tokenizer_json(std::string text, const std::string& source);

// For a model with its added tokens in the vocabulary, as Tokenizer::model() has them. Throws DataError if the format
// cannot say what the model does; FileError.
void write_tokenizer_json(const TokenizerModel& model, const fs::path& path);
std::string tokenizer_json_text(const TokenizerModel& model);

}  // namespace danlu::data
