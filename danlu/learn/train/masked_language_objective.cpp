#include "danlu/learn/train/masked_language_objective.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/learn/models/masked_encoder.h"

namespace danlu::train {

Objective::Outcome MaskedLanguageObjective::evaluate(nn::Module& model, const data::Batch& batch) const {
  auto* encoder = dynamic_cast<models::MaskedEncoder*>(&model);
  if (encoder == nullptr) throw ConfigError("learn.train", "got " + model.describe() + "; expected an encoder that tells hidden tokens (model type masked_encoder)");
  return {encoder->loss(batch.x, batch.y), std::nullopt};
}

int64_t MaskedLanguageObjective::terms(const data::Batch& batch) const {
  const auto targets = batch.y.span<int64_t>();
  return static_cast<int64_t>(targets.size()) - std::count(targets.begin(), targets.end(), models::MaskedEncoder::kIgnore);
}

}  // namespace danlu::train
