#include "danlu/learn/train/forecast_objective.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/ops/loss.h"

namespace danlu::train {

Objective::Outcome ForecastObjective::evaluate(nn::Module& model, const data::Batch& batch) const {
  const Tensor outputs = model(batch.x);
  const int64_t members = batch.y.numel() == 0 ? 1 : outputs.numel() / batch.y.numel();
  if (outputs.rank() != 2 || outputs.size(1) != batch.y.size(1) || members * batch.y.numel() != outputs.numel()) {
    throw ShapeError("learn.train", fmt::format("got outputs {} for targets {}", outputs.shape().str(), batch.y.shape().str()));
  }
  Tensor target = Tensor::empty(outputs.shape()), mask = Tensor::empty(outputs.shape());
  const auto y = batch.y.span();
  float *t = target.mutable_data(), *m = mask.mutable_data();
  for (int64_t i = 0; i < outputs.numel(); ++i) {
    const float truth = y[static_cast<size_t>(i) % y.size()];
    const bool measured = !std::isnan(truth);
    t[i] = measured ? truth : 0;
    m[i] = measured ? 1 : 0;
  }
  if (options_.regression_loss == "mae") return {l1_loss(outputs, target, {.mask = mask}), std::nullopt};
  if (options_.regression_loss == "huber") return {huber_loss(outputs, target, 1, {.mask = mask}), std::nullopt};
  return {mse_loss(outputs, target, {.mask = mask}), std::nullopt};
}

int64_t ForecastObjective::terms(const data::Batch& batch) const {
  const auto y = batch.y.span();
  return std::count_if(y.begin(), y.end(), [](float v) { return !std::isnan(v); });
}

}  // namespace danlu::train
