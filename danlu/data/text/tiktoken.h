// Rank files of tiktoken: a line "BASE64 RANK" for each token. Ranks are ids, and the order of merging.
#pragma once

#include "danlu/base/files.h"
#include "danlu/data/text/tokenizer_model.h"

namespace danlu::data {

// The file says neither how text is cut nor which tokens are special: that follows from its name, which is one of
// OpenAI's (r50k_base, p50k_base, cl100k_base, o200k_base; gpt2) or begins with "qwen". Merges are made as Hugging Face
// transformers makes them: a token is the merge of any two that it consists of. Throws DataError naming the file and
// the line; FileError.
TokenizerModel read_tiktoken(const fs::path& path);

}  // namespace danlu::data
