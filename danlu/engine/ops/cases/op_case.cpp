#include "danlu/engine/ops/cases/op_case.h"

#include <cmath>

namespace danlu::cases {

Generator normal(double scale) {
  return [scale](Rng& rng, int64_t) { return scale * rng.normal(); };
}

Generator uniform(double low, double high) {
  return [low, high](Rng& rng, int64_t) { return low + (high - low) * rng.uniform(); };
}

Generator away_from(std::vector<double> kinks, double scale) {
  return [kinks = std::move(kinks), scale](Rng& rng, int64_t) {
    double value = scale * rng.normal();
    for (const double kink : kinks) {
      if (std::abs(value - kink) < 1.0 / 32) value = kink + (value < kink ? -1.0 : 1.0) / 32;
    }
    return value;
  };
}

Generator grid(double step, double offset, double scale) {
  return [=](Rng& rng, int64_t) { return step * std::round(scale * rng.normal() / step) + offset; };
}

Generator distinct() {
  constexpr int64_t kPrime = 65537, kFactor = 40503;  // i -> i * factor mod prime is one to one below the prime
  return [](Rng&, int64_t i) { return static_cast<double>(i * kFactor % kPrime - kPrime / 2) / 64; };
}

Generator index(int64_t classes) {
  return [classes](Rng& rng, int64_t) { return static_cast<double>(rng.below(classes)); };
}

Generator repeat(Values values) {
  return [values = std::move(values)](Rng&, int64_t i) { return values[static_cast<size_t>(i) % values.size()]; };
}

Tensor Input::make(uint64_t seed) const {
  Rng rng(seed);
  Tensor tensor = Tensor::empty(shape, dtype);
  for (int64_t i = 0; i < tensor.numel(); ++i) {
    const double value = values(rng, i);
    if (dtype == Dtype::i64) tensor.mutable_data<int64_t>()[i] = static_cast<int64_t>(value);
    else tensor.mutable_data()[i] = static_cast<float>(value);
  }
  return tensor;
}

const std::vector<OpCase>& op_cases() {
  static const std::vector<OpCase> all = [] {
    std::vector<OpCase> cases;
    for (const auto family : {elementwise_cases, reduce_cases, movement_cases, linear_cases, conv_cases, pool_cases, norm_cases, spectral_norm_cases,
                              dropout_cases, softmax_cases, loss_cases, language_cases, recurrent_cases}) {
      for (OpCase& c : family()) cases.push_back(std::move(c));
    }
    return cases;
  }();
  return all;
}

}  // namespace danlu::cases
