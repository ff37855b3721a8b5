#include "danlu/learn/models/encoder.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/ops/dropout.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/learn/nn/embedding.h"
#include "danlu/learn/nn/layers.h"
#include "danlu/learn/nn/sequence.h"
#include "danlu/learn/nn/transformer_encoder.h"

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

class EncoderModel : public nn::Module {
 public:
  EncoderModel(const EncoderOptions& o, int64_t length, int64_t outputs) : options_(o), length_(length) {
    tokens_ = add("tokens", nn::Embedding(o.vocab_size, o.width, kDeviation));
    positions_ = add("positions", nn::Embedding(length, o.width, kDeviation));
    encoder_ = add("encoder", nn::TransformerEncoder({o.layers, o.heads, o.width, o.hidden, o.dropout}));
    head_ = add("head", nn::Linear(o.width, outputs, true, nn::Init::xavier));
  }

  Tensor forward(const Tensor& ids) override {
    if (ids.rank() != 2 || ids.size(1) > length_) {
      throw ShapeError(kWhere, fmt::format("got ids of shape {}; expected (N, T) with T at most {}", ids.shape().str(), length_));
    }
    const Aligned a = align(ids);
    const Tensor x = encoder_->forward(drop((*tokens_)(a.ids) + (*positions_)(a.positions)), a.first);
    return (*head_)(drop(nn::mean_between(x, a.begin, a.end)));
  }

  std::string describe() const override {
    return fmt::format("Encoder({} layers, {} heads, {} wide, {} tokens at most)", options_.layers, options_.heads, options_.width, length_);
  }

 private:
  Tensor drop(const Tensor& x) const {
    return is_training() && options_.dropout > 0 ? dropout(x, static_cast<float>(options_.dropout)) : x;
  }

  EncoderOptions options_;
  int64_t length_;
  std::shared_ptr<nn::Embedding> tokens_, positions_;
  std::shared_ptr<nn::TransformerEncoder> encoder_;
  std::shared_ptr<nn::Linear> head_;
};

}  // namespace

void EncoderOptions::describe(OptionVisitor& v) {
  v.field("vocab_size", vocab_size, {0, 1e8}, "rows of the embedding; 0: the tokeniser's");
  v.field("layers", layers, {1, 1000}, "blocks of attention and feed-forward");
  v.field("heads", heads, {1, 4096}, "attention heads");
  v.field("width", width, {1, 1e6}, "channels");
  v.field("hidden", hidden, {0, 1e7}, "channels of the feed-forward layer; 0: 4 width");
  v.field("dropout", dropout, {0, 0.99}, "fraction dropped of the embedding and of each branch in training");
}

void check_encoder(const EncoderOptions& o, const Locate& locate, const std::string& prefix) {
  if (o.width % o.heads == 0) return;
  const std::string path = prefix.empty() ? "heads" : prefix + ".heads", place = locate ? locate(path) : "";
  throw ConfigError(kWhere, fmt::format("{}{}{}: got {} for a width of {}; expected a divisor of it", place, place.empty() ? "" : ": ", path, o.heads, o.width));
}

std::unique_ptr<nn::Module> make_encoder(const EncoderOptions& options, const Shape& input, int64_t outputs) {
  check_encoder(options);
  if (input.rank() != 1) throw ConfigError(kWhere, fmt::format("got samples of shape {}; expected (T) tokens: this model reads text", input.str()));
  if (options.vocab_size < 2) {
    throw ConfigError(kWhere, fmt::format("model.vocab_size: got {}; expected the tokens of a text and padding: this model reads text, set data.text.column",
                                          options.vocab_size));
  }
  return std::make_unique<EncoderModel>(options, input[0], outputs);
}

}  // namespace danlu::models
