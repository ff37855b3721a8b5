// Where pieces of text go: a batch at a time, so that a virtual call serves many.
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace danlu::data {

class PieceSink {
 public:
  PieceSink() = default;
  PieceSink(const PieceSink&) = delete;
  PieceSink& operator=(const PieceSink&) = delete;
  virtual ~PieceSink() = default;

  // Empty pieces are passed over.
  void push(std::string_view piece) {
    if (piece.empty()) return;
    if (size_ == pieces_.size()) flush();
    pieces_[size_++] = piece;
  }
  // To be called after the last piece.
  void flush() {
    const size_t size = size_;
    size_ = 0;
    take({pieces_.data(), size});
  }

 private:
  virtual void take(std::span<const std::string_view> pieces) = 0;

  std::array<std::string_view, 128> pieces_;
  size_t size_ = 0;
};

}  // namespace danlu::data
