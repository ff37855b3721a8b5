// tokenizer_config.json and what else stands beside tokenizer.json: which special tokens have which part, and chat
// templates.
#pragma once

#include "danlu/base/files.h"
#include "danlu/data/text/tokenizer_model.h"

namespace danlu::data {

// Completes a model from the files of the directory that are there: tokenizer_config.json, special_tokens_map.json and
// chat_template.jinja. Throws DataError naming the file, for one thing where it names a token that there is not;
// FileError.
void read_tokenizer_config(const fs::path& directory, TokenizerModel& model);

// Writes the first two. Throws FileError.
void write_tokenizer_config(const TokenizerModel& model, const fs::path& directory);

}  // namespace danlu::data
