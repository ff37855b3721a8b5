#include "danlu/learn/nn/recurrent.h"

#include <gtest/gtest.h>

#include "danlu/base/error.h"
#include "danlu/base/rng.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/random.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/nn/sequence.h"

namespace danlu::nn {
namespace {

Tensor random(const Shape& shape, uint64_t seed) {
  Rng rng(seed);
  Tensor x = Tensor::empty(shape);
  for (float& v : x.mutable_span()) v = rng.normal();
  return x;
}

// Positions [begin, end) of (N, T, C).
Tensor piece(const Tensor& x, int64_t begin, int64_t end) {
  Tensor part = Tensor::empty(x.shape().with(1, end - begin));
  const int64_t width = x.size(2);
  for (int64_t n = 0; n < x.size(0); ++n) {
    std::copy_n(x.data() + (n * x.size(1) + begin) * width, (end - begin) * width, part.mutable_data() + n * (end - begin) * width);
  }
  return part;
}

TEST(Recurrent, StatesCarryAnythingOverFromPieceToPiece) {
  const NoGrad no_grad;
  for (const Cell cell : {Cell::rnn, Cell::lstm, Cell::gru}) {
    manual_seed(3);
    Recurrent layers(cell, 5, 7, {.layers = 2});
    const Tensor x = random({3, 10, 5}, 1), whole = layers.forward(x);
    Recurrent::States states;
    for (const auto& [begin, end] : {std::pair<int64_t, int64_t>{0, 4}, {4, 5}, {5, 10}}) {
      const Tensor y = layers.forward(piece(x, begin, end), {}, &states), expected = piece(whole, begin, end);
      for (int64_t i = 0; i < y.numel(); ++i) EXPECT_FLOAT_EQ(y.data()[i], expected.data()[i]);
    }
  }
}

TEST(Recurrent, GradientsOfAPieceStopAtItsBeginning) {
  manual_seed(3);
  Recurrent layers(Cell::lstm, 4, 6);
  const auto gradients = [&](const Tensor& y) {
    for (Tensor& p : layers.parameters()) p.zero_grad();
    backward(y, Tensor::full(y.shape(), 1));
    std::vector<Tensor> all;
    for (const Tensor& p : layers.parameters()) all.push_back(p.grad().clone());
    return all;
  };
  Recurrent::States carried, copied;
  layers.forward(random({2, 5, 4}, 1), {}, &carried);  // on the tape
  const std::vector<Tensor> got = gradients(layers.forward(random({2, 5, 4}, 2), {}, &carried));
  {
    const NoGrad no_grad;
    layers.forward(random({2, 5, 4}, 1), {}, &copied);
  }
  const std::vector<Tensor> expected = gradients(layers.forward(random({2, 5, 4}, 2), {}, &copied));
  float most = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    for (int64_t j = 0; j < got[i].numel(); ++j) {
      EXPECT_EQ(got[i].data()[j], expected[i].data()[j]);
      most = std::max(most, std::abs(got[i].data()[j]));
    }
  }
  EXPECT_GT(most, 0);
  EXPECT_THROW(Recurrent(Cell::lstm, 4, 6, {.bidirectional = true}).forward(random({2, 5, 4}, 2), {}, &carried), ConfigError);
}

TEST(Sequence, PaddingSaysNothing) {
  const NoGrad no_grad;
  for (const char* type : {"rnn", "lstm", "gru", "encoder"}) {
    SCOPED_TRACE(type);
    manual_seed(5);
    Json config = {{"type", type}, {"vocab_size", 30}, {"layers", 2}};
    const auto model = models::parse_model(config).make({12}, 3);
    model->eval();
    Tensor narrow = Tensor::zeros({3, 5}, Dtype::i64), wide = Tensor::zeros({3, 12}, Dtype::i64);
    Rng rng(8);
    for (int64_t n = 0; n < 3; ++n) {
      for (int64_t t = 0; t < (n == 0 ? 5 : n == 1 ? 2 : 0); ++t) {  // the last text has no token
        const int64_t id = 1 + rng.below(29);
        narrow.mutable_data<int64_t>()[n * 5 + t] = wide.mutable_data<int64_t>()[n * 12 + t] = id;
      }
    }
    const Tensor a = (*model)(narrow), b = (*model)(wide);
    for (int64_t i = 0; i < a.numel(); ++i) EXPECT_NEAR(a.data()[i], b.data()[i], 1e-5);
    EXPECT_FALSE(std::isnan(a.data()[6]));
  }
}

TEST(Sequence, ModelsOfTextsSayWhatTheyNeed) {
  for (const char* type : {"lstm", "encoder"}) {
    try {
      models::parse_model(type).make({12}, 3);
      FAIL() << "expected a ConfigError";
    } catch (const ConfigError& error) {
      EXPECT_NE(error.message().find("model.vocab_size: got 0"), std::string::npos) << error.what();
    }
  }
  EXPECT_THROW(models::parse_model({{"type", "encoder"}, {"heads", 3}, {"width", 64}}), ConfigError);
  EXPECT_THROW(models::parse_model({{"type", "encoder"}, {"vocab_size", 9}}).make({28, 28, 1}, 3), ConfigError);
}

}  // namespace
}  // namespace danlu::nn
