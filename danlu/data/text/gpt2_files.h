// The files that GPT-2 came in: a vocabulary and merges, encoder.json and vocab.bpe, or vocab.json and merges.txt.
#pragma once

#include "danlu/base/files.h"
#include "danlu/data/text/tokenizer_model.h"

namespace danlu::data {

bool has_gpt2_files(const fs::path& directory);

// Throws DataError naming the file, and the line of the merges; FileError.
TokenizerModel read_gpt2_files(const fs::path& directory);

}  // namespace danlu::data
