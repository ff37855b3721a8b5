// Learning from samples without a label as well (data/dataset/unlabelled_dataset.h): the class that the model itself thinks the most probable
// stands in for theirs, anew in every update.
//
//   loss = mean over labelled samples + alpha(t) . mean over unlabelled samples
//
// alpha is 0 until the epoch `begin`, grows evenly until the epoch `full`, and stays at `weight`: a model that knows nothing yet is not to
// believe itself.
// Source    Lee 2013, Pseudo-Label: The Simple and Efficient Semi-Supervised Learning Method for Deep Neural Networks, equations 15 and 16.
#pragma once

#include "danlu/learn/train/objective.h"

namespace danlu::train {

class PseudoLabelObjective : public Objective {
 public:
  // Throws ConfigError for a task without classes, and for options that contradict each other.
  PseudoLabelObjective(PredictionObjective prediction, const PseudoLabelOptions& options);

  // Of a batch whose labelled samples stand first. The right answers are counted of these.
  Outcome evaluate(nn::Module& model, const data::Batch& batch) const override;
  int64_t terms(const data::Batch& batch) const override;
  const char* unit() const override { return "samples"; }

  // What unlabelled samples count for in an epoch, the first of which is 0.
  double alpha(int64_t epoch) const;

 private:
  PredictionObjective prediction_;
  PseudoLabelOptions options_;
};

}  // namespace danlu::train
