// Several targets told from one input by one model: the outputs of all heads stand side by side, and so do their truths. The loss is the
// weighted sum of the heads' own; each keeps its kind of loss and of answer (objective.h).
#pragma once

#include <vector>

#include "danlu/learn/train/objective.h"

namespace danlu::train {

class HeadsObjective : public Objective {
 public:
  // `options` hold for every head. Throws ConfigError for class weights, which one class a sample has.
  HeadsObjective(std::vector<data::Head> heads, const ObjectiveOptions& options = {});

  Outcome evaluate(nn::Module& model, const data::Batch& batch) const override;
  // Besides the sum, "NAME.loss" of each head, and "NAME.accuracy" of those of classes.
  Validation validate(nn::Module& model, data::DataLoader& loader) const override;
  int64_t terms(const data::Batch& batch) const override { return batch.size(); }
  const char* unit() const override { return "samples"; }

  // outputs: (N, all heads' outputs); y: f32 (N, heads), of classes their indexes. Throws ShapeError for other numbers of columns.
  Tensor loss(const Tensor& outputs, const Tensor& y) const;
  // Outside differentiation: the answers of all heads side by side, answer_width() columns of each.
  Tensor answer(const Tensor& outputs) const;

 private:
  // Of one head.
  Tensor outputs_of(size_t head, const Tensor& outputs) const;
  Tensor truth_of(size_t head, const Tensor& y) const;

  std::vector<data::Head> heads_;
  std::vector<PredictionObjective> objectives_;
};

// Columns of a head's answer: a probability for each class, or one number.
int64_t answer_width(const data::Head& head);

}  // namespace danlu::train
