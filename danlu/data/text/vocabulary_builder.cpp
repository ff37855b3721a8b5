#include "danlu/data/text/vocabulary_builder.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/text/byte_alphabet.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.tokenizer";
// A small file must not ask for a large table: ids are below this, or below twice the number of tokens.
constexpr int64_t kMaxSparse = int64_t{1} << 20;

[[noreturn]] void fail(const std::string& source, const std::string& message) {
  throw DataError(kWhere, fmt::format("{}: {}", source, message));
}

}  // namespace

VocabularyBuilder::VocabularyBuilder(TokenizerModel& model, const std::vector<std::pair<std::string, int64_t>>& tokens,
                                     std::string source)
    : model_(model), source_(std::move(source)), ids_(tokens.size() + model.added.size()) {
  const int64_t limit = std::max(kMaxSparse, 2 * (std::ssize(tokens) + std::ssize(model.added)));
  int64_t size = 0;
  const auto check_id = [&](const std::string& token, int64_t id) {
    if (id < 0 || id >= limit) {
      fail(source_, fmt::format("got id {} for token \"{}\"; expected 0 to {}", id, token, limit - 1));
    }
    size = std::max(size, id + 1);
  };
  for (const auto& [token, id] : tokens) check_id(token, id);
  for (const AddedToken& token : model.added) check_id(token.content, token.id);
  model_.vocab.assign(static_cast<size_t>(size), {});
  place_added();
  for (const auto& [token, id] : tokens) {
    if (token.empty()) continue;  // an id that is in no text
    if (const TokenId known = ids_.insert(token, static_cast<TokenId>(id)); known != TokenTable::kNone && known != id) {
      fail(source_, fmt::format("got token \"{}\" with the ids {} and {}; expected one id", token, known, id));
    }
    std::string& place = model_.vocab[static_cast<size_t>(id)];
    if (!place.empty()) {
      if (place == token) continue;
      fail(source_,
           fmt::format("got id {} for token \"{}\" and for another one; expected an id of its own", id, token));
    }
    std::optional<std::string> bytes = model_.byte_level ? from_printable(token) : token;
    if (!bytes) {
      fail(source_, fmt::format("got token \"{}\" with a character that stands for no byte; expected the alphabet of "
                                "byte-level tokenisers",
                                token));
    }
    place = std::move(*bytes);
  }
}

void VocabularyBuilder::place_added() {
  for (const AddedToken& token : model_.added) {
    std::string& place = model_.vocab[static_cast<size_t>(token.id)];
    if (token.content.empty() || !place.empty() || ids_.insert(token.content, token.id) != TokenTable::kNone) {
      fail(source_,
           fmt::format("got added token \"{}\" with id {}, which is empty or not the only one of that id or name; "
                       "expected each once",
                       token.content, token.id));
    }
    place = token.content;
  }
}

TokenId VocabularyBuilder::side_of_merge(std::string_view token) const {
  const TokenId id = ids_.find(token);
  if (id == TokenTable::kNone) {
    fail(source_,
         fmt::format("got merge {} with \"{}\"; expected a token of the vocabulary", model_.merges.size(), token));
  }
  return id;
}

void VocabularyBuilder::add_merge(std::string_view left, std::string_view right) {
  both_ = left;
  both_ += right;
  model_.merges.push_back({side_of_merge(left), side_of_merge(right), side_of_merge(both_)});
}

}  // namespace danlu::data
