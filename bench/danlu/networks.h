// The networks of the workloads: bench/peers/pytorch.py has the same, layer by layer.
#pragma once

#include <memory>

#include "danlu/base/rng.h"
#include "danlu/engine/ops/movement.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/nn/embedding.h"
#include "danlu/learn/nn/layers.h"
#include "danlu/learn/nn/recurrent.h"

namespace danlu::bench {

constexpr int64_t kLength = 128, kVocabulary = 8192;  // of the LSTM and the encoder

inline Tensor random_values(const Shape& shape) {
  Rng rng(7);
  Tensor values = Tensor::empty(shape);
  for (float& v : values.mutable_span()) v = rng.normal();
  return values;
}

inline Tensor random_ids(const Shape& shape, int64_t first, int64_t end, uint64_t seed = 7) {
  Rng rng(seed);
  Tensor ids = Tensor::empty(shape, Dtype::i64);
  for (int64_t& id : ids.mutable_span<int64_t>()) id = first + rng.below(end - first);
  return ids;
}

// Sequences for the LSTM and the encoder; 0 is the encoder's padding.
inline Tensor random_sequences(int64_t batch) { return random_ids({batch, kLength}, 1, kVocabulary); }

inline std::unique_ptr<nn::Module> make_mlp() {
  using namespace nn;
  return std::make_unique<Sequential>(Linear(784, 128), ReLU(), Linear(128, 64), ReLU(), Linear(64, 10));
}

inline std::unique_ptr<nn::Module> make_cnn() {
  using namespace nn;
  const Conv2dLayerOptions same{.padding = 1};
  return std::make_unique<Sequential>(Conv2d(1, 32, 3, same), ReLU(), MaxPool2d(2), Conv2d(32, 64, 3, same), ReLU(), MaxPool2d(2), Flatten(),
                                      Linear(7 * 7 * 64, 128), ReLU(), Linear(128, 10));
}

inline std::unique_ptr<nn::Module> make_resnet() {
  return models::parse_model(Json{{"type", "resnet"}, {"width", 32}, {"blocks", {1, 1, 1}}}).make({28, 28, 1}, 10);
}

// Four blocks of 256 with four heads, two classes.
inline std::unique_ptr<nn::Module> make_encoder() {
  return models::parse_model({{"type", "encoder"}, {"layers", 4}, {"width", 256}, {"heads", 4}, {"vocab_size", kVocabulary}, {"dropout", 0}}).make({kLength}, 2);
}

// A language model: embedding of 128, two layers of 256.
struct Lstm : nn::Module {
  Lstm() : embedding(add("embedding", nn::Embedding(kVocabulary, 128))), layers(add("layers", nn::Recurrent(nn::Cell::lstm, 128, 256, {.layers = 2}))),
           head(add("head", nn::Linear(256, kVocabulary, false))) {}
  // ids (N, T) to the logits of what comes after the last one, (N, V).
  Tensor forward(const Tensor& ids) override {
    const Tensor y = states(ids);
    return (*head)(reshape(slice(y, 1, y.size(1) - 1, y.size(1)), {-1, 256}));
  }
  Tensor states(const Tensor& ids) { return (*layers)((*embedding)(ids)); }
  std::string describe() const override { return "Lstm"; }
  std::shared_ptr<nn::Embedding> embedding;
  std::shared_ptr<nn::Recurrent> layers;
  std::shared_ptr<nn::Linear> head;
};

}  // namespace danlu::bench
