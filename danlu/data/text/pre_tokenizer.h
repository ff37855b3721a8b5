// Cutting of a text into pieces, which merges stay within.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "danlu/data/text/piece_sink.h"
#include "danlu/data/text/tokenizer_model.h"

namespace danlu::data {

// Takes a text apart in one way.
class Splitter {
 public:
  virtual ~Splitter() = default;
  // The text must be UTF-8. Throws DataError if a pattern cannot be matched with bounded effort.
  virtual void split(std::string_view text, PieceSink& pieces) const = 0;
};

// Threads: any number at once.
class PreTokenizer {
 public:
  // Without steps a text is one piece. Throws DataError for a pattern that does not compile, or that Hugging Face's
  // engine would read in another way.
  explicit PreTokenizer(const std::vector<PreTokenizerStep>& steps);

  // Calls visit(std::string_view) for every piece, in order; none is empty. Bytes that are not UTF-8 are pieces of
  // their own, and no pattern sees beyond them. Throws DataError if a pattern cannot be matched with bounded effort.
  template <class Visit>
  void split(std::string_view text, const Visit& visit) const {
    class Visitor final : public PieceSink {
     public:
      explicit Visitor(const Visit& visit) : visit_(visit) {}

     private:
      void take(std::span<const std::string_view> pieces) override {
        for (const std::string_view piece : pieces) visit_(piece);
      }
      const Visit& visit_;
    };
    Visitor visitor(visit);
    split_into(text, visitor);
    visitor.flush();
  }

 private:
  void split_into(std::string_view text, PieceSink& pieces) const;

  std::vector<std::unique_ptr<const Splitter>> splitters_;
};

}  // namespace danlu::data
