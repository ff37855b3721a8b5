// Recommenders: the item that was chosen shall score above those that were not. Batches are those of data::InteractionDataset.
//
//   softmax           cross-entropy over all items
//   sampled_softmax   cross-entropy over the item and those drawn for it
//   bpr               -log sigmoid(score - score of one drawn), the mean over those drawn
//
// Source    bpr: Rendle et al. 2009, arXiv:1205.2618; softmax over all items in recommenders: Klenitskiy, Vasilev 2023, arXiv:2309.07602.
#pragma once

#include "danlu/learn/train/objective.h"

namespace danlu::train {

class RankingObjective : public Objective {
 public:
  explicit RankingObjective(const ObjectiveOptions& options) : options_(options) {}

  // Throws ConfigError if the model is no Recommender.
  Outcome evaluate(nn::Module& model, const data::Batch& batch) const override;
  int64_t terms(const data::Batch& batch) const override;
  const char* unit() const override { return "interactions"; }

  // Items that the data set has to draw for each target.
  static int64_t negatives(const ObjectiveOptions& options) { return options.ranking_loss == "softmax" ? 0 : options.negatives; }

 private:
  ObjectiveOptions options_;
};

}  // namespace danlu::train
