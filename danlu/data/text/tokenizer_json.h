// tokenizer.json, tokenizer_config.json and special_tokens_map.json, as Hugging Face tokenizers and transformers have them.
#pragma once

#include "danlu/base/files.h"
#include "danlu/data/text/tokenizer_model.h"

namespace danlu::data {

// Reads tokenizer.json and, where they are there, the files beside it. What is not supported is a DataError that names it, never
// passed over.
TokenizerModel read_tokenizer_json(const fs::path& path);

// Writes the three files.
void write_tokenizer_json(const TokenizerModel& model, const fs::path& directory);

}  // namespace danlu::data
