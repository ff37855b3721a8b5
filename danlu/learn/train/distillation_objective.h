// A model that learns from the truth and from what another one, its teacher, makes of the same samples: which wrong classes are nearly
// right says more of a sample than its label does.
//
//   loss = (1 - alpha) loss(outputs, y) + alpha T^2 cross_entropy(softmax(outputs / T), teacher's probabilities at temperature T)
//
// T^2 keeps the gradients of the second part as large as those of the first, whatever the temperature. Validation is of the truth alone, so
// that models with and without a teacher compare.
//
// Source: Hinton, Vinyals, Dean 2015, arXiv:1503.02531.
#pragma once

#include "danlu/learn/train/objective.h"

namespace danlu::train {

class DistillationObjective : public Objective {
 public:
  // probabilities: (samples of the data set, classes), the teacher's; rows of samples that are never in a batch do not matter.
  // Throws ConfigError for a task without classes and for margins, ShapeError for another number of axes.
  DistillationObjective(PredictionObjective truth, const Tensor& probabilities, const DistillOptions& options);

  // Throws ShapeError where the outputs are those of another number of classes.
  Outcome evaluate(nn::Module& model, const data::Batch& batch) const override;
  Validation validate(nn::Module& model, data::DataLoader& loader) const override { return truth_.validate(model, loader); }
  int64_t terms(const data::Batch& batch) const override { return truth_.terms(batch); }
  const char* unit() const override { return truth_.unit(); }

 private:
  Tensor teacher_loss(const Tensor& outputs, const data::Batch& batch) const;

  PredictionObjective truth_;
  DistillOptions options_;
  Tensor softened_;  // (samples, classes)
};

}  // namespace danlu::train
