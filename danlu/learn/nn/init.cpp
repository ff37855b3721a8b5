#include "danlu/learn/nn/init.h"

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/rng.h"
#include "danlu/engine/ops/random.h"

namespace danlu::nn {
namespace {

Rng next_rng() {
  const RandomState draw = next_random();
  return Rng(draw.seed, draw.offset);
}

int64_t fan_in(const Tensor& weight) {
  if (weight.rank() < 2) throw ShapeError("learn.init", "got " + weight.shape().str() + "; expected a weight of two axes or more");
  return weight.shape().inner(0);
}

}  // namespace

void he_normal(Tensor& weight) {
  const float std = std::sqrt(2.0f / static_cast<float>(fan_in(weight)));
  Rng rng = next_rng();
  for (float& w : weight.mutable_span()) w = std * rng.normal();
}

void xavier_uniform(Tensor& weight) {
  const int64_t receptive_field = weight.shape().inner(1);
  const auto fans = static_cast<float>(fan_in(weight) + weight.size(0) * receptive_field);
  const float bound = std::sqrt(6.0f / fans);
  Rng rng = next_rng();
  for (float& w : weight.mutable_span()) w = bound * (2 * rng.uniform() - 1);
}

void normal(Tensor& weight, double deviation) {
  Rng rng = next_rng();
  for (float& w : weight.mutable_span()) w = static_cast<float>(deviation) * rng.normal();
}

void uniform(Tensor& weight, double bound) {
  Rng rng = next_rng();
  for (float& w : weight.mutable_span()) w = static_cast<float>(bound) * (2 * rng.uniform() - 1);
}

}  // namespace danlu::nn
