// The n-grams of words and of characters in a text: what a bag of n-grams is made of.
//
//   NgramCounter counter({.words = {1, 2}, .characters = {3, 5}});
//   for (const std::string& text : training) counter.add(text);
//   const NgramVocabulary vocabulary = counter.vocabulary();
//   const std::vector<int64_t> ids = vocabulary.encode("A red rose.", 1000);
//
// A word is a run of letters, marks and digits (word_characters.h), in small letters and NFC; an ideograph and a kana, which no space divides
// from the next, is one by itself. An n-gram of words is n words in a row, whatever stands between them: "red rose". One of characters is n characters in
// a row of what stands between two spaces, signs too, and of a space at each end, so that beginnings and ends differ from middles: " ro",
// "ros", "ose", "se.", "e. ".
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/base/options.h"
#include "danlu/data/table/saved_state.h"

namespace danlu::data {

struct NgramOptions {
  std::vector<int64_t> words = {1, 2};  // the shortest and the longest n; empty: none
  std::vector<int64_t> characters = {};
  int64_t min_documents = 2;
  int64_t max_size = 1000000;
  void describe(OptionVisitor& v);
};

// Throws ConfigError for a range that is none; key paths begin with `prefix`.
void check_ngrams(const NgramOptions& options, const Locate& locate = {}, const std::string& prefix = "ngrams");

// A text in parts with a word each, and what stands before it; what follows the last word is the last part's. All parts are all of the text.
std::vector<std::string_view> word_parts(std::string_view text);

class NgramVocabulary {
 public:
  // Throws DataError naming `state` and what is wrong.
  static NgramVocabulary from_json(const SavedState& state);
  // {"words": [1, 2], "characters": [3, 5], "word_ngrams": ["a", "a red", ...], "character_ngrams": [" a ", ...]}: ids are places in the
  // first list and then the second, from 1.
  Json to_json() const;

  int64_t size() const { return static_cast<int64_t>(word_ngrams_.size() + character_ngrams_.size()); }

  // The ids, from 1 on, of the n-grams of a text that are in the vocabulary, in the order of the text, each as often as it occurs; at most `most`.
  // Bytes that are not UTF-8 divide words.
  std::vector<int64_t> encode(std::string_view text, int64_t most) const;
  // Of the beginning of a text that encode() takes its ids from: up to the word with the last one, or all of it.
  size_t bytes_read(std::string_view text, int64_t most) const;

 private:
  friend class NgramCounter;

  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Ids = std::unordered_map<std::string, int64_t, Hash, std::equal_to<>>;

  struct Read {
    std::vector<int64_t> ids = {};
    size_t bytes = 0;
  };
  Read read(std::string_view text, int64_t most) const;
  NgramVocabulary(const NgramOptions& options, std::vector<std::string> word_ngrams, std::vector<std::string> character_ngrams);
  static Ids number(const std::vector<std::string>& ngrams, int64_t first);

  std::vector<int64_t> words_, characters_;
  std::vector<std::string> word_ngrams_, character_ngrams_;
  Ids word_ids_, character_ids_;
};

// Learns a vocabulary: the n-grams that are in at least min_documents texts; of those, if they are more than max_size, the ones in most
// texts. In the order of their bytes, so that it depends on the texts alone. Memory: all different n-grams of the texts.
class NgramCounter {
 public:
  // Throws ConfigError.
  explicit NgramCounter(const NgramOptions& options);

  void add(std::string_view text);
  // Throws DataError if nothing is left.
  NgramVocabulary vocabulary() const;
  // Of each n-gram of `vocabulary`, and of the padding 0 before them: ln((1 + texts) / (1 + texts that have it)) + 1, the inverse document
  // frequency; of padding 0.
  std::vector<float> idf(const NgramVocabulary& vocabulary) const;

 private:
  struct Count {
    int64_t documents = 0;
    int64_t last = 0;  // text that it was found in, from 1
  };
  using Counts = std::unordered_map<std::string, Count, NgramVocabulary::Hash, std::equal_to<>>;

  NgramOptions options_;
  int64_t documents_ = 0;
  Counts words_, characters_;
};

}  // namespace danlu::data
