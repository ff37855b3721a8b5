#include "danlu/data/text/search_terms.h"

#include <utf8proc.h>

#include <cstdlib>
#include <unordered_set>

#include "danlu/base/utf8.h"
#include "danlu/data/text/code_points.h"
#include "danlu/data/text/word_characters.h"

namespace danlu::data {
namespace {

constexpr size_t kGram = 4;  // characters, the edges of the word among them

// Of English and Chinese: articles, pronouns, auxiliaries, question words, and prepositions that tell little. "not", "on" and "off" tell much.
bool holds_together(std::string_view word) {
  static const std::unordered_set<std::string_view> kWords = {
      "a",     "about", "also", "am",   "an",    "and",  "any",   "are",  "as",    "at",   "be",    "been",  "but",    "by",    "can",   "could", "did",   "do",   "does", "for",
      "from",  "had",   "has",  "have", "how",   "i",    "if",    "in",   "into",  "is",   "it",    "its",   "just",   "like",  "may",   "me",    "might", "my",   "of",   "or",
      "our",   "please", "s",   "shall", "should", "so", "some",  "t",    "than",  "that", "the",   "their", "them",   "then",  "there", "these", "they",  "this", "those", "to",
      "want",  "was",   "we",   "were", "what",  "when", "where", "which", "who",  "why",  "will",  "with",  "would",  "you",   "your",  "怎么",  "如何",  "什么", "我的", "可以",
      "怎样",  "是否",  "请问", "那么", "为什",  "么样", "哪里",  "能否", "我想",  "想要"};
  return kWords.contains(word);
}

// Collects the terms of one word after the other.
class Collector {
 public:
  explicit Collector(TermKind kind) : kind_(kind) {}

  // `offsets`: where the characters of `word` begin, and its end.
  void add(std::string_view word, const std::vector<size_t>& offsets, bool joined) {
    const size_t count = offsets.size() - 1;
    const auto piece = [&](size_t from, size_t to) { return word.substr(offsets[from], offsets[to] - offsets[from]); };
    if (joined) {
      for (size_t i = 0; i + 2 <= count; ++i) {
        if (const auto pair = piece(i, i + 2); !holds_together(pair)) put(pair);
      }
      if (count == 1) put(word);
      return;
    }
    if (holds_together(word)) return;
    if (kind_ == TermKind::words) return put(word);
    // The word between its edges is count + 2 characters long.
    if (count + 2 <= kGram) return put("_" + std::string(word) + "_");
    put("_" + std::string(piece(0, kGram - 1)));
    for (size_t i = 0; i + kGram <= count; ++i) put(piece(i, i + kGram));
    put(std::string(piece(count - (kGram - 1), count)) + "_");
  }

  std::vector<std::string> terms;

 private:
  void put(std::string_view term) { terms.emplace_back(term); }
  TermKind kind_;
};

}  // namespace

std::string folded(std::string_view text) {
  std::string result;
  for_each_utf8_run(text, [&](std::string_view run, bool is_valid) {
    if (!is_valid) {
      result += ' ';
      return;
    }
    utf8proc_uint8_t* mapped = nullptr;
    const auto length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(run.data()), static_cast<utf8proc_ssize_t>(run.size()), &mapped,
                                     static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE));
    if (length > 0) result.append(reinterpret_cast<const char*>(mapped), static_cast<size_t>(length));
    std::free(mapped);
  });
  return result;
}

std::vector<std::string> search_terms(std::string_view text, TermKind kind) {
  const std::string clean = folded(text);
  Collector collector(kind);
  std::string word;
  std::vector<size_t> offsets;
  bool joined = false;
  const auto end_word = [&] {
    if (word.empty()) return;
    offsets.push_back(word.size());
    collector.add(word, offsets, joined);
    word.clear();
    offsets.clear();
  };
  for (size_t at = 0; at < clean.size();) {
    const CodePoint character = code_point_at(clean.data() + at);
    const bool of_word = is_of_word(character.code), of_joined = is_ideograph_or_kana(character.code) || is_hangul(character.code);
    if (!of_word || of_joined != joined) end_word();
    if (of_word) {
      joined = of_joined;
      offsets.push_back(word.size());
      word.append(clean, at, character.bytes);
    }
    at += character.bytes;
  }
  end_word();
  return std::move(collector.terms);
}

}  // namespace danlu::data
