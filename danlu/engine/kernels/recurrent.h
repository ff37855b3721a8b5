// Recurrent cells over whole sequences (see ops/recurrent.h for the formulas).
//
// Threads: parallel over sequences, which do not depend on each other; the same bits for any number of threads.
#pragma once

#include <cstdint>

namespace danlu::kernels {

enum class Cell { rnn, lstm, gru };

constexpr int64_t gates_of(Cell cell) { return cell == Cell::rnn ? 1 : cell == Cell::lstm ? 4 : 3; }

struct RecurrentShape {
  Cell cell;
  int64_t batch, length, hidden;
  bool reverse;            // from the last position of a sequence to its first
  const int64_t* lengths;  // (batch) positions of each sequence, or null: all of them
  int64_t gates() const { return gates_of(cell) * hidden; }
};

// inputs (batch, length, gates()): what the input gives to each gate. weight (gates(), hidden), bias (gates()) or null, h0 and c0
// (batch, hidden) or null: zero. y (batch, length, hidden), zero behind the end of a sequence. h and c (batch, hidden), the states after
// the last position, are written unless null. gates (batch, length, gates()) and inner (batch, length, hidden) are for backward: the
// activated gates, and the cell states of an LSTM or what the state of a GRU gives to its candidate; a plain RNN has no inner.
void recurrent(const RecurrentShape& shape, const float* inputs, const float* weight, const float* bias, const float* h0, const float* c0,
               float* y, float* gates, float* inner, float* h, float* c);

// dinputs (batch, length, gates()). For a GRU dhidden, of the same shape, is the gradient of what the state gives to each gate; the other
// cells have one gradient for both, and dhidden is not read.
void recurrent_backward(const RecurrentShape& shape, const float* dy, const float* weight, const float* h0, const float* c0, const float* y,
                        const float* gates, const float* inner, float* dinputs, float* dhidden);

// The state before each position, (batch, length, hidden); zero behind the end of a sequence.
void states_before(const RecurrentShape& shape, const float* y, const float* h0, float* before);

}  // namespace danlu::kernels
