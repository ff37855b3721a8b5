// What a forecaster learns from: the difference of every period that it foretells to what happened then, where something was measured.
#pragma once

#include "danlu/learn/train/objective.h"

namespace danlu::train {

// Outputs f32 (N, horizon), or (M N, horizon) of M members that train together; y f32 (N, horizon) with NaN where nothing was measured:
// such a period counts in no loss (data::SeriesDataset). The loss is `regression_loss`.
class ForecastObjective : public Objective {
 public:
  explicit ForecastObjective(const ObjectiveOptions& options) : options_(options) {}

  Outcome evaluate(nn::Module& model, const data::Batch& batch) const override;
  int64_t terms(const data::Batch& batch) const override;
  const char* unit() const override { return "periods"; }

 private:
  ObjectiveOptions options_;
};

}  // namespace danlu::train
