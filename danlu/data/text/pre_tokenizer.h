// Cutting a text into the pieces that merges stay within.
//
//   const PreTokenizer pre_tokenizer(model.pre_tokenizer);
//   pre_tokenizer.split(text, [&](std::string_view piece) { ... });
//
// The pieces, one after the other, are the text: no byte is lost, but those of a step whose matches are removed.
// Threads: split may be called from any number of threads at once.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "danlu/data/text/tokenizer_model.h"

namespace danlu::data {

class PreTokenizer {
 public:
  // Throws DataError for a pattern that does not compile, with the place in it.
  explicit PreTokenizer(const std::vector<PreTokenizerStep>& steps);
  ~PreTokenizer();
  PreTokenizer(PreTokenizer&&) noexcept;
  PreTokenizer& operator=(PreTokenizer&&) noexcept;

  // Bytes that are not UTF-8 are pieces of their own: patterns see the valid text between them.
  using OnPiece = std::function<void(std::string_view piece)>;
  void split(std::string_view text, const OnPiece& on_piece) const;

 private:
  class Step;
  std::vector<std::unique_ptr<const Step>> steps_;
};

}  // namespace danlu::data
