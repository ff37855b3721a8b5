// How often each piece of a text occurs, where pieces are what a pre-tokeniser cuts: the input of the training of byte-pair
// encoding. Counting runs in parallel; memory is bounded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "danlu/data/text/pre_tokenizer.h"
#include "danlu/data/text/tokenizer_model.h"

namespace danlu::data {

class PieceCounter {
 public:
  // Of the model the normaliser and the pre-tokeniser are used. Throws DataError for a pattern that does not compile.
  PieceCounter(const TokenizerModel& model, int64_t memory_bytes);
  ~PieceCounter();

  // Counts the pieces of a document, or of a part of one that ends with a line. A piece of more than kMaxPieceBytes counts as
  // several. Not for several threads.
  void add(std::string_view text);
  static constexpr size_t kMaxPieceBytes = 1024;

  struct Count {
    std::string_view piece;  // valid as long as the counter, until the next add()
    int64_t count = 0;
  };
  // All pieces so far, in any order.
  std::vector<Count> counts();

  int64_t bytes() const { return bytes_; }    // of the texts so far
  int64_t pieces() const { return pieces_; }  // with repetitions
  // When the table of distinct pieces outgrows the memory, the rarest are forgotten: first all that have been seen once, then
  // twice, and so on until half of the memory is free. Occurrences so lost; 0 means that the counts are exact. What is lost
  // depends on the texts and their order alone.
  int64_t forgotten() const { return forgotten_; }

 private:
  struct Part;

  void count_batch();
  void forget_rarest();
  int64_t used_bytes() const;

  Normalizer normalizer_;
  PreTokenizer pre_tokenizer_;
  int64_t memory_bytes_;
  size_t batch_bytes_;
  std::string batch_;               // texts to be counted
  std::vector<size_t> chunk_ends_;  // of the batch
  std::vector<Part> parts_;         // of the pieces, divided by hash: threads work on different parts
  int64_t bytes_ = 0, pieces_ = 0, forgotten_ = 0, rarest_ = 0;
};

}  // namespace danlu::data
