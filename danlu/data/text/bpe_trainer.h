// Training of byte-level byte-pair encoding.
//
//   BpeTrainer trainer({.vocab_size = 8192});
//   while (source.next(document)) trainer.add(document.text);
//   const Tokenizer tokenizer(trainer.train());
//
// Symbols are first the 256 bytes. Again and again the two neighbours that occur most often become one symbol, within the
// pieces that the pre-tokeniser cuts. Of pairs that are equally frequent the one with the smaller left id, then the smaller
// right id, is merged first; ids are those of Hugging Face tokenizers (bytes in the order of GPT-2, then the merges), and so
// are the merges, for the same pieces. The result depends on the texts and options alone, not on threads or order.
//
// Memory    the distinct pieces of the text, within memory_mb, not the text; see PieceCounter::forgotten().
// Source    Sennrich, Haddow, Birch 2016, arXiv:1508.07909.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "danlu/base/options.h"
#include "danlu/data/text/piece_counts.h"
#include "danlu/data/text/tokenizer_model.h"

namespace danlu::data {

struct BpeTrainerOptions {
  int64_t vocab_size = 8192;
  int64_t min_frequency = 2;
  std::string pattern = "gpt2";
  std::string normalizer = "none";
  std::vector<std::string> special_tokens = {"<|endoftext|>"};
  int64_t memory_mb = 1024;

  void describe(OptionVisitor& v);
};

struct BpeReport {
  int64_t bytes = 0;            // of text
  int64_t pieces = 0;           // with repetitions
  int64_t distinct_pieces = 0;  // that merges were made from
  int64_t forgotten = 0;        // occurrences of pieces that found no room in memory
  int64_t merges = 0;
  // True if the text had no further pair of min_frequency: the vocabulary is smaller than asked for.
  bool exhausted = false;

  Json to_json() const;
};

class BpeTrainer {
 public:
  // Throws ConfigError for options out of range, an unknown pattern, and a vocabulary too small for bytes and special tokens.
  explicit BpeTrainer(const BpeTrainerOptions& options);

  // A document, or a part of one that ends with a line; must be UTF-8 unless the pattern is empty. Uses all threads, for one
  // caller at a time.
  void add(std::string_view text);

  // Special tokens come after all others; the first one is eos. Throws DataError if no text was added. To be called once.
  TokenizerModel train();
  const BpeReport& report() const { return report_; }

 private:
  BpeTrainerOptions options_;
  TokenizerModel model_;
  PieceCounter counter_;
  BpeReport report_;
};

}  // namespace danlu::data
