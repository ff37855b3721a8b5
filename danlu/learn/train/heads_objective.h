// Several targets told from one input by one model: the outputs of all heads stand side by side, and so do their truths. The loss is the
// weighted sum of the heads' own; each keeps its kind of loss and of answer (objective.h).
//
// With `task_weighting: uncertainty` the weights are learnt: each head has a number s, the logarithm of the variance of its noise, from 0 on,
//
//   a number   exp(-s) / 2 . loss + s / 2          classes   exp(-s) . loss + s / 2
//
// so that what cannot be told well counts less, and none gains by being thought more uncertain than it is. The sum may fall below 0.
// Source    Kendall, Gal, Cipolla 2018, arXiv:1705.07115, equations 7 and 10.
#pragma once

#include <vector>

#include "danlu/learn/train/objective.h"

namespace danlu::train {

class HeadsObjective : public Objective {
 public:
  // `options` hold for every head. Throws ConfigError for class weights, which one class a sample has, and for a weight beside those that are learnt.
  HeadsObjective(std::vector<data::Head> heads, const ObjectiveOptions& options = {});

  Outcome evaluate(nn::Module& model, const data::Batch& batch) const override;
  // The model's and, where weights are learnt, "log_variances" (heads).
  std::vector<Turn> turns(nn::Module& model) const override;
  std::vector<nn::NamedTensor> parameters() const override;
  // Besides the sum, "NAME.loss" of each head, "NAME.accuracy" of those of classes, and "NAME.weight" where it is learnt.
  Validation validate(nn::Module& model, data::DataLoader& loader) const override;
  int64_t terms(const data::Batch& batch) const override { return batch.size(); }
  const char* unit() const override { return "samples"; }

  // outputs: (N, all heads' outputs); y: f32 (N, heads), of classes their indexes. Throws ShapeError for other numbers of columns.
  Tensor loss(const Tensor& outputs, const Tensor& y) const;
  // Outside differentiation: the answers of all heads side by side, answer_width() columns of each.
  Tensor answer(const Tensor& outputs) const;

 private:
  bool learns_weights() const { return log_variances_.defined(); }
  // Of one head.
  Tensor weighted(size_t head, const Tensor& loss) const;
  Tensor outputs_of(size_t head, const Tensor& outputs) const;
  Tensor truth_of(size_t head, const Tensor& y) const;

  std::vector<data::Head> heads_;
  std::vector<PredictionObjective> objectives_;
  Tensor log_variances_;  // (heads), or undefined
};

// Columns of a head's answer: a probability for each class, or one number.
int64_t answer_width(const data::Head& head);

}  // namespace danlu::train
