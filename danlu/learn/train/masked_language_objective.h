// Masked language modelling: the cross-entropy of the tokens that are hidden. Batches are those of data::MaskedTextDataset; the model is a
// models::MaskedEncoder.
#pragma once

#include "danlu/learn/train/objective.h"

namespace danlu::train {

class MaskedLanguageObjective : public Objective {
 public:
  // Throws ConfigError if the model is no MaskedEncoder.
  Outcome evaluate(nn::Module& model, const data::Batch& batch) const override;
  int64_t terms(const data::Batch& batch) const override;
  const char* unit() const override { return "tokens"; }
};

}  // namespace danlu::train
