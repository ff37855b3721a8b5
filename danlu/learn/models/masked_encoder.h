// The Transformer encoder before it knows what it is for: it tells tokens that are hidden from it, and so learns of texts that nobody has
// labelled. A recipe with the model `encoder` then begins with its weights (learn/train/transfer.h).
//
//   tokens i64 (N, T), padded with 0    as in encoder.h, but for the head: a dense layer, GELU, a norm, and the embedding of the tokens
//   once more, as the weights of the last layer
//
// Source    Devlin, Chang, Lee, Toutanova 2019, arXiv:1810.04805.
#pragma once

#include <memory>

#include "danlu/learn/models/text_encoder.h"
#include "danlu/learn/nn/layers.h"

namespace danlu::models {

class MaskedEncoder : public TextEncoder {
 public:
  MaskedEncoder(const EncoderOptions& options, int64_t length);

  // Mean cross-entropy of the tokens that are asked for. targets: i64 (N, T), kIgnore where nothing is asked. The logits are never whole in
  // memory. 0 where nothing at all is asked. Throws ShapeError for targets of another shape than ids.
  Tensor loss(const Tensor& ids, const Tensor& targets);
  static constexpr int64_t kIgnore = -1;

  // The logits of the tokens at some places, (M, vocabulary). at: the places, row by row, i64 (M) in [0, N T), or ShapeError.
  Tensor logits(const Tensor& ids, const Tensor& at);
  // Those of all places, (N, T, vocabulary).
  Tensor forward(const Tensor& ids) override;
  std::string describe() const override;

 private:
  Tensor features(const Tensor& ids, const Tensor& at);  // (M, width)

  std::shared_ptr<nn::Linear> transform_;
  std::shared_ptr<nn::LayerNorm> norm_;
};

// For texts of at most input[0] tokens; `vocab_size`, padding among them, unless the options say. Throws ConfigError as make_encoder does.
std::unique_ptr<nn::Module> make_masked_encoder(const EncoderOptions& options, const Shape& input, int64_t vocab_size);

}  // namespace danlu::models
