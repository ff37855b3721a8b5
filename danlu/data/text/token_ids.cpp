#include "danlu/data/text/token_ids.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/text/tokenizer_json.h"

namespace danlu::data {
namespace {

constexpr int64_t kLongest = 1 << 20;
constexpr size_t kBytesPerId = 64;

}  // namespace

void check_length(int64_t length) {
  if (length < 1 || length > kLongest) throw ConfigError("data.text", fmt::format("length: got {}; expected 1 to {}", length, kLongest));
}

int64_t read_length(const SavedState& state) {
  const double length = state.number("length");
  if (!(length >= 1 && length <= kLongest) || length != std::floor(length)) state.fail("length", fmt::format("a whole number from 1 to {}", kLongest));
  return static_cast<int64_t>(length);
}

Tokenizer read_tokenizer(const Json& json, const SavedState& state) {
  const auto tokenizer = json.find("tokenizer");
  if (tokenizer == json.end() || !tokenizer->is_object()) state.fail("tokenizer", "the contents of a tokenizer.json");
  return Tokenizer(parse_tokenizer_json(to_line(*tokenizer), state.name()));
}

Json tokenizer_to_json(const Tokenizer& tokenizer) { return parse_json(tokenizer_json_text(tokenizer.model()), "tokenizer"); }

std::string_view beginning_of(std::string_view text, int64_t length) { return text.substr(0, static_cast<size_t>(length) * kBytesPerId); }

std::vector<int64_t> token_ids(const Tokenizer& tokenizer, std::string_view text, int64_t length) {
  const std::vector<TokenId> ids = tokenizer.encode(text);
  std::vector<int64_t> result(ids.begin(), ids.begin() + std::min(std::ssize(ids), static_cast<std::ptrdiff_t>(length)));
  for (int64_t& id : result) ++id;
  return result;
}

Tensor pad(const std::vector<const std::vector<int64_t>*>& rows) {
  size_t length = 1;
  for (const auto* row : rows) length = std::max(length, row->size());
  Tensor x = Tensor::zeros({static_cast<int64_t>(rows.size()), static_cast<int64_t>(length)}, Dtype::i64);
  int64_t* out = x.mutable_data<int64_t>();
  for (const auto* row : rows) {
    std::copy(row->begin(), row->end(), out);
    out += length;
  }
  return x;
}

}  // namespace danlu::data
