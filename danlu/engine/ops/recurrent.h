// Recurrent layers: a whole sequence is one operation.
//
//   rnn    h_t = tanh(x_t + a_t)
//   lstm   i, f, o = sigmoid(...), g = tanh(...) of x_t + a_t in the order i f g o;  c_t = f c_{t-1} + i g;  h_t = o tanh(c_t)
//   gru    r, z = sigmoid(x_t + a_t), g = tanh(x_t + r a_t) in the order r z g;      h_t = (1 - z) g + z h_{t-1}
//
// where a_t = W h_{t-1} + b, and x_t is what the input gives to the gates: linear(input, weight_ih, bias_ih), one product for all positions.
// Order and formulas are PyTorch's, so that its weights can be loaded.
//
// Shapes    x: (N, T, G H) with G = 1, 4, 3 gates   weight: (G H, H)   bias: (G H) or undefined   y: (N, T, H)
//           lengths: i64 (N) or undefined: sequence n has lengths[n] <= T positions; behind them y is 0 and nothing is learnt
//           state: h and c (N, H), undefined stands for 0
// Gradient  dx, dweight, dbias, through all positions. The first state is a constant: to carry it over from the end of the piece before
//           is truncated backpropagation through time.
//           Saves y, the gates, and c of an LSTM.
// Errors    ShapeError; DtypeError; DataError for a length that is not in [0, T].
// Threads   parallel over sequences; the same bits for any number of threads.
// Source    Elman 1990; Hochreiter, Schmidhuber 1997; Cho et al. 2014, arXiv:1406.1078.
#pragma once

#include "danlu/engine/tensor/tensor.h"

namespace danlu {

struct RecurrentState {
  Tensor h = {}, c = {};  // c of an LSTM alone
};

struct RecurrentOptions {
  Tensor lengths = {};
  bool reverse = false;             // each sequence from its last position to its first
  RecurrentState first = {};
  RecurrentState* last = nullptr;   // set to the state after the last position, without gradient
};

Tensor rnn(const Tensor& x, const Tensor& weight, const Tensor& bias, const RecurrentOptions& options = {});
Tensor lstm(const Tensor& x, const Tensor& weight, const Tensor& bias, const RecurrentOptions& options = {});
Tensor gru(const Tensor& x, const Tensor& weight, const Tensor& bias, const RecurrentOptions& options = {});

}  // namespace danlu
