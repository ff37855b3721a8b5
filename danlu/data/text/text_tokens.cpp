#include "danlu/data/text/text_tokens.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/table/saved_state.h"
#include "danlu/data/text/search_terms.h"
#include "danlu/data/text/tokenizer_json.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.text";
constexpr int64_t kLongest = 1 << 20;
constexpr size_t kBytesPerToken = 64;  // no more are read, so that a long text is cut off before it costs time

}  // namespace

TextTokens::TextTokens(Tokenizer tokenizer, int64_t length) : tokenizer_(std::move(tokenizer)), length_(length) {
  if (length < 1 || length > kLongest) throw ConfigError(kWhere, fmt::format("length: got {}; expected 1 to {}", length, kLongest));
}

TextTokens TextTokens::from_json(const Json& json, const std::string& source) {
  const SavedState state(json, source);
  const double length = state.number("length");
  if (!(length >= 1 && length <= kLongest) || length != std::floor(length)) state.fail("length", fmt::format("a whole number from 1 to {}", kLongest));
  const auto tokenizer = json.find("tokenizer");
  if (tokenizer == json.end() || !tokenizer->is_object()) state.fail("tokenizer", "the contents of a tokenizer.json");
  return {Tokenizer(parse_tokenizer_json(to_line(*tokenizer), source)), static_cast<int64_t>(length)};
}

Json TextTokens::to_json() const { return {{"length", length_}, {"tokenizer", parse_json(tokenizer_json_text(tokenizer_.model()), "tokenizer")}}; }

std::vector<int64_t> TextTokens::encode(std::string_view text) const {
  const std::vector<TokenId> ids = tokenizer_.encode(folded(text.substr(0, static_cast<size_t>(length_) * kBytesPerToken)));
  std::vector<int64_t> result(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(std::min(ids.size(), static_cast<size_t>(length_))));
  for (int64_t& id : result) ++id;
  return result;
}

}  // namespace danlu::data
