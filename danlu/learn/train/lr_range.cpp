#include "danlu/learn/train/lr_range.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/reduce.h"
#include "danlu/learn/nn/freeze.h"
#include "danlu/learn/train/make_optimizer.h"

namespace danlu::train {
namespace {

constexpr const char* kWhere = "learn.lr_range";
constexpr double kMemory = 10;      // updates, of the smoothed loss
constexpr double kRunsAway = 3;     // times the lowest loss
constexpr size_t kFirstPoints = 10;  // too noisy to judge by

// What the points say, once there are enough.
void judge(LrRange& range) {
  const auto& p = range.points;
  if (p.size() < kFirstPoints + 3) throw NumericError(kWhere, "the loss ran away at once; expected a smaller --from");
  size_t lowest = kFirstPoints, steepest = kFirstPoints;
  double most = 0;
  for (size_t i = kFirstPoints; i < p.size(); ++i) {
    if (p[i].loss < p[lowest].loss) lowest = i;
  }
  // Over a third of a decade, so that the noise of single updates does not decide.
  const double per_point = std::log10(p[1].lr / p[0].lr);
  const auto reach = static_cast<size_t>(std::max(1.0, 0.17 / per_point));
  for (size_t i = kFirstPoints + reach; i + reach <= lowest; ++i) {
    const double fall = (p[i - reach].loss - p[i + reach].loss) / static_cast<double>(2 * reach);
    if (fall > most) most = fall, steepest = i;
  }
  range.lowest = p[lowest].lr;
  range.steepest = p[steepest].lr;
  range.suggested = range.lowest / 10;
}

}  // namespace

void LrRangeOptions::describe(OptionVisitor& v) {
  v.field("from", from, {1e-12, 1e6}, "the smallest learning rate");
  v.field("to", to, {1e-12, 1e6}, "the largest");
  v.field("steps", steps, {20, 1e6}, "updates between them");
}

LrRange lr_range_test(nn::Module& model, const Objective& objective, const TrainOptions& options, data::DataLoader& training,
                      const LrRangeOptions& range, const std::function<void(const LrRange::Point&)>& on_point) {
  if (range.from * 2 > range.to) throw ConfigError(kWhere, fmt::format("got from {} and to {}; expected from at most half of to", range.from, range.to));
  if (objective.turns(model).size() > 1) throw ConfigError(kWhere, "got a model of adversaries, whose losses do not fall with each other; a range test says nothing of it");
  const nn::Freeze freeze(model, options.freeze);
  const auto optimizer = make_optimizer(model, model.parameters(), options);
  const double factor = std::pow(range.to / range.from, 1.0 / static_cast<double>(range.steps - 1));
  LrRange result;
  double smoothed = 0, weight = 0, lowest = HUGE_VAL, lr = range.from;
  const kernels::WithMatmulPrecision precision(options.precision());
  model.train();
  while (static_cast<int64_t>(result.points.size()) < range.steps && !result.diverged) {
    const size_t before = result.points.size();
    for (const data::Batch& batch : training) {
      optimizer->zero_grad();
      const Objective::Outcome outcome = objective.evaluate(model, batch);
      const double loss = outcome.loss.item();
      backward(outcome.loss);
      Tensor& gradients = optimizer->store().gradients();
      const double norm = std::sqrt(kernels::sum_of_squares(gradients.data(), gradients.numel()));
      result.diverged = !std::isfinite(loss) || !std::isfinite(norm);
      if (result.diverged) break;
      optimizer->set_lr(lr);
      optimizer->step(static_cast<float>(options.clip_norm > 0 && norm > options.clip_norm ? options.clip_norm / norm : 1.0));
      // The loss of this batch was made by the rates before it.
      smoothed += (loss - smoothed) / (weight = std::min(weight + 1, kMemory));
      result.points.push_back({lr, smoothed});
      if (on_point) on_point(result.points.back());
      lowest = std::min(lowest, smoothed);
      lr *= factor;
      if (static_cast<int64_t>(result.points.size()) == range.steps) break;
      result.diverged = result.points.size() > kFirstPoints && smoothed > kRunsAway * lowest;
      if (result.diverged) break;
    }
    if (result.points.size() == before && !result.diverged) throw DataError(kWhere, "got a training split without a batch; expected at least one");
  }
  clear_tape();
  judge(result);
  return result;
}

}  // namespace danlu::train
