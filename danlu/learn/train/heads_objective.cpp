#include "danlu/learn/train/heads_objective.h"

#include <algorithm>
#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/engine/ops/movement.h"
#include "danlu/engine/ops/reduce.h"
#include "danlu/learn/train/epoch_sums.h"

namespace danlu::train {

HeadsObjective::HeadsObjective(std::vector<data::Head> heads, const ObjectiveOptions& options) : heads_(std::move(heads)) {
  if (options.class_weights != "none") throw ConfigError("learn.train", fmt::format("train.class_weights: got {}; expected none for several targets", options.class_weights));
  for (const data::Head& head : heads_) objectives_.emplace_back(head.task, options);
  if (options.task_weighting != "uncertainty") return;
  for (const data::Head& head : heads_) {
    if (head.weight != 1) {
      throw ConfigError("learn.train", fmt::format("data.targets.{}.weight: got {}; expected none beside train.task_weighting: uncertainty, which learns it", head.name, head.weight));
    }
  }
  log_variances_ = Tensor::zeros({std::ssize(heads_)}).set_requires_grad();
}

std::vector<Objective::Turn> HeadsObjective::turns(nn::Module& model) const {
  std::vector<Turn> turns = Objective::turns(model);
  if (learns_weights()) turns.front().parameters.push_back(log_variances_);
  return turns;
}

std::vector<nn::NamedTensor> HeadsObjective::parameters() const {
  return learns_weights() ? std::vector<nn::NamedTensor>{{"log_variances", log_variances_}} : std::vector<nn::NamedTensor>();
}

Tensor HeadsObjective::weighted(size_t head, const Tensor& loss) const {
  if (!learns_weights()) return loss * static_cast<float>(heads_[head].weight);
  const auto at = static_cast<int64_t>(head);
  const Tensor s = sum(slice(log_variances_, 0, at, at + 1));
  const float half = heads_[head].task == data::TaskKind::regression ? 0.5f : 1.0f;
  return exp(neg(s)) * loss * half + s * 0.5f;
}

Tensor HeadsObjective::outputs_of(size_t head, const Tensor& outputs) const {
  int64_t begin = 0;
  for (size_t h = 0; h < head; ++h) begin += heads_[h].outputs();
  return slice(outputs, 1, begin, begin + heads_[head].outputs());
}

Tensor HeadsObjective::truth_of(size_t head, const Tensor& y) const {
  const int64_t samples = y.size(0), width = y.size(1);
  const bool number = heads_[head].task == data::TaskKind::regression;
  Tensor truth = Tensor::empty({samples}, number ? Dtype::f32 : Dtype::i64);
  for (int64_t i = 0; i < samples; ++i) {
    const float value = y.data()[i * width + static_cast<int64_t>(head)];
    if (number) truth.mutable_data()[i] = value;
    else truth.mutable_data<int64_t>()[i] = static_cast<int64_t>(value);
  }
  return truth;
}

Tensor HeadsObjective::loss(const Tensor& outputs, const Tensor& y) const {
  const int64_t width = data::outputs_of(heads_), targets = std::ssize(heads_);
  if (outputs.rank() != 2 || y.rank() != 2 || outputs.size(1) != width || y.size(1) != targets) {
    throw ShapeError("learn.train", fmt::format("got outputs {} for targets {}; expected {} columns for {}", outputs.shape().str(), y.shape().str(), width, targets));
  }
  Tensor total;
  for (size_t h = 0; h < heads_.size(); ++h) {
    const Tensor part = weighted(h, objectives_[h].loss(outputs_of(h, outputs), truth_of(h, y)));
    total = h == 0 ? part : total + part;
  }
  return total;
}

Objective::Outcome HeadsObjective::evaluate(nn::Module& model, const data::Batch& batch) const { return {loss(model(batch.x), batch.y), std::nullopt}; }

Validation HeadsObjective::validate(nn::Module& model, data::DataLoader& loader) const {
  const NoGrad no_grad;
  const nn::EvalMode eval(model);
  EpochSums total;
  std::vector<EpochSums> of_heads(heads_.size());
  for (const data::Batch& batch : loader) {
    const Tensor outputs = model(batch.x);
    total.add(loss(outputs, batch.y).item(), std::nullopt, terms(batch));
    for (size_t h = 0; h < heads_.size(); ++h) {
      const Tensor of_head = outputs_of(h, outputs), truth = truth_of(h, batch.y);
      of_heads[h].add(objectives_[h].loss(of_head, truth).item(), objectives_[h].num_correct(of_head, truth), terms(batch));
    }
  }
  Validation found{total.mean_loss(), std::nullopt, total.terms, {}};
  for (size_t h = 0; h < heads_.size(); ++h) {
    found.measures[heads_[h].name + ".loss"] = of_heads[h].mean_loss();
    if (const auto accuracy = of_heads[h].accuracy()) found.measures[heads_[h].name + ".accuracy"] = *accuracy;
    if (learns_weights()) found.measures[heads_[h].name + ".weight"] = static_cast<double>(weighted(h, Tensor::full({}, 1)).item() - weighted(h, Tensor::full({}, 0)).item());
  }
  return found;
}

Tensor HeadsObjective::answer(const Tensor& outputs) const {
  const NoGrad no_grad;
  std::vector<Tensor> answers;
  for (size_t h = 0; h < heads_.size(); ++h) {
    const Tensor of_head = objectives_[h].answer(outputs_of(h, outputs));
    answers.push_back(of_head.view({outputs.size(0), answer_width(heads_[h])}));
  }
  return concat(answers, 1);
}

int64_t answer_width(const data::Head& head) { return std::max<int64_t>(1, std::ssize(head.class_names)); }

}  // namespace danlu::train
