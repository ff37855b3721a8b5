#include "danlu/data/text/text_preprocess.h"

#include <algorithm>

namespace danlu::data {

TextPreprocess::TextPreprocess(std::string column, int64_t length, std::variant<Tokenizer, NgramVocabulary> units, TargetEncoder target)
    : columns_{std::move(column)}, length_(length), units_(std::move(units)), target_(std::move(target)) {
  check_length(length);
}

TextPreprocess TextPreprocess::from_json(const Json& json, const std::string& source) {
  const SavedState state(json, source);
  const int64_t length = read_length(state);
  const auto units = [&]() -> std::variant<Tokenizer, NgramVocabulary> {
    if (state.has("ngrams")) return NgramVocabulary::from_json(state.inner("ngrams"));
    return read_tokenizer(json, state);
  };
  const auto target = json.find("target");
  const bool has_target = target == json.end() || !target->is_null();
  return {state.text("column"), length, units(), has_target ? TargetEncoder::from_json(state.inner("target")) : TargetEncoder()};
}

Json TextPreprocess::to_json() const {
  Json json = {{"column", column()}, {"length", length_}, {"target", target_.to_json()}};
  if (ngrams() != nullptr) json["ngrams"] = ngrams()->to_json();
  else json["tokenizer"] = tokenizer_to_json(*tokenizer());
  return json;
}

int64_t TextPreprocess::vocab_size() const { return 1 + (ngrams() != nullptr ? ngrams()->size() : tokenizer()->vocab_size()); }

std::optional<int64_t> TextPreprocess::mask() const {
  if (tokenizer() == nullptr) return {};
  for (const char* words : {kMaskToken, "[MASK]", "<mask>"}) {
    if (const auto id = tokenizer()->special_id(words)) return 1 + int64_t{*id};
  }
  return {};
}

std::vector<int64_t> TextPreprocess::encode(std::string_view text) const {
  text = beginning_of(text, length_);
  return ngrams() != nullptr ? ngrams()->encode(text, length_) : token_ids(*tokenizer(), text, length_);
}

size_t TextPreprocess::bytes_read(std::string_view text) const {
  if (ngrams() != nullptr) return ngrams()->bytes_read(beginning_of(text, length_), length_);
  size_t bytes = 0;
  for (const int64_t id : encode(text)) bytes += tokenizer()->token_bytes(static_cast<TokenId>(id - 1)).size();
  return std::min(bytes, text.size());
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

}  // namespace danlu::data
