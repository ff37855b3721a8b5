#include "danlu/data/text/text_preprocess.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/table/saved_state.h"
#include "danlu/data/table/values.h"
#include "danlu/data/text/tokenizer_json.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.text";
constexpr int64_t kLongest = 1 << 20;

}  // namespace

TextPreprocess::TextPreprocess(std::string column, int64_t length, std::variant<Tokenizer, NgramVocabulary> units, TargetEncoder target)
    : columns_{std::move(column)}, length_(length), units_(std::move(units)), target_(std::move(target)) {
  if (length < 1 || length > kLongest) throw ConfigError(kWhere, fmt::format("length: got {}; expected 1 to {}", length, kLongest));
}

TextPreprocess TextPreprocess::from_json(const Json& json, const std::string& source) {
  const SavedState state(json, source);
  const double length = state.number("length");
  if (!(length >= 1 && length <= kLongest) || length != std::floor(length)) {
    state.fail("length", fmt::format("a whole number from 1 to {}", kLongest));
  }
  const auto units = [&]() -> std::variant<Tokenizer, NgramVocabulary> {
    if (state.has("ngrams")) return NgramVocabulary::from_json(state.inner("ngrams"));
    const auto tokenizer = json.find("tokenizer");
    if (tokenizer == json.end() || !tokenizer->is_object()) state.fail("tokenizer", "the contents of a tokenizer.json");
    return Tokenizer(parse_tokenizer_json(to_line(*tokenizer), source));
  };
  return {state.text("column"), static_cast<int64_t>(length), units(), TargetEncoder::from_json(state.inner("target"))};
}

Json TextPreprocess::to_json() const {
  Json json = {{"column", column()}, {"length", length_}, {"target", target_.to_json()}};
  if (ngrams() != nullptr) json["ngrams"] = ngrams()->to_json();
  else json["tokenizer"] = parse_json(tokenizer_json_text(tokenizer()->model()), "tokenizer");
  return json;
}

int64_t TextPreprocess::vocab_size() const { return 1 + (ngrams() != nullptr ? ngrams()->size() : tokenizer()->vocab_size()); }

std::vector<int64_t> TextPreprocess::encode(std::string_view text) const {
  // A long text is cut off before it costs time: no token has more bytes than this on average, but for text that is all the same.
  constexpr size_t kBytesPerToken = 64;
  text = text.substr(0, static_cast<size_t>(length_) * kBytesPerToken);
  if (ngrams() != nullptr) return ngrams()->encode(text, length_);
  const std::vector<TokenId> ids = tokenizer()->encode(text);
  std::vector<int64_t> result(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(std::min(ids.size(), static_cast<size_t>(length_))));
  for (int64_t& id : result) ++id;
  return result;
}

Tensor TextPreprocess::encode(const Table& table) const {
  const int64_t index = table.column_index(column());
  std::vector<std::vector<int64_t>> rows;
  for (int64_t row = 0; row < table.num_rows(); ++row) {
    const Cell cell = table.cell(row, index);
    rows.push_back(is_missing(cell) ? std::vector<int64_t>() : encode(std::string_view(cell)));
  }
  std::vector<const std::vector<int64_t>*> pointers;
  for (const auto& row : rows) pointers.push_back(&row);
  return pad(pointers);
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
