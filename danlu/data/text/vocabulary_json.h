// JSON files with a vocabulary and merges in them: these, with their hundred thousands of entries, are read on the
// side.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "danlu/base/json.h"

namespace danlu::data {

struct VocabularyJson {
  Json rest;  // the file without the two
  std::vector<std::pair<std::string, int64_t>> vocab;
  std::vector<std::pair<std::string, std::string>> merges;
};

enum class VocabularyPlace {
  model,  // the keys "vocab" and "merges" of the object "model", as in tokenizer.json
  whole,  // the file is the vocabulary, as the encoder.json of GPT-2
};

// Throws DataError naming `source`, and line and column where the text is no JSON.
VocabularyJson parse_vocabulary_json(std::string_view text, std::string_view source, VocabularyPlace place);

}  // namespace danlu::data
