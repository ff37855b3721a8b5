// Rebuilding: the mean squared error between a sample and what a model makes of it.
#pragma once

#include "danlu/learn/train/objective.h"

namespace danlu::train {

class ReconstructionObjective : public Objective {
 public:
  Outcome evaluate(nn::Module& model, const data::Batch& batch) const override;
  int64_t terms(const data::Batch& batch) const override { return batch.size(); }
  const char* unit() const override { return "samples"; }
};

}  // namespace danlu::train
