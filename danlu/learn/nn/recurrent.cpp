#include "danlu/learn/nn/recurrent.h"

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/ops/dropout.h"
#include "danlu/engine/ops/linear.h"
#include "danlu/engine/ops/movement.h"
#include "danlu/learn/nn/init.h"

namespace danlu::nn {
namespace {

constexpr const char* kWhere = "learn.nn";

int64_t gates_of(Cell cell) { return cell == Cell::rnn ? 1 : cell == Cell::lstm ? 4 : 3; }
const char* name_of(Cell cell) { return cell == Cell::rnn ? "RNN" : cell == Cell::lstm ? "LSTM" : "GRU"; }

}  // namespace

Recurrent::Recurrent(Cell cell, int64_t in, int64_t hidden, const RecurrentLayerOptions& options)
    : cell_(cell), in_(in), hidden_(hidden), options_(options) {
  if (in < 1 || hidden < 1 || options.layers < 1) {
    throw ConfigError(kWhere, fmt::format("{}: got {} layers from {} to {}; expected at least 1 of each", name_of(cell), options.layers, in, hidden));
  }
  for (int64_t layer = 0; layer < options.layers; ++layer) {
    const int64_t width = layer == 0 ? in : out();
    forward_.push_back(add_direction(width, fmt::format("_l{}", layer)));
    if (options.bidirectional) backward_.push_back(add_direction(width, fmt::format("_l{}_reverse", layer)));
  }
}

Recurrent::Direction Recurrent::add_direction(int64_t in, const std::string& suffix) {
  const int64_t gates = gates_of(cell_) * hidden_;
  const double bound = 1 / std::sqrt(static_cast<double>(hidden_));
  const auto parameter = [&](const char* name, const Shape& shape) {
    Tensor start = Tensor::empty(shape);
    uniform(start, bound);
    return add_parameter(name + suffix, start);
  };
  Direction d;
  d.weight_ih = parameter("weight_ih", {gates, in});
  d.weight_hh = parameter("weight_hh", {gates, hidden_});
  d.bias_ih = parameter("bias_ih", {gates});
  d.bias_hh = parameter("bias_hh", {gates});
  return d;
}

Tensor Recurrent::run(const Direction& d, const Tensor& x, const danlu::RecurrentOptions& options) const {
  const Tensor inputs = linear(x, d.weight_ih, d.bias_ih);
  switch (cell_) {
    case Cell::rnn: return rnn(inputs, d.weight_hh, d.bias_hh, options);
    case Cell::lstm: return lstm(inputs, d.weight_hh, d.bias_hh, options);
    case Cell::gru: break;
  }
  return gru(inputs, d.weight_hh, d.bias_hh, options);
}

Tensor Recurrent::forward(const Tensor& x, const Tensor& lengths, States* states) {
  if (states != nullptr) {
    if (options_.bidirectional) throw ConfigError(kWhere, "states can be carried over in one direction only; got layers of both");
    states->resize(forward_.size());
  }
  Tensor y = x;
  for (size_t layer = 0; layer < forward_.size(); ++layer) {
    if (layer > 0 && options_.dropout > 0 && is_training()) y = dropout(y, static_cast<float>(options_.dropout));
    danlu::RecurrentOptions options{.lengths = lengths};
    if (states != nullptr) {
      options.first = (*states)[layer];
      options.last = &(*states)[layer];
    }
    const Tensor ahead = run(forward_[layer], y, options);
    y = options_.bidirectional ? concat({ahead, run(backward_[layer], y, {.lengths = lengths, .reverse = true})}, -1) : ahead;
  }
  return y;
}

std::string Recurrent::describe() const {
  return fmt::format("{}({}, {}{}{})", name_of(cell_), in_, hidden_, options_.layers > 1 ? fmt::format(", {} layers", options_.layers) : "",
                     options_.bidirectional ? ", both directions" : "");
}

}  // namespace danlu::nn
