// RNN, LSTM and GRU for sequences: of tokens, or of numbers measured at each position.
//
//   tokens i64 (N, T), padded with 0    embedding, recurrent layers, pooling, head
//   numbers (N, T, F)                   recurrent layers, pooling, head
#pragma once

#include <memory>
#include <string>

#include "danlu/base/options.h"
#include "danlu/learn/nn/module.h"
#include "danlu/learn/nn/recurrent.h"

namespace danlu::models {

struct RecurrentOptions {
  int64_t vocab_size = 0;  // a recipe takes it from the tokeniser; not used for numbers
  int64_t embedding = 128;
  int64_t hidden = 128;
  int64_t layers = 1;
  bool bidirectional = true;
  std::string pooling = "mean";
  double dropout = 0.2;
  void describe(OptionVisitor& v);
};

std::unique_ptr<nn::Module> make_rnn(const RecurrentOptions& options, const Shape& input, int64_t outputs);
std::unique_ptr<nn::Module> make_lstm(const RecurrentOptions& options, const Shape& input, int64_t outputs);
std::unique_ptr<nn::Module> make_gru(const RecurrentOptions& options, const Shape& input, int64_t outputs);

}  // namespace danlu::models
