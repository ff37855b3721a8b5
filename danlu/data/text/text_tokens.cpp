#include "danlu/data/text/text_tokens.h"

#include "danlu/data/text/search_terms.h"
#include "danlu/data/text/token_ids.h"

namespace danlu::data {

TextTokens::TextTokens(Tokenizer tokenizer, int64_t length) : tokenizer_(std::move(tokenizer)), length_(length) { check_length(length); }

TextTokens TextTokens::from_json(const Json& json, const std::string& source) {
  const SavedState state(json, source);
  return {read_tokenizer(json, state), read_length(state)};
}

Json TextTokens::to_json() const { return {{"length", length_}, {"tokenizer", tokenizer_to_json(tokenizer_)}}; }

std::vector<int64_t> TextTokens::encode(std::string_view text) const { return token_ids(tokenizer_, folded(beginning_of(text, length_)), length_); }

}  // namespace danlu::data
