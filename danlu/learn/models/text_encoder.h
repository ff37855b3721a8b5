// From tokens to a vector of each that knows the others: what the models over a Transformer encoder have in common, under the same names,
// so that each can begin with the weights of another.
//
//   tokens       the embedding of each token          positions    of its place
//   encoder      blocks of attention and feed-forward (nn/transformer_encoder.h)
#pragma once

#include <memory>
#include <string>

#include "danlu/learn/models/encoder.h"
#include "danlu/learn/nn/embedding.h"
#include "danlu/learn/nn/transformer_encoder.h"

namespace danlu::models {

class TextEncoder : public nn::Module {
 public:
  int64_t length() const { return length_; }  // tokens of a text at most
  int64_t width() const { return options_.width; }
  int64_t vocab_size() const { return options_.vocab_size; }

 protected:
  TextEncoder(const EncoderOptions& options, int64_t length);

  struct Hidden {
    Tensor x;           // (N, T, width): the tokens of a text stand at the end of its row, padding in front
    Tensor begin, end;  // i64 (N): the tokens are [begin[n], end[n])
  };
  // ids: i64 (N, T), padded behind with 0. Throws ShapeError for another rank and for more than length() tokens.
  Hidden encode(const Tensor& ids);
  Tensor drop(const Tensor& x) const;  // the recipe's dropout, in training
  const nn::Embedding& tokens() const { return *tokens_; }
  std::string sizes() const;  // "2 layers, 4 heads, 128 wide, 64 tokens at most"

 private:
  EncoderOptions options_;
  int64_t length_;
  std::shared_ptr<nn::Embedding> tokens_, positions_;
  std::shared_ptr<nn::TransformerEncoder> encoder_;
};

}  // namespace danlu::models
