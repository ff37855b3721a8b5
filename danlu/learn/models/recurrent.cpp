#include "danlu/learn/models/recurrent.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/autograd/layer_scope.h"
#include "danlu/engine/ops/dropout.h"
#include "danlu/engine/ops/movement.h"
#include "danlu/learn/nn/embedding.h"
#include "danlu/learn/nn/layers.h"
#include "danlu/learn/nn/sequence.h"

namespace danlu::models {
namespace {

class RecurrentModel : public nn::Module {
 public:
  RecurrentModel(nn::Cell cell, const RecurrentOptions& options, const Shape& input, int64_t outputs) : options_(options) {
    const bool tokens = input.rank() == 1;
    if (tokens) embedding_ = add("embedding", nn::Embedding(options.vocab_size, options.embedding));
    const nn::RecurrentLayerOptions layers{options.layers, options.bidirectional, options.dropout};
    layers_ = add("layers", nn::Recurrent(cell, tokens ? options.embedding : input[1], options.hidden, layers));
    head_ = add("head", nn::Linear(layers_->out(), outputs, true, nn::Init::xavier));
  }

  Tensor forward(const Tensor& x) override {
    const Tensor lengths = embedding_ != nullptr ? nn::lengths_of(x) : full_lengths(x);
    const Tensor y = drop(run("layers", [&] { return layers_->forward(embedding_ != nullptr ? drop((*embedding_)(x)) : x, lengths); }));
    return run("head", [&] { return (*head_)(drop(pool(y, lengths))); });
  }

  std::string describe() const override { return layers_->describe(); }

 private:
  template <class Layer>
  static Tensor run(const char* name, const Layer& layer) {
    const LayerScope scope(name);
    return layer();
  }

  Tensor drop(const Tensor& x) const {
    return is_training() && options_.dropout > 0 ? dropout(x, static_cast<float>(options_.dropout)) : x;
  }

  static Tensor full_lengths(const Tensor& x) {
    Tensor lengths = Tensor::empty({x.size(0)}, Dtype::i64);
    for (int64_t& length : lengths.mutable_span<int64_t>()) length = x.size(1);
    return lengths;
  }

  // (N, T, C) to (N, C): of all positions, or where each direction has seen the whole sequence.
  Tensor pool(const Tensor& y, const Tensor& lengths) const {
    const Tensor begin = Tensor::zeros({y.size(0)}, Dtype::i64);
    if (options_.pooling == "mean") return nn::mean_between(y, begin, lengths);
    Tensor last = Tensor::empty(lengths.shape(), Dtype::i64);
    for (int64_t n = 0; n < lengths.numel(); ++n) last.mutable_data<int64_t>()[n] = lengths.data<int64_t>()[n] - 1;
    if (!options_.bidirectional) return nn::pick(y, last);
    const int64_t hidden = layers_->hidden();
    return concat({nn::pick(slice(y, -1, 0, hidden), last), nn::pick(slice(y, -1, hidden, 2 * hidden), begin)}, -1);
  }

  RecurrentOptions options_;
  std::shared_ptr<nn::Embedding> embedding_;  // null for numbers
  std::shared_ptr<nn::Recurrent> layers_;
  std::shared_ptr<nn::Linear> head_;
};

std::unique_ptr<nn::Module> make(nn::Cell cell, const RecurrentOptions& options, const Shape& input, int64_t outputs) {
  if (input.rank() != 1 && input.rank() != 2) {
    throw ConfigError("learn.recurrent", fmt::format("got samples of shape {}; expected (T) tokens or (T, F) numbers: text or a series", input.str()));
  }
  if (input.rank() == 1 && options.vocab_size < 2) {
    throw ConfigError("learn.recurrent", fmt::format("model.vocab_size: got {}; expected the tokens of a text and padding: this model reads text, set "
                                                     "data.text.column", options.vocab_size));
  }
  return std::make_unique<RecurrentModel>(cell, options, input, outputs);
}

}  // namespace

void RecurrentOptions::describe(OptionVisitor& v) {
  v.field("vocab_size", vocab_size, {0, 1e8}, "rows of the embedding; 0: the tokeniser's");
  v.field("embedding", embedding, {1, 1e6}, "channels of a token");
  v.field("hidden", hidden, {1, 1e6}, "units of a layer, in each direction");
  v.field("layers", layers, {1, 100}, "recurrent layers over each other");
  v.field("bidirectional", bidirectional, "read forwards and backwards");
  v.choice("pooling", pooling, {"mean", "last"}, "a sequence becomes the mean of its positions, or the last state");
  v.field("dropout", dropout, {0, 0.99}, "fraction dropped of embeddings, between layers and before the head, in training");
}

std::unique_ptr<nn::Module> make_rnn(const RecurrentOptions& o, const Shape& input, int64_t outputs) { return make(nn::Cell::rnn, o, input, outputs); }
std::unique_ptr<nn::Module> make_lstm(const RecurrentOptions& o, const Shape& input, int64_t outputs) { return make(nn::Cell::lstm, o, input, outputs); }
std::unique_ptr<nn::Module> make_gru(const RecurrentOptions& o, const Shape& input, int64_t outputs) { return make(nn::Cell::gru, o, input, outputs); }

}  // namespace danlu::models
