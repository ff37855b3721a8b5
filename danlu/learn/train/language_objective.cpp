#include "danlu/learn/train/language_objective.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/learn/models/gpt.h"

namespace danlu::train {

Objective::Outcome LanguageObjective::evaluate(nn::Module& model, const data::Batch& batch) const {
  auto* gpt = dynamic_cast<models::Gpt*>(&model);
  if (gpt == nullptr) throw ConfigError("learn.train", "got " + model.describe() + "; expected a language model (model type gpt)");
  return {gpt->loss(batch.x, batch.y, batch.first), std::nullopt};
}

int64_t LanguageObjective::terms(const data::Batch& batch) const {
  const auto targets = batch.y.span<int64_t>();
  return static_cast<int64_t>(targets.size()) - std::count(targets.begin(), targets.end(), models::Gpt::kIgnore);
}

}  // namespace danlu::train
