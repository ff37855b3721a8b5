#include "danlu/data/text/character_vocabulary.h"

#include <set>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/utf8.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.character_vocabulary";
constexpr size_t kCodePoints = 0x110000;

// The character of valid UTF-8 at `at`, which moves behind it.
uint32_t next_code_point(std::string_view text, size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
  uint32_t code = lead & (0x3Fu >> more);
  for (int i = 0; i < more; ++i) code = code << 6 | (static_cast<unsigned char>(text[at++]) & 0x3Fu);
  return code;
}

}  // namespace

void CharacterVocabularyOptions::describe(OptionVisitor& v) {
  v.field("min_frequency", min_frequency, {1, 1e15}, "how often a character must occur to become a token");
  v.field("special_tokens", special_tokens, "tokens that no text contains; the first one ends documents");
}

CharacterVocabulary::CharacterVocabulary() : counts_(kCodePoints, 0) {}

void CharacterVocabulary::add(std::string_view text) {
  if (const size_t bad = find_invalid_utf8(text); bad != std::string_view::npos) {
    throw DataError(kWhere, fmt::format("got byte 0x{:02X} at offset {}, which is not valid UTF-8; expected UTF-8 text",
                                        static_cast<unsigned char>(text[bad]), bad));
  }
  for (size_t at = 0; at < text.size(); ++characters_) ++counts_[next_code_point(text, at)];
}

TokenizerModel CharacterVocabulary::model(const CharacterVocabularyOptions& options) const {
  if (options.min_frequency < 1) {
    throw ConfigError(kWhere, fmt::format("got min_frequency {}; expected at least 1", options.min_frequency));
  }
  TokenizerModel model;
  model.byte_level = false;
  for (uint32_t code = 0; code < kCodePoints; ++code) {
    if (counts_[code] >= options.min_frequency) append_utf8(model.vocab.emplace_back(), code);
  }
  if (model.vocab.empty()) {
    throw DataError(kWhere, fmt::format("got no character that occurs {} times; expected more text or a smaller "
                                        "min_frequency",
                                        options.min_frequency));
  }
  std::set<std::string> seen;
  std::vector<std::string> special{"<unk>"};
  special.insert(special.end(), options.special_tokens.begin(), options.special_tokens.end());
  for (const std::string& token : special) {
    if (token.size() < 2 || !seen.insert(token).second) {
      throw ConfigError(kWhere, fmt::format("got special token \"{}\"; expected each once, no single characters, and not "
                                            "<unk>",
                                            token));
    }
    const auto id = static_cast<TokenId>(std::ssize(model.vocab) + std::ssize(model.added));
    model.added.push_back({id, token, true});
  }
  model.unk = model.added[0].id;
  if (model.added.size() > 1) model.eos = model.added[1].id;
  return model;
}

}  // namespace danlu::data
