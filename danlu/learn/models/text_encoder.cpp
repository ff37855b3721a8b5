#include "danlu/learn/models/text_encoder.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/ops/dropout.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/learn/nn/sequence.h"

namespace danlu::models {
namespace {

constexpr const char* kWhere = "learn.encoder";
constexpr double kDeviation = 0.02;

// Sequences moved to the end of their rows, so that padding stands in front, where attention can leave it out.
struct Aligned {
  Tensor ids, positions;  // i64 (N, T)
  Tensor first;           // i64 (N, T): where attention begins
  Tensor begin, end;      // i64 (N): the tokens
};

Aligned align(const Tensor& ids) {
  const int64_t batch = ids.size(0), length = ids.size(1);
  const Tensor lengths = nn::lengths_of(ids);
  Aligned a{Tensor::zeros(ids.shape(), Dtype::i64), Tensor::zeros(ids.shape(), Dtype::i64), Tensor::zeros(ids.shape(), Dtype::i64),
            Tensor::empty({batch}, Dtype::i64), Tensor::empty({batch}, Dtype::i64)};
  for (int64_t n = 0; n < batch; ++n) {
    const int64_t count = lengths.data<int64_t>()[n], begin = length - count;
    a.begin.mutable_data<int64_t>()[n] = begin;
    a.end.mutable_data<int64_t>()[n] = length;
    for (int64_t t = 0; t < count; ++t) {
      const int64_t at = n * length + begin + t;
      a.ids.mutable_data<int64_t>()[at] = ids.data<int64_t>()[n * length + t];
      a.positions.mutable_data<int64_t>()[at] = t;
      a.first.mutable_data<int64_t>()[at] = begin;
    }
  }
  return a;
}

}  // namespace

TextEncoder::TextEncoder(const EncoderOptions& o, int64_t length) : options_(o), length_(length) {
  tokens_ = add("tokens", nn::Embedding(o.vocab_size, o.width, kDeviation));
  positions_ = add("positions", nn::Embedding(length, o.width, kDeviation));
  encoder_ = add("encoder", nn::TransformerEncoder({.layers = o.layers, .heads = o.heads, .width = o.width, .hidden = o.hidden, .head_dim = o.head_dim, .dropout = o.dropout}));
}

TextEncoder::Hidden TextEncoder::encode(const Tensor& ids) {
  if (ids.rank() != 2 || ids.size(1) > length_) {
    throw ShapeError(kWhere, fmt::format("got ids of shape {}; expected (N, T) with T at most {}", ids.shape().str(), length_));
  }
  const Aligned a = align(ids);
  return {encoder_->forward(drop((*tokens_)(a.ids) + (*positions_)(a.positions)), a.first), a.begin, a.end};
}

Tensor TextEncoder::drop(const Tensor& x) const {
  return is_training() && options_.dropout > 0 ? dropout(x, static_cast<float>(options_.dropout)) : x;
}

std::string TextEncoder::sizes() const {
  return fmt::format("{} layers, {} heads, {} wide, {} tokens at most", options_.layers, options_.heads, options_.width, length_);
}

}  // namespace danlu::models
