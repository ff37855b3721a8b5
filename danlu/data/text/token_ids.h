// Texts as rows of ids, as models over tokens and over n-grams are fed them: cut off after so many, padded behind with 0.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/data/table/saved_state.h"
#include "danlu/data/text/tokenizer.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu::data {

// Throws ConfigError for a length that no row may have: below 1, or above 2^20.
void check_length(int64_t length);
// The field "length" of a saved transform. Throws DataError.
int64_t read_length(const SavedState& state);
// Its field "tokenizer", the contents of a tokenizer.json; `json` is what `state` reads. Throws DataError.
Tokenizer read_tokenizer(const Json& json, const SavedState& state);
Json tokenizer_to_json(const Tokenizer& tokenizer);

// As much of a text as can make `length` ids: no unit has more than 64 bytes on average, but for text that is all the same. What is behind is
// cut off before it costs time.
std::string_view beginning_of(std::string_view text, int64_t length);

// The tokeniser's ids plus one, at most `length` of them.
std::vector<int64_t> token_ids(const Tokenizer& tokenizer, std::string_view text, int64_t length);

// Rows of ids as one tensor (N, T), padded behind with 0; T is that of the longest, at least 1.
Tensor pad(const std::vector<const std::vector<int64_t>*>& rows);

}  // namespace danlu::data
