#include "danlu/data/text/text_quality.h"

#include <algorithm>
#include <unordered_set>

#include "danlu/base/hash.h"
#include "danlu/data/text/trim.h"

namespace danlu::data {
namespace {

constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

// Han, kana and what belongs to them: E3 81 to E9 in UTF-8 (U+3040 to U+9FFF), and the planes of rare characters (F0 A0..).
bool is_word_by_itself(std::string_view character) {
  const auto lead = static_cast<unsigned char>(character[0]);
  const auto second = character.size() > 1 ? static_cast<unsigned char>(character[1]) : 0;
  return (lead == 0xE3 && second >= 0x81) || (lead >= 0xE4 && lead <= 0xE9) || (lead == 0xF0 && second >= 0xA0);
}

bool is_alphabetic(std::string_view character) {
  const char c = character[0];
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (static_cast<unsigned char>(c) >= 0xC3 && c != '\xE2');
}

// White space, and the punctuation beyond ASCII, which stands between words without it: U+2000 to U+203F, the CJK
// punctuation from U+3000, and the full-width forms.
bool ends_word(std::string_view character) {
  return character[0] == ' ' || (character[0] >= '\t' && character[0] <= '\r') || character.starts_with("\xE2\x80") ||
         character.starts_with("\xE3\x80") || character.starts_with("\xEF\xBC") || character.starts_with("\xEF\xBD");
}

std::string_view character_at(std::string_view text, size_t at) {
  size_t end = at + 1;
  while (end < text.size() && end < at + 4 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
  return text.substr(at, end - at);
}

struct WordCounts {
  int64_t words = 0, spaced_words = 0, spaced_characters = 0, alphabetic = 0, symbols = 0;
};

WordCounts count_words(std::string_view text) {
  WordCounts counts;
  bool in_word = false, alphabetic = false;
  const auto end_word = [&] {
    counts.alphabetic += in_word && alphabetic;
    in_word = alphabetic = false;
  };
  for (size_t i = 0; i < text.size();) {
    const std::string_view character = character_at(text, i);
    counts.symbols += character == "#" || character == kEllipsis || text.substr(i, 3) == "...";
    if (ends_word(character)) {
      end_word();
    } else if (is_word_by_itself(character)) {
      end_word();
      ++counts.words, ++counts.alphabetic;
    } else {
      if (!in_word) ++counts.words, ++counts.spaced_words;
      in_word = true;
      alphabetic = alphabetic || is_alphabetic(character);
      ++counts.spaced_characters;
    }
    i += text.substr(i, 3) == "..." ? 3 : character.size();
  }
  end_word();
  return counts;
}

double share(int64_t part, int64_t whole) { return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0; }

}  // namespace

void QualityOptions::describe(OptionVisitor& v) {
  v.field("min_words", min_words, {0, 1e9}, "words that a text has at least");
  v.field("max_words", max_words, {1, 1e12}, "words that a text has at most");
  v.field("min_word_length", min_word_length, {0, 100}, "mean length of words, at least; not for scripts without spaces");
  v.field("max_word_length", max_word_length, {1, 1000}, "mean length of words, at most");
  v.field("max_symbols", max_symbols, {0, 100}, "hash marks and ellipses to a word, at most");
  v.field("min_alphabetic", min_alphabetic, {0, 1}, "share of words with a letter, at least");
  v.field("max_bullets", max_bullets, {0, 1}, "share of lines that begin with a bullet, at most");
  v.field("max_ellipses", max_ellipses, {0, 1}, "share of lines that end with an ellipsis, at most");
  v.field("max_duplicate_lines", max_duplicate_lines, {0, 1}, "share of the text in lines seen before, at most");
}

TextQuality measure_quality(std::string_view text) {
  const WordCounts counts = count_words(text);
  TextQuality quality{.words = counts.words,
                      .word_length = 2 * counts.spaced_words < counts.words
                                         ? 0
                                         : share(counts.spaced_characters, counts.spaced_words),
                      .symbols = share(counts.symbols, counts.words),
                      .alphabetic = share(counts.alphabetic, counts.words)};
  int64_t lines = 0, bullets = 0, ellipses = 0, bytes = 0, duplicate_bytes = 0;
  std::unordered_set<Hash128> seen;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = trimmed(text.substr(begin, end - begin));
    begin = end + 1;
    if (line.empty()) continue;
    ++lines;
    bullets += line.starts_with("\xE2\x80\xA2") || line.starts_with("- ") || line.starts_with("* ");
    ellipses += line.ends_with("...") || line.ends_with(kEllipsis);
    bytes += std::ssize(line);
    if (!seen.insert(hash_text(line)).second) duplicate_bytes += std::ssize(line);
  }
  quality.bullets = share(bullets, lines);
  quality.ellipses = share(ellipses, lines);
  quality.duplicate_lines = share(duplicate_bytes, bytes);
  return quality;
}

const char* failed_rule(const TextQuality& quality, const QualityOptions& options) {
  if (quality.words < options.min_words) return "min_words";
  if (quality.words > options.max_words) return "max_words";
  if (quality.word_length > 0 && quality.word_length < options.min_word_length) return "min_word_length";
  if (quality.word_length > options.max_word_length) return "max_word_length";
  if (quality.symbols > options.max_symbols) return "max_symbols";
  if (quality.alphabetic < options.min_alphabetic) return "min_alphabetic";
  if (quality.bullets > options.max_bullets) return "max_bullets";
  if (quality.ellipses > options.max_ellipses) return "max_ellipses";
  if (quality.duplicate_lines > options.max_duplicate_lines) return "max_duplicate_lines";
  return nullptr;
}

}  // namespace danlu::data
