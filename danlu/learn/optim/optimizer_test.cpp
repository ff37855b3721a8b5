#include "danlu/learn/optim/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/threads.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/engine/ops/reduce.h"
#include "danlu/engine/tensor/allocator.h"

namespace danlu::optim {
namespace {

Tensor parameter(std::initializer_list<float> values) {
  Tensor p = Tensor::from({1, static_cast<int64_t>(values.size())}, values);
  p.set_requires_grad();
  return p;
}

// One step on f(p) = sum(a p^2) / 2, whose gradient is a p.
void quadratic_step(Optimizer& optimizer, const Tensor& p, const Tensor& a) {
  optimizer.zero_grad();
  backward(sum(mul(a, square(p))) * 0.5f);
  optimizer.step();
}

TEST(Sgd, ClosedFormOnQuadratic) {
  Tensor p = parameter({1, -2, 3});
  const Tensor a = Tensor::from({1, 3}, {1.0f, 2.0f, 0.5f});
  Sgd optimizer({p}, {.lr = 0.1});
  for (int t = 0; t < 20; ++t) quadratic_step(optimizer, p, a);
  const float start[] = {1, -2, 3}, curvature[] = {1, 2, 0.5f};
  for (int i = 0; i < 3; ++i) {
    EXPECT_NEAR(p.data()[i], start[i] * std::pow(1 - 0.1 * curvature[i], 20), 1e-6);
  }
}

TEST(Sgd, MomentumAndNesterovFollowTheirRecurrences) {
  for (const bool nesterov : {false, true}) {
    Tensor p = parameter({1.0f});
    const Tensor a = Tensor::from({1, 1}, {1.0f});
    Sgd optimizer({p}, {.lr = 0.1, .momentum = 0.9, .nesterov = nesterov});
    double x = 1, m = 0;
    for (int t = 0; t < 30; ++t) {
      quadratic_step(optimizer, p, a);
      const double g = x;
      m = 0.9 * m + g;
      x -= 0.1 * (nesterov ? g + 0.9 * m : m);
      ASSERT_NEAR(p.data()[0], x, 1e-6) << "nesterov " << nesterov << " step " << t;
    }
  }
}

TEST(Sgd, OnlyWhatHasAGradientMoves) {
  constexpr int64_t kSize = 1001;
  std::vector<float> start(kSize), slope(kSize);
  for (int64_t i = 0; i < kSize; ++i) {
    start[static_cast<size_t>(i)] = 1 + static_cast<float>(i);
    slope[static_cast<size_t>(i)] = i % 100 == 37 ? 0.5f : 0;  // some vectors have one, most none
  }
  Tensor p = Tensor::from({1, kSize}, start);
  p.set_requires_grad();
  Sgd optimizer({p}, {.lr = 0.1});
  optimizer.zero_grad();
  backward(sum(mul(p, Tensor::from({1, kSize}, slope))));
  optimizer.step();
  for (int64_t i = 0; i < kSize; ++i) EXPECT_FLOAT_EQ(p.data()[i], start[static_cast<size_t>(i)] - (i % 100 == 37 ? 0.05f : 0)) << i;
}

TEST(Adam, FirstUpdateIsLearningRateTimesSign) {
  Tensor p = parameter({5, -3, 1e-3f}), q = parameter({-7});
  const Tensor a = Tensor::from({1, 3}, {100.0f, 1e-3f, 1.0f});
  Adam optimizer({p, q}, {.lr = 0.01});
  optimizer.zero_grad();
  backward(sum(mul(a, square(p))) + sum(q));
  optimizer.step();
  EXPECT_NEAR(p.data()[0], 5 - 0.01f, 1e-6);
  EXPECT_NEAR(p.data()[1], -3 + 0.01f, 1e-6);
  EXPECT_NEAR(p.data()[2], 1e-3f - 0.01f, 1e-6);
  EXPECT_NEAR(q.data()[0], -7 - 0.01f, 1e-6);
  EXPECT_EQ(optimizer.num_steps(), 1);
}

TEST(Adam, FollowsItsRecurrence) {
  for (const bool decoupled : {false, true}) {
    Tensor p = parameter({2.0f});
    const Tensor a = Tensor::from({1, 1}, {0.7f});
    std::unique_ptr<Optimizer> optimizer;
    if (decoupled) {
      optimizer = std::make_unique<AdamW>(std::vector<Tensor>{p}, AdamWOptions{.lr = 0.05, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-6, .weight_decay = 0.1});
    } else {
      optimizer = std::make_unique<Adam>(std::vector<Tensor>{p}, AdamOptions{.lr = 0.05, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-6, .weight_decay = 0.1});
    }
    double x = 2, m = 0, v = 0;
    for (int t = 1; t <= 50; ++t) {
      quadratic_step(*optimizer, p, a);
      const double g = static_cast<double>(0.7f) * x + (decoupled ? 0 : 0.1 * x);
      m = 0.8 * m + 0.2 * g;
      v = 0.95 * v + 0.05 * g * g;
      if (decoupled) x *= 1 - 0.05 * 0.1;
      x -= 0.05 * (m / (1 - std::pow(0.8, t))) / (std::sqrt(v / (1 - std::pow(0.95, t))) + 1e-6);
      ASSERT_NEAR(p.data()[0], x, 2e-5) << "decoupled " << decoupled << " step " << t;
    }
  }
}

TEST(Adagrad, FollowsItsRecurrence) {
  Tensor p = parameter({1.0f});
  const Tensor a = Tensor::from({1, 1}, {2.0f});
  Adagrad optimizer({p}, {.lr = 0.1});
  double x = 1, s = 0;
  for (int t = 0; t < 20; ++t) {
    quadratic_step(optimizer, p, a);
    const double g = 2 * x;
    s += g * g;
    x -= 0.1 * g / (std::sqrt(s) + 1e-10);
    ASSERT_NEAR(p.data()[0], x, 1e-5);
  }
}

TEST(Rmsprop, FollowsItsRecurrenceWithMomentum) {
  Tensor p = parameter({1.0f});
  const Tensor a = Tensor::from({1, 1}, {1.0f});
  Rmsprop optimizer({p}, {.lr = 0.01, .alpha = 0.9, .momentum = 0.5});
  double x = 1, s = 0, m = 0;
  for (int t = 0; t < 20; ++t) {
    quadratic_step(optimizer, p, a);
    const double g = x;
    s = 0.9 * s + 0.1 * g * g;
    m = 0.5 * m + g / (std::sqrt(s) + 1e-8);
    x -= 0.01 * m;
    ASSERT_NEAR(p.data()[0], x, 1e-5);
  }
}

TEST(Optimizer, DecaysWeightsButNotBiases) {
  Tensor weight = parameter({1, 1});
  Tensor bias = Tensor::from({2}, {1.0f, 1.0f});
  bias.set_requires_grad();
  AdamW optimizer({bias, weight}, {.lr = 0.1, .weight_decay = 0.5});
  optimizer.zero_grad();
  optimizer.step();  // no gradient at all: only decay acts
  EXPECT_FLOAT_EQ(weight.data()[0], 0.95f);
  EXPECT_FLOAT_EQ(bias.data()[0], 1.0f);
}

TEST(Optimizer, SteadyStepTakesNoMemoryFromTheSystem) {
  Tensor p = parameter({1, 2, 3, 4});
  const Tensor a = Tensor::from({1, 4}, {1.0f, 1.0f, 1.0f, 1.0f});
  Adam optimizer({p});
  for (int t = 0; t < 5; ++t) quadratic_step(optimizer, p, a);
  const int64_t before = allocator_stats().system_allocations;
  for (int t = 0; t < 50; ++t) quadratic_step(optimizer, p, a);
  EXPECT_EQ(allocator_stats().system_allocations, before);
}

TEST(ParameterStore, RefusesTheSameParameterTwice) {
  Tensor p = parameter({1.0f});
  EXPECT_THROW(Sgd({p, p}), ConfigError);
  EXPECT_THROW(Sgd({Tensor::zeros({2})}), ConfigError);
}

// Every part of the parameters is divided among the threads; each element is updated once, and alike.
TEST(Optimizer, TheSameBitsForAnyNumberOfThreads) {
  const int before = num_threads();
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    std::vector<Tensor> parameters;
    for (const Shape& shape : {Shape{300, 77}, Shape{77}, Shape{3, 5}, Shape{1}}) {
      Tensor p = Tensor::empty(shape);
      for (int64_t i = 0; i < p.numel(); ++i) p.mutable_data()[i] = static_cast<float>(i % 100) - 49.5f;
      p.set_requires_grad();
      parameters.push_back(p);
    }
    AdamW optimizer(parameters, {.lr = 0.1, .weight_decay = 0.1});
    for (int t = 0; t < 3; ++t) {
      optimizer.zero_grad();
      for (const Tensor& p : parameters) backward(sum(square(p)));
      optimizer.step();
    }
    for (const Tensor& p : parameters) {
      const bool decays = p.rank() > 1;
      for (int64_t i = 0; i < p.numel(); ++i) {
        // Three steps of about the learning rate towards 0, and the decay.
        const float start = static_cast<float>(i % 100) - 49.5f;
        ASSERT_NEAR(p.data()[i], start * (decays ? 0.970299f : 1.0f) - std::copysign(0.3f, start), 0.01f) << i;
      }
    }
    results.push_back(optimizer.store().values().to_vector());
  }
  set_num_threads(before);
  EXPECT_EQ(results[1], results[0]);
  EXPECT_EQ(results[2], results[0]);
}

TEST(ParseOptimizer, MessagesNameTheKeyAndTheNearest) {
  EXPECT_EQ(parse_optimizer("sgd").type, "sgd");
  EXPECT_EQ(parse_optimizer(Json{{"type", "adam"}, {"lr", 0.5}}).resolved.at("lr"), 0.5);
  const auto message = [](const Json& json) -> std::string {
    try {
      parse_optimizer(json, {}, "train.optimizer");
    } catch (const ConfigError& error) {
      return error.message();
    }
    return "";
  };
  EXPECT_NE(message("adm").find("did you mean \"adam\"?"), std::string::npos) << message("adm");
  EXPECT_NE(message(Json{{"type", "adam"}, {"momentum", 0.9}}).find("train.optimizer.momentum"), std::string::npos);
  EXPECT_NE(message(Json{{"type", "sgd"}, {"lr", "high"}}).find("expected a number"), std::string::npos);
  EXPECT_NE(message(Json{{"type", "sgd"}, {"momentum", 2}}).find("in [0, 1)"), std::string::npos);
  for (const Json& stuck : {Json{{"type", "adam"}, {"beta1", 1}}, Json{{"type", "adamw"}, {"beta2", 1}}, Json{{"type", "rmsprop"}, {"alpha", 1}},
                            Json{{"type", "sgd"}, {"momentum", 1}}}) {
    EXPECT_NE(message(stuck).find("got 1; expected a number in [0, 1)"), std::string::npos) << stuck;
  }
}

}  // namespace
}  // namespace danlu::optim
