// Language modelling: the cross-entropy of every next token. Batches are those of data::TokenDataset; the model is a models::Gpt.
#pragma once

#include "danlu/learn/train/objective.h"

namespace danlu::train {

class LanguageObjective : public Objective {
 public:
  // Throws ConfigError if the model is no Gpt.
  Outcome evaluate(nn::Module& model, const data::Batch& batch) const override;
  int64_t terms(const data::Batch& batch) const override;
  const char* unit() const override { return "tokens"; }
};

}  // namespace danlu::train
