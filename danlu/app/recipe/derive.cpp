#include "danlu/app/recipe/derive.h"

#include <algorithm>

#include "danlu/base/format.h"

namespace danlu::app {
namespace {

void derive_model(Recipe& recipe, bool images, bool texts) {
  if (!recipe.model.is_null()) return;
  if (texts) {
    const bool ngrams = recipe.reads_ngrams();
    recipe.model = ngrams ? "bag_of_ngrams" : "lstm";
    recipe.reasons["model"] = ngrams ? "derived: a linear model of words and pairs of them, because the data are texts"
                                     : "derived: a recurrent network, because the data are texts and the recipe has a tokenizer";
    return;
  }
  recipe.model = images ? "cnn" : "mlp";
  recipe.reasons["model"] = images ? "derived: convolutions, because the data are images"
                                   : "derived: a small perceptron, because the data are rows";
}

// Texts of n-grams are vectors of length 1, of which a batch touches few weights: plain steps treat them alike, where steps of a size for
// each weight would make much of the rare ones.
void derive_ngram_training(Recipe& recipe, bool classes) {
  train::TrainOptions& t = recipe.train;
  if (!recipe.reads_ngrams()) return;
  const bool can_calibrate = recipe.data.split.validation > 0 || recipe.decision.folds > 0;  // which margins need
  const bool takes_margins = t.objective.label_smoothing == 0 && t.objective.distill.teacher.empty();
  if (classes && can_calibrate && !recipe.gives("train.classification_loss") && takes_margins) {
    t.objective.classification_loss = "squared_hinge";
    recipe.reasons["train.classification_loss"] = "derived: texts are sorted best by margins; they are calibrated afterwards";
  }
  if (recipe.gives("train.optimizer")) return;
  if (!recipe.data.table.is_multilabel()) {  // derive_label_rate
    t.optimizer = {{"type", "sgd"}, {"lr", classes ? 3.0 : 0.3}};
    recipe.reasons["train.optimizer"] = "derived: plain steps, large because the weights of a text have the norm 1";
  }
  if (recipe.gives("train.lr_scale")) return;
  t.lr_scale = {{"bias", 0.1}};
  recipe.reasons["train.lr_scale"] = "derived: unlike the n-grams, the bias is in every text";
}

void derive_calibration(Recipe& recipe, bool classes) {
  if (!classes || recipe.train.objective.classification_loss != "squared_hinge" || recipe.gives("decision.calibrate")) return;
  recipe.decision.calibrate = "always";
  recipe.reasons["decision.calibrate"] = "derived: margins are no probabilities until they are scaled";
}

// Few labels make short epochs: what they say is to be learnt first, however many there are.
void derive_pseudo_labels(Recipe& recipe) {
  train::PseudoLabelOptions& o = recipe.train.objective.pseudo_labels;
  if (o.weight == 0 || !recipe.train.epochs) return;
  const auto derive = [&](const char* key, double& epochs, double part, const char* why) {
    if (recipe.gives(key)) return;
    epochs = std::max(o.begin, part * *recipe.train.epochs);
    recipe.reasons[key] = fmt::format("derived: {}", why);
  };
  if (!recipe.gives("train.pseudo_labels.begin")) o.begin = 0;
  derive("train.pseudo_labels.begin", o.begin, 0.25, "a quarter of the epochs learns from labels alone");
  derive("train.pseudo_labels.full", o.full, 0.5, "half of the epochs are over");
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

void derive_label_rate(Recipe& recipe, int64_t labels) {
  constexpr double kRate = 60, kLargest = 1e6;
  if (!recipe.reads_ngrams() || recipe.gives("train.optimizer")) return;
  recipe.train.optimizer = {{"type", "sgd"}, {"lr", std::min(kRate * static_cast<double>(labels), kLargest)}};
  recipe.reasons["train.optimizer"] = fmt::format("derived: plain steps, large because the weights of a text have the norm 1 and the loss is a mean over {} labels", labels);
}

void derive_end(Recipe& recipe, double epochs, int64_t patience, const char* why) {
  train::TrainOptions& t = recipe.train;
  if (t.epochs || t.steps || t.tokens || t.time_limit) return;
  t.epochs = epochs;
  const char* usual = recipe.data.split.validation > 0 ? "an upper bound; the validation split ends training sooner" : "nothing says more";
  recipe.reasons["train.epochs"] = fmt::format("derived: {}", *why != 0 ? why : usual);
  if (recipe.gives("train.early_stop") || recipe.data.split.validation == 0) return;
  t.early_stop = patience;
  recipe.reasons["train.early_stop"] = fmt::format("derived: {} validations without improvement end the training", t.early_stop);
}

void derive_choices(Recipe& recipe, infer::InputKind kind, int64_t samples, bool classes) {
  const bool images = kind == infer::InputKind::image;
  const bool texts = kind == infer::InputKind::text;
  derive_model(recipe, images, texts);
  derive_ngram_training(recipe, classes);
  derive_calibration(recipe, classes);
  if (images || texts) derive_end(recipe, 12, 4, "enough passes for a small network");
  else derive_end(recipe, 100, 15);
  derive_pseudo_labels(recipe);
  derive_batch_size(recipe, samples);
  derive_thresholds(recipe);
}

}  // namespace danlu::app
