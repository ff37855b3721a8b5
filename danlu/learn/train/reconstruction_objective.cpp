#include "danlu/learn/train/reconstruction_objective.h"

#include "danlu/engine/ops/loss.h"

namespace danlu::train {

Objective::Outcome ReconstructionObjective::evaluate(nn::Module& model, const data::Batch& batch) const {
  return {mse_loss(model(batch.x), batch.x), std::nullopt};
}

}  // namespace danlu::train
