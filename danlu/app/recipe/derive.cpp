#include "danlu/app/recipe/derive.h"

#include <algorithm>

#include "danlu/base/format.h"

namespace danlu::app {
namespace {

void derive_model(Recipe& recipe, bool images, bool texts) {
  if (!recipe.model.is_null()) return;
  if (texts) {
    recipe.model = "lstm";
    recipe.reasons["model"] = "derived: a recurrent network, because the data are texts";
    return;
  }
  recipe.model = images ? "cnn" : "mlp";
  recipe.reasons["model"] = images ? "derived: convolutions, because the data are images"
                                   : "derived: a small perceptron, because the data are rows";
}

void derive_end(Recipe& recipe, bool images) {
  train::TrainOptions& t = recipe.train;
  if (t.epochs || t.steps || t.time_limit) return;
  t.epochs = images ? 12 : 100;
  recipe.reasons["train.epochs"] = images ? "derived: enough passes for a small network"
                                          : "derived: an upper bound; the validation split ends training sooner";
  if (recipe.gives("train.early_stop") || recipe.data.split.validation == 0) return;
  t.early_stop = images ? 4 : 15;
  recipe.reasons["train.early_stop"] =
      fmt::format("derived: {} validations without improvement end the training", t.early_stop);
}

void derive_batch_size(Recipe& recipe, int64_t samples) {
  constexpr int64_t kSmall = 2000;
  if (recipe.gives("train.batch_size") || samples >= kSmall) return;
  recipe.train.batch_size = std::clamp<int64_t>(samples / 20, 8, 64);
  recipe.reasons["train.batch_size"] =
      fmt::format("derived: about 20 updates an epoch, because there are only {} samples", samples);
}

// Labels are rarer than one in two, so that one half is seldom the best of thresholds.
void derive_thresholds(Recipe& recipe) {
  if (!recipe.data.table.is_multilabel() || recipe.gives("decision.threshold") || recipe.data.split.validation == 0) return;
  recipe.decision.threshold = "f1";
  recipe.reasons["decision.threshold"] = "derived: of each label, the best for its F1 on the validation split";
}

}  // namespace

void derive_choices(Recipe& recipe, infer::InputKind kind, int64_t samples) {
  const bool images = kind == infer::InputKind::image;
  const bool texts = kind == infer::InputKind::text;
  derive_model(recipe, images, texts);
  derive_end(recipe, images || texts);
  derive_batch_size(recipe, samples);
  derive_thresholds(recipe);
}

}  // namespace danlu::app
