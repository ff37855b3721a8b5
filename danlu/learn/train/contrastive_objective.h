// Pairs of texts that belong together: each shall lie nearer to its other half than to those of the other pairs of its batch.
//
//   s_ij = cos(a_i, b_j) / temperature     loss = the mean of -log softmax(s_i.)_i and -log softmax(s_.i)_i
//
// Pairs of one group are passed over as each other's opponents: their halves say the same. Batches are those of data::PairDataset; the
// larger they are, the harder the task.
// Source    van den Oord, Li, Vinyals 2018, arXiv:1807.03748; in batches of questions and answers: Henderson et al. 2017, arXiv:1705.00652.
#pragma once

#include "danlu/learn/train/objective.h"

namespace danlu::train {

class ContrastiveObjective : public Objective {
 public:
  explicit ContrastiveObjective(const ObjectiveOptions& options) : temperature_(static_cast<float>(options.temperature)) {}

  // Throws ConfigError if the model is no Retriever.
  Outcome evaluate(nn::Module& model, const data::Batch& batch) const override;
  int64_t terms(const data::Batch& batch) const override { return batch.size(); }
  const char* unit() const override { return "pairs"; }

 private:
  float temperature_;
};

}  // namespace danlu::train
