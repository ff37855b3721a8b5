// What a recipe leaves open, chosen from the data, each with its reason.
#pragma once

#include "danlu/app/recipe/recipe.h"
#include "danlu/infer/bundle.h"

namespace danlu::app {

// Sets the model (mlp for rows, cnn for images), what ends the training, the batch size of small data, and thresholds of labels; explains
// each in recipe.reasons. What the recipe gives stays.
void derive_choices(Recipe& recipe, infer::InputKind kind, int64_t samples);

}  // namespace danlu::app
