#include "danlu/learn/train/adversarial_objective.h"

#include "danlu/base/error.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/engine/ops/loss.h"
#include "danlu/engine/ops/movement.h"
#include "danlu/engine/ops/reduce.h"

namespace danlu::train {
namespace {

enum TurnNumber : size_t { kGenerator, kDiscriminator };

models::Gan& gan_of(nn::Module& model) {
  auto* gan = dynamic_cast<models::Gan*>(&model);
  if (gan == nullptr) throw ConfigError("learn.train", "got " + model.describe() + "; expected a model of type gan");
  return *gan;
}

// -log sigmoid(logits), or of 1 - sigmoid(logits), as far as the target says.
Tensor cross_entropy_to(const Tensor& logits, float target) { return bce_with_logits(logits, Tensor::full(logits.shape(), target)); }

}  // namespace

std::vector<Objective::Turn> AdversarialObjective::turns(nn::Module& model) const {
  const models::Gan& gan = gan_of(model);
  return {{"generator", gan.generator().parameters(), options_.generator_lr_factor}, {"discriminator", gan.discriminator().parameters()}};
}

Objective::Outcome AdversarialObjective::take_turn(size_t turn, nn::Module& model, const data::Batch& batch, Tensor& made) const {
  models::Gan& gan = gan_of(model);
  if (turn == kDiscriminator) return judge(gan, batch, made);
  const Tensor condition = gan.condition(batch.y), images = gan(gan.join(gan.noise(batch.size()), condition));
  made = images.view(images.shape());  // the numbers alone: to the discriminator they are constants
  const nn::Frozen frozen(gan.discriminator());
  return {generator_loss(gan.judge(images, condition)), std::nullopt};
}

Objective::Outcome AdversarialObjective::evaluate(nn::Module& model, const data::Batch& batch) const {
  models::Gan& gan = gan_of(model);
  Tensor made;
  {
    const NoGrad no_grad;
    made = gan(gan.join(gan.noise(batch.size()), gan.condition(batch.y)));
  }
  return judge(gan, batch, made);
}

// In one pass where no image has a say in what is thought of another.
Objective::Outcome AdversarialObjective::judge(const models::Gan& gan, const data::Batch& real, const Tensor& made) const {
  const Tensor condition = gan.condition(real.y);
  if (gan.judges_batches()) {
    const Tensor logits_of_real = gan.judge(real.x, condition);  // first, so that the running statistics end with the images made
    return {discriminator_loss(logits_of_real, gan.judge(made, condition)), std::nullopt};
  }
  const Tensor logits = gan.judge(concat({real.x, made}, 0), condition.defined() ? concat({condition, condition}, 0) : condition);
  const int64_t count = real.size();
  return {discriminator_loss(slice(logits, 0, 0, count), slice(logits, 0, count, count + made.size(0))), std::nullopt};
}

Tensor AdversarialObjective::generator_loss(const Tensor& made) const {
  return options_.adversarial_loss == "hinge" ? neg(mean(made)) : cross_entropy_to(made, 1);
}

Tensor AdversarialObjective::discriminator_loss(const Tensor& real, const Tensor& made) const {
  if (options_.adversarial_loss == "hinge") return mean(relu(neg(real) + 1.0f)) + mean(relu(made + 1.0f));
  // Smoothed on the real side alone: on the other it would strengthen what the generator does already (Salimans et al. 2016, arXiv:1606.03498).
  return cross_entropy_to(real, 1 - static_cast<float>(options_.label_smoothing)) + cross_entropy_to(made, 0);
}

Validation AdversarialObjective::validate(nn::Module& model, data::DataLoader& loader) const {
  if (!quality_) return Objective::validate(model, loader);
  const NoGrad no_grad;
  const nn::EvalMode eval(model);
  return quality_(gan_of(model));
}

}  // namespace danlu::train
