// Gradients of whole models whose products are of rounded numbers, beside those in f32.
#include "danlu/engine/kernels/matmul_precision.h"

#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/rng.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/half_gemm.h"
#include "danlu/engine/ops/loss.h"
#include "danlu/engine/ops/random.h"
#include "danlu/learn/models/gpt.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/optim/optimizer.h"

namespace danlu::train {
namespace {

using Gradients = std::vector<std::vector<float>>;  // of each parameter

template <class Loss>
Gradients gradients(const nn::Module& model, kernels::MatmulPrecision of, const Loss& loss) {
  optim::AdamW optimizer(model.parameters());
  optimizer.zero_grad();
  const kernels::WithMatmulPrecision precision(of);
  backward(loss());
  Gradients all;
  for (const Tensor& p : model.parameters()) all.emplace_back(p.grad().span().begin(), p.grad().span().end());
  return all;
}

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

// The cosine over all parameters, and the least of one.
void expect_near(const Gradients& medium, const Gradients& highest, double all, double each) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < medium.size(); ++i) {
    const double a = dot(medium[i], medium[i]), b = dot(highest[i], highest[i]), both = dot(medium[i], highest[i]);
    EXPECT_GT(both / std::sqrt(a * b), 1 - each) << "parameter " << i;
    ab += both;
    aa += a;
    bb += b;
  }
  const double cosine = ab / std::sqrt(aa * bb);
  EXPECT_GT(cosine, 1 - all);
  EXPECT_LT(cosine, 1 - 1e-9);  // it does round
  testing::Test::RecordProperty("one_minus_cosine", std::to_string(1 - cosine));
}

TEST(MatmulPrecision, GradientsOfAGpt) {
  if (!kernels::medium_precision_runs()) GTEST_SKIP() << "no format of half precision runs";
  manual_seed(3);
  models::Gpt model({.family = "llama", .layers = 4, .heads = 4, .width = 128, .context = 64, .vocab_size = 512});
  Tensor ids = Tensor::empty({4, 64}, Dtype::i64), targets = Tensor::empty({4, 64}, Dtype::i64);
  Rng rng(7);
  for (Tensor* t : {&ids, &targets}) {
    for (int64_t& id : t->mutable_span<int64_t>()) id = rng.below(512);
  }
  const auto loss = [&] { return model.loss(ids, targets); };
  expect_near(gradients(model, kernels::MatmulPrecision::medium, loss), gradients(model, kernels::MatmulPrecision::highest, loss), 1e-4, 1e-3);
}

TEST(MatmulPrecision, GradientsOfAResidualNetwork) {
  if (kernels::half_format() != kernels::HalfFormat::bf16) GTEST_SKIP() << "convolutions stay in f32";
  manual_seed(3);
  const auto model = models::parse_model(Json{{"type", "resnet"}, {"width", 32}, {"blocks", {1, 1}}}).make({16, 16, 3}, 10);
  Tensor x = Tensor::empty({32, 16, 16, 3}), y = Tensor::empty({32}, Dtype::i64);
  Rng rng(7);
  for (float& v : x.mutable_span()) v = rng.normal();
  for (int64_t& v : y.mutable_span<int64_t>()) v = rng.below(10);
  const auto loss = [&] { return cross_entropy((*model)(x), y); };
  optim::AdamW optimizer(model->parameters(), {.lr = 1e-2});  // blocks begin as their shortcuts alone
  for (int step = 0; step < 3; ++step) {
    optimizer.zero_grad();
    backward(loss());
    optimizer.step();
  }
  expect_near(gradients(*model, kernels::MatmulPrecision::medium, loss), gradients(*model, kernels::MatmulPrecision::highest, loss), 1e-3, 1e-2);
}

}  // namespace
}  // namespace danlu::train
