#include "danlu/learn/nn/layers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/rng.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/engine/ops/random.h"
#include "danlu/engine/ops/reduce.h"

namespace danlu::nn {
namespace {

Tensor randn(const Shape& shape, uint64_t seed) {
  Rng rng(seed);
  Tensor x = Tensor::empty(shape);
  for (float& v : x.mutable_span()) v = rng.normal();
  return x;
}

// Trap B34: with He's scale the activations keep their size through 50 layers; with N(0, 1) they would grow 256-fold at each.
// One network wanders by chance (its layers multiply random factors), so the logarithm is averaged over a few.
TEST(Init, VarianceStaysThroughFiftyLayers) {
  constexpr int kNetworks = 6, kLayers = 50;
  constexpr int64_t kWidth = 512;
  const NoGrad no_grad;
  std::vector<double> mean_log(kLayers);
  for (int network = 0; network < kNetworks; ++network) {
    manual_seed(static_cast<uint64_t>(network));
    Tensor x = randn({16, kWidth}, static_cast<uint64_t>(1000 + network));  // other numbers than the weights
    for (double& log_moment : mean_log) {
      Linear linear(kWidth, kWidth);
      const Tensor z = linear(x);
      double square_sum = 0;
      for (const float v : z.span()) square_sum += static_cast<double>(v) * v;
      // Of N(0, 2 / fan_in) weights on inputs of second moment 1: 2. ReLU halves it again.
      log_moment += std::log(square_sum / static_cast<double>(z.numel()) / 2) / kNetworks;
      x = relu(z);
    }
  }
  for (int layer = 0; layer < kLayers; ++layer) {
    EXPECT_GT(std::exp(mean_log[static_cast<size_t>(layer)]), 0.5) << "layer " << layer;
    EXPECT_LT(std::exp(mean_log[static_cast<size_t>(layer)]), 2.0) << "layer " << layer;
  }
}

TEST(Init, BiasesStartAtZeroAndWeightsDifferByLayer) {
  manual_seed(1);
  Linear a(8, 8), b(8, 8);
  for (const float v : a.bias.span()) EXPECT_EQ(v, 0);
  EXPECT_NE(a.weight.to_vector(), b.weight.to_vector());
  manual_seed(1);
  Linear again(8, 8);
  EXPECT_EQ(a.weight.to_vector(), again.weight.to_vector());
}

TEST(Module, NamesParametersByPath) {
  Sequential model(Linear(2, 3), ReLU(), BatchNorm(3), Linear(3, 1, false));
  std::vector<std::string> names;
  for (const NamedTensor& p : model.named_parameters()) names.push_back(p.name);
  EXPECT_EQ(names, (std::vector<std::string>{"0.weight", "0.bias", "2.weight", "2.bias", "3.weight"}));
  ASSERT_EQ(model.named_buffers().size(), 2u);
  EXPECT_EQ(model.named_buffers()[0].name, "2.running_mean");
  EXPECT_EQ(model.num_parameters(), 6 + 3 + 6 + 3);
  EXPECT_EQ(model.describe(), "Sequential(Linear(2, 3), ReLU, BatchNorm(3), Linear(3, 1, bias=false))");
}

// Trap B32.
TEST(Module, EvaluationModeSwitchesDropoutAndBatchNorm) {
  manual_seed(5);
  Sequential model(Linear(4, 32), BatchNorm(32), ReLU(), Dropout(0.5f), Linear(32, 2));
  const Tensor x = randn({16, 4}, 2);
  const NoGrad no_grad;
  for (int i = 0; i < 200; ++i) model(x);  // running statistics settle
  {
    const EvalMode eval(model);
    EXPECT_FALSE(model.is_training());
    const Tensor once = model(x);
    EXPECT_EQ(once.to_vector(), model(x).to_vector());
    const Tensor alone = model(x.rows(3, 4));  // no statistics of the batch
    EXPECT_NEAR(alone.data()[0], once.data()[6], 1e-5);
  }
  EXPECT_TRUE(model.is_training());
  EXPECT_NE(model(x).to_vector(), model(x).to_vector());
}

// The steps that Sequential joins or swaps change nothing but the time.
TEST(Sequential, FusedStepsEqualTheLayersOneByOne) {
  manual_seed(9);
  Sequential model(Conv2d(3, 16, 3, {.padding = 1}), ReLU(), MaxPool2d(2), Conv2d(16, 8, 3), Tanh(), Flatten(),
                   Linear(5 * 5 * 8, 20), Sigmoid(), Linear(20, 4));
  Tensor x = randn({5, 14, 14, 3}, 4);
  x.set_requires_grad();
  backward(sum(square(model(x))));
  std::vector<Tensor> fused = {x.grad().clone()};
  for (const Tensor& p : model.parameters()) fused.push_back(p.grad().clone());

  x.zero_grad();
  for (Tensor p : model.parameters()) p.zero_grad();
  Tensor y = x;
  for (const auto& [name, layer] : model.children()) y = layer->forward(y);
  backward(sum(square(y)));
  std::vector<Tensor> plain = {x.grad()};
  for (const Tensor& p : model.parameters()) plain.push_back(p.grad());
  for (size_t t = 0; t < fused.size(); ++t) {
    for (int64_t i = 0; i < fused[t].numel(); ++i) {
      ASSERT_NEAR(fused[t].data()[i], plain[t].data()[i], 1e-4 * (1 + std::abs(plain[t].data()[i]))) << "tensor " << t;
    }
  }
}

TEST(Layers, BadOptionsSayWhatIsWrong) {
  EXPECT_THROW(Linear(0, 3), ConfigError);
  EXPECT_THROW(Conv2d(3, 8, 3, {.groups = 2}), ConfigError);
  EXPECT_THROW(Dropout(1.0f), ConfigError);
  try {
    ActivationLayer("rellu");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(error.message().find("did you mean \"relu\"?"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace danlu::nn
