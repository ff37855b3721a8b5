// Recommenders: the item that was chosen shall score above those that were not. Batches are those of data::InteractionDataset.
//
//   softmax           cross-entropy over all items
//   sampled_softmax   cross-entropy over the item and those drawn for it
//   bpr               -log sigmoid(score - score of one drawn), the mean over those drawn
//
// Source    bpr: Rendle et al. 2009, arXiv:1205.2618; softmax over all items in recommenders: Klenitskiy, Vasilev 2023, arXiv:2309.07602.
#pragma once

#include "danlu/data/dataset/interaction_dataset.h"
#include "danlu/learn/train/objective.h"

namespace danlu::train {

class RankingObjective : public Objective {
 public:
  // With the data that validate() reads, whose samples foretell one item each, it measures NDCG@k and recall@k too: they must outlive this.
  explicit RankingObjective(const ObjectiveOptions& options, const data::InteractionDataset* held_out = nullptr, int64_t k = 10)
      : options_(options), held_out_(held_out), k_(k) {}

  // Throws ConfigError if the model is no Recommender.
  Outcome evaluate(nn::Module& model, const data::Batch& batch) const override;
  Validation validate(nn::Module& model, data::DataLoader& loader) const override;
  int64_t terms(const data::Batch& batch) const override;
  const char* unit() const override { return "interactions"; }

  // Items that the data set has to draw for each target.
  static int64_t negatives(const ObjectiveOptions& options) { return options.ranking_loss == "softmax" ? 0 : options.negatives; }

 private:
  ObjectiveOptions options_;
  const data::InteractionDataset* held_out_;
  int64_t k_;
};

}  // namespace danlu::train
