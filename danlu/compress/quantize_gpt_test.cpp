#include "danlu/compress/quantize_gpt.h"

#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/rng.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/random.h"

namespace danlu::compress {
namespace {

std::unique_ptr<models::Gpt> random_gpt(const std::string& family, bool tied) {
  manual_seed(5);
  auto network = std::make_unique<models::Gpt>(
      models::GptOptions{.family = family, .layers = 2, .heads = 2, .width = 64, .context = 32, .vocab_size = 100, .tied = tied});
  const NoGrad no_grad;
  for (Tensor& p : network->parameters()) {
    if (p.rank() < 2) continue;
    for (float& w : p.mutable_span()) w *= 6;
  }
  network->eval();
  return network;
}

Tensor random_ids(const Shape& shape, uint64_t seed) {
  Rng rng(seed);
  Tensor ids = Tensor::zeros(shape, Dtype::i64);
  for (int64_t& id : ids.mutable_span<int64_t>()) id = static_cast<int64_t>(rng.uniform() * 20) * 5;
  return ids;
}

// How far the logits are from those of the network, as a part of their size.
double off(models::Gpt& network, models::Gpt& rounded) {
  const NoGrad no_grad;
  const Tensor ids = random_ids({8, 32}, 9), expected = network(ids), got = rounded(ids);
  double error = 0, size = 0;
  for (int64_t i = 0; i < got.numel(); ++i) {
    error += std::pow(static_cast<double>(got.data()[i]) - static_cast<double>(expected.data()[i]), 2);
    size += std::pow(static_cast<double>(expected.data()[i]), 2);
  }
  return std::sqrt(error / size);
}

TEST(QuantizeGpt, EveryFamilySaysMuchTheSame) {
  for (const char* family : {"gpt2", "llama", "qwen2", "qwen3"}) {
    for (const bool tied : {true, false}) {
      SCOPED_TRACE(testing::Message() << family << (tied ? ", tied" : ""));
      const auto network = random_gpt(family, tied);
      const auto eight = quantize_gpt(*network, {.format = WeightFormat::q8}), four = quantize_gpt(*network, {.format = WeightFormat::q4});
      EXPECT_EQ(eight->quantized_weights().size(), tied ? 9u : 10u);
      EXPECT_EQ(four->quantized_weights().at("token_embedding").format(), WeightFormat::q8);
      EXPECT_EQ(four->quantized_weights().at("blocks.1.down.weight").format(), WeightFormat::q4);
      EXPECT_LT(off(*network, *eight), 0.05);
      EXPECT_LT(off(*network, *four), 0.5);
      EXPECT_GT(off(*network, *four), off(*network, *eight));
    }
  }
}

TEST(QuantizeGpt, CalibrationBringsItNearer) {
  const auto network = random_gpt("llama", true);
  const double nearest = off(*network, *quantize_gpt(*network, {.format = WeightFormat::q4}));
  EXPECT_LT(off(*network, *quantize_gpt(*network, {.format = WeightFormat::q4}, random_ids({64, 32}, 1))), 0.85 * nearest);
}

TEST(QuantizeGpt, LossIsThatOfTheLogits) {
  const auto network = random_gpt("llama", true);
  const auto eight = quantize_gpt(*network, {.format = WeightFormat::q8});
  const NoGrad no_grad;
  Tensor targets = random_ids({4, 32}, 2);
  targets.mutable_data<int64_t>()[5] = models::Gpt::kIgnore;
  EXPECT_NEAR(eight->loss(random_ids({4, 32}, 1), targets).item(), network->loss(random_ids({4, 32}, 1), targets).item(), 0.02);
}

TEST(QuantizeGpt, IsDoneOnceAndSaysHowFarItIs) {
  const auto network = random_gpt("gpt2", true);
  int64_t last = 0, calls = 0;
  const auto eight = quantize_gpt(*network, {.format = WeightFormat::q8, .progress = [&](int64_t done, int64_t of) {
    last = done;
    EXPECT_EQ(of, 9);
    ++calls;
  }});
  EXPECT_EQ(last, 9);
  EXPECT_EQ(calls, 9);
  EXPECT_THROW(quantize_gpt(*eight, {}), ConfigError);
  const NoGrad no_grad;
  network->parameters().front().fill(NAN);
  EXPECT_THROW(quantize_gpt(*network, {}), DataError);
}

}  // namespace
}  // namespace danlu::compress
