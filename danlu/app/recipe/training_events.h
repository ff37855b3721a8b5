// What TensorBoard shows of a training: RUN/tensorboard/.
//
//   loss/train, accuracy/train, lr, gradient_norm, speed      every few updates
//   loss/validation, accuracy/validation, gradients and weights of each parameter (histograms)      at each validation
//   recipe (text), hyperparameters, and of images training/CLASS (image_strips.h)      once
#pragma once

#include <string>

#include "danlu/app/recipe/recipe.h"
#include "danlu/formats/tensorboard_events.h"
#include "danlu/learn/nn/module.h"
#include "danlu/learn/train/trainer.h"

namespace danlu::app {

class TrainingEvents {
 public:
  // A training that goes on from a state of step `resumed` makes what was written of later steps void.
  TrainingEvents(const fs::path& directory, const Recipe& recipe, const nn::Module& model, int64_t resumed);

  void step(const train::StepReport& report);
  void validated(const train::EpochReport& report);
  void sample(int64_t step, const std::string& text) { writer_.text("sample", step, text); }
  formats::EventWriter& writer() { return writer_; }

 private:
  static constexpr int64_t kEvery = 10;  // updates
  const nn::Module& model_;
  formats::EventWriter writer_;
};

}  // namespace danlu::app
