#include "danlu/learn/train/distillation_objective.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/engine/ops/loss.h"
#include "danlu/engine/ops/movement.h"
#include "danlu/engine/ops/softmax.h"

namespace danlu::train {
namespace {

constexpr const char* kWhere = "learn.train";
constexpr float kLeastProbability = 1e-7f;  // the teacher is never certain

// softmax(log(p) / temperature): what the teacher's logits, which are log(p) but for a number that is the same for all classes, give.
Tensor softened(const Tensor& probabilities, double temperature) {
  const NoGrad no_grad;
  Tensor logits = probabilities.clone();
  for (float& p : logits.mutable_span()) p = std::log(std::max(p, kLeastProbability)) / static_cast<float>(temperature);
  return softmax(logits);
}

}  // namespace

DistillationObjective::DistillationObjective(PredictionObjective truth, const Tensor& probabilities, const DistillOptions& options)
    : truth_(std::move(truth)), options_(options) {
  if (!data::has_classes(truth_.task())) throw ConfigError(kWhere, fmt::format("train.distill: got a {} task; expected one of classes, of which a teacher has probabilities", data::name_of(truth_.task())));
  if (truth_.has_margins()) throw ConfigError(kWhere, "train.distill: got train.classification_loss: squared_hinge; expected cross_entropy: margins have no probabilities to compare with the teacher's");
  if (probabilities.rank() != 2) throw ShapeError(kWhere, fmt::format("got a teacher's probabilities {}; expected (samples, classes)", probabilities.shape().str()));
  softened_ = softened(probabilities, options.temperature);
}

Tensor DistillationObjective::teacher_loss(const Tensor& outputs, const data::Batch& batch) const {
  const int64_t classes = softened_.size(1), samples = batch.size(), answers = outputs.size(0), width = outputs.size(-1);
  const bool is_binary = truth_.task() == data::TaskKind::binary;
  if (width != (is_binary ? 1 : classes) || answers % std::max<int64_t>(samples, 1) != 0) {
    throw ShapeError(kWhere, fmt::format("got outputs {} of {} samples for a teacher of {} classes", outputs.shape().str(), samples, classes));
  }
  // Several members answer one after another, each to all samples.
  Tensor target = Tensor::empty({answers, width});
  for (int64_t i = 0; i < answers; ++i) {
    const float* row = softened_.data() + batch.indexes[static_cast<size_t>(i % samples)] * classes;
    std::copy_n(is_binary ? row + 1 : row, width, target.mutable_data() + i * width);
  }
  const Tensor scaled = outputs / static_cast<float>(options_.temperature);
  return is_binary ? bce_with_logits(scaled, target) : cross_entropy(scaled, target);
}

Objective::Outcome DistillationObjective::evaluate(nn::Module& model, const data::Batch& batch) const {
  const Tensor outputs = model(batch.x);
  const auto alpha = static_cast<float>(options_.alpha), temperature = static_cast<float>(options_.temperature);
  const Tensor loss = truth_.loss(outputs, batch.y) * (1 - alpha) + teacher_loss(outputs, batch) * (alpha * temperature * temperature);
  return {loss, truth_.num_correct(outputs, batch.y)};
}

}  // namespace danlu::train
