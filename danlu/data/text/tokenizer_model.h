// What a tokeniser is made of, as data: what tokenizer.json says, a trainer makes, and Tokenizer runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "danlu/data/text/tokenizer.h"

namespace danlu::data {

enum class Normalizer { none, nfc, nfkc };

// One step of cutting a text into the pieces that merges stay within.
struct PreTokenizerStep {
  enum class Kind {
    split,   // by a regular expression (PCRE2 syntax)
    digits,  // numbers apart from the rest
  };
  // What becomes of a match, as Hugging Face names it.
  enum class Behavior { isolated, removed, merged_with_previous, merged_with_next, contiguous };
  Kind kind = Kind::split;
  std::string pattern;  // split
  bool invert = false;  // split: the matches are the delimiters (false) or the pieces (true)
  Behavior behavior = Behavior::isolated;
  bool individual_digits = false;  // digits
};

struct AddedToken {
  TokenId id = 0;
  std::string content;
  bool special = true;
};

struct TokenizerModel {
  Normalizer normalizer = Normalizer::none;
  std::vector<PreTokenizerStep> pre_tokenizer;
  bool add_prefix_space = false;
  // true: symbols are the 256 bytes (ByteLevel of Hugging Face). false: Unicode characters. Symbols that the vocabulary
  // lacks become unk, or nothing where there is none.
  bool byte_level = true;
  bool ignore_merges = false;  // a piece that is a token as a whole is not built by merges

  // Token bytes by id (not the printable disguise that files of byte-level tokenisers use). Ids without a token are
  // empty.
  std::vector<std::string> vocab;
  // Pairs of ids in order of rank, each with the id that they become.
  struct Merge {
    TokenId left = 0, right = 0, result = 0;
  };
  std::vector<Merge> merges;
  std::vector<AddedToken> added;

  std::optional<TokenId> bos, eos, pad, unk;
  bool add_bos = false;  // what the post-processor of the file would put first; encode() does not
  std::string chat_template;
};

// The patterns of the families, by the names that recipes use: "gpt2", "cl100k" (Llama 3), "qwen".
// Throws ConfigError naming the nearest for an unknown name.
const std::string& split_pattern(const std::string& name);

}  // namespace danlu::data
