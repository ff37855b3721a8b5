// What a recipe leaves open, chosen from the data, each with its reason.
#pragma once

#include "danlu/app/recipe/recipe.h"
#include "danlu/infer/bundle.h"

namespace danlu::app {

// Sets the model (mlp for rows, cnn for images, bag_of_ngrams for texts) and how a bag of n-grams learns, what ends the training, the batch size
// of small data, thresholds of labels, and the calibration of margins; explains each in recipe.reasons. What the recipe gives stays. `classes`:
// a class each, rather than numbers, labels or several targets.
void derive_choices(Recipe& recipe, infer::InputKind kind, int64_t samples, bool classes);

// How a bag of n-grams learns any number of labels, once it is known how many there are.
void derive_label_rate(Recipe& recipe, int64_t labels);

// What ends a training whose recipe leaves that open: so many epochs, or `patience` validations without improvement where there is a
// validation split.
void derive_end(Recipe& recipe, double epochs, int64_t patience, const char* why = "");

}  // namespace danlu::app
