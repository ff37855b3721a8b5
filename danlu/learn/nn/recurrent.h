// Recurrent layers over sequences: plain RNN, LSTM, GRU; stacked, and in both directions.
//
//   nn::Recurrent layers(nn::Cell::lstm, 128, 256, {.layers = 2, .bidirectional = true});
//   Tensor y = layers.forward(x, lengths);                 // (N, T, 2 * 256): every position
//
// To carry states over from one piece of a long sequence to the next (truncated backpropagation through time):
//
//   nn::Recurrent::States states;                          // empty: zero
//   for (const Tensor& piece : pieces) y = layers.forward(piece, {}, &states);
//
// Parameters have PyTorch's names, order of gates and initial values, U(-1 / sqrt(hidden), 1 / sqrt(hidden)).
#pragma once

#include <vector>

#include "danlu/engine/ops/recurrent.h"
#include "danlu/learn/nn/module.h"

namespace danlu::nn {

enum class Cell { rnn, lstm, gru };

struct RecurrentLayerOptions {
  int64_t layers = 1;
  bool bidirectional = false;
  double dropout = 0;  // between layers
};

class Recurrent : public Module {
 public:
  Recurrent(Cell cell, int64_t in, int64_t hidden, const RecurrentLayerOptions& options = {});

  using States = std::vector<RecurrentState>;  // one a layer; empty: zero

  // x: (N, T, in)   lengths: i64 (N) or undefined   y: (N, T, out()). Both directions lie beside each other.
  // `states` are where the sequences begin, and are set to where they ended; ConfigError for layers of both directions.
  Tensor forward(const Tensor& x, const Tensor& lengths, States* states = nullptr);
  Tensor forward(const Tensor& x) override { return forward(x, {}); }
  std::string describe() const override;

  int64_t hidden() const { return hidden_; }
  int64_t out() const { return hidden_ * (options_.bidirectional ? 2 : 1); }

 private:
  struct Direction {
    Tensor weight_ih, weight_hh, bias_ih, bias_hh;
  };
  Direction add_direction(int64_t in, const std::string& suffix);
  Tensor run(const Direction& direction, const Tensor& x, const danlu::RecurrentOptions& options) const;

  Cell cell_;
  int64_t in_, hidden_;
  RecurrentLayerOptions options_;
  std::vector<Direction> forward_, backward_;  // of each layer
};

}  // namespace danlu::nn
