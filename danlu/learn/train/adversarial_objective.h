// The game of a GAN. An update has two turns: the generator learns to be taken for real, then the discriminator to tell the images that
// the generator has just made from those of the batch. Batches are images in [-1, 1]; the model is a models::Gan. Of a conditional one the
// images made are of the classes of the batch.
//
//   non_saturating   generator  -log D(G(z))              discriminator  -log D(x) - log(1 - D(G(z)))
//   hinge            generator  -D(G(z))                  discriminator  max(0, 1 - D(x)) + max(0, 1 + D(G(z)))
//
// Source    Goodfellow et al. 2014, arXiv:1406.2661; hinge: Lim, Ye 2017, arXiv:1705.02894.
#pragma once

#include <functional>

#include "danlu/learn/models/gan.h"
#include "danlu/learn/train/objective.h"

namespace danlu::train {

class AdversarialObjective : public Objective {
 public:
  // `quality` looks at a generator in evaluation mode and says how good its images are, which is what training is monitored by: the loss of
  // its Validation. Without one, a validation measures the discriminator's loss.
  using Quality = std::function<Validation(models::Gan& gan)>;
  explicit AdversarialObjective(const ObjectiveOptions& options, Quality quality = {}) : options_(options), quality_(std::move(quality)) {}

  // The discriminator's loss, with images of new noise. This and the others throw ConfigError if the model is no Gan.
  Outcome evaluate(nn::Module& model, const data::Batch& batch) const override;
  std::vector<Turn> turns(nn::Module& model) const override;
  Outcome take_turn(size_t turn, nn::Module& model, const data::Batch& batch, Tensor& made) const override;
  Validation validate(nn::Module& model, data::DataLoader& loader) const override;
  int64_t terms(const data::Batch& batch) const override { return batch.size(); }
  const char* unit() const override { return "samples"; }

  Tensor generator_loss(const Tensor& logits_of_made) const;
  Tensor discriminator_loss(const Tensor& logits_of_real, const Tensor& logits_of_made) const;

 private:
  Outcome judge(const models::Gan& gan, const data::Batch& real, const Tensor& made) const;
  ObjectiveOptions options_;
  Quality quality_;
};

}  // namespace danlu::train
