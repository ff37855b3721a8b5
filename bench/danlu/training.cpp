// Training steps: clear gradients, forward, loss, backward, update; the sequence models clip the gradient's norm to 1. Random data, no dropout.
#include <cmath>

#include "bench/danlu/networks.h"
#include "bench/danlu/workload.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/reduce.h"
#include "danlu/engine/ops/linear_cross_entropy.h"
#include "danlu/engine/ops/loss.h"
#include "danlu/learn/models/gan.h"
#include "danlu/learn/models/gpt.h"
#include "danlu/learn/optim/optimizer.h"
#include "danlu/learn/train/adversarial_objective.h"

namespace danlu::bench {
namespace {

constexpr int64_t kImages = 64, kSequences = 32;

Step classifier(std::shared_ptr<nn::Module> model, const Shape& sample) {
  auto optimizer = std::make_shared<optim::Adam>(model->parameters(), optim::AdamOptions{.lr = 1e-3});
  const Tensor x = random_values(sample.insert(0, kImages)), y = random_ids({kImages}, 0, 10);
  return {[=] {
    optimizer->zero_grad();
    backward(cross_entropy((*model)(x), y));
    optimizer->step();
  }};
}

template <class Model, class Loss>
Step sequence_model(const std::shared_ptr<Model>& model, const Loss& loss) {
  auto optimizer = std::make_shared<optim::AdamW>(model->parameters(), optim::AdamWOptions{.lr = 1e-3});
  return {[=] {
    optimizer->zero_grad();
    backward(loss(*model));
    const Tensor& gradients = optimizer->store().gradients();
    const double norm = std::sqrt(kernels::sum_of_squares(gradients.data(), gradients.numel()));
    optimizer->step(norm > 1 ? static_cast<float>(1 / norm) : 1.0f);
  }};
}

Step gpt(const models::GptOptions& options, int64_t batch) {
  const Tensor ids = random_ids({batch, options.context}, 0, options.vocab_size), targets = random_ids({batch, options.context}, 0, options.vocab_size, 8);
  return sequence_model(std::make_shared<models::Gpt>(options), [=](models::Gpt& model) { return model.loss(ids, targets); });
}

Step lstm() {
  const Tensor ids = random_sequences(kSequences), targets = random_ids({kSequences * kLength}, 0, kVocabulary, 8);
  return sequence_model(std::make_shared<Lstm>(), [=](Lstm& model) {
    return linear_cross_entropy(reshape(model.states(ids), {-1, 256}), model.head->weight, targets);
  });
}

Step encoder() {
  const Tensor ids = random_sequences(kSequences), targets = random_ids({kSequences}, 0, 2, 8);
  return sequence_model(std::shared_ptr<nn::Module>(make_encoder()), [=](nn::Module& model) { return cross_entropy(model(ids), targets); });
}

// The generator's turn, then the discriminator's with the images that were made.
struct Dcgan {
  models::Gan gan{{.latent = 100, .width = 64, .discriminator_norm = "batch"}, {28, 28, 1}};
  train::AdversarialObjective objective{{.adversarial_loss = "non_saturating"}};
  data::Batch batch;
  std::vector<std::unique_ptr<optim::Adam>> optimizers;

  Dcgan() {
    batch.x = random_values({kImages, 28, 28, 1});
    batch.indexes.resize(kImages);
    for (const train::Objective::Turn& turn : objective.turns(gan)) {
      optimizers.push_back(std::make_unique<optim::Adam>(turn.parameters, optim::AdamOptions{.lr = 2e-4, .beta1 = 0.5}));
    }
  }
  void step() {
    Tensor made;
    for (size_t turn = 0; turn < optimizers.size(); ++turn) {
      optimizers[turn]->zero_grad();
      backward(objective.take_turn(turn, gan, batch, made).loss);
      optimizers[turn]->step();
    }
  }
};

}  // namespace

Workloads training_workloads() {
  const auto decoder = [](int64_t layers, int64_t heads, int64_t width, int64_t context, int64_t batch, int64_t vocabulary) {
    return [=](const auto&) {
      return gpt({.family = "gpt2", .layers = layers, .heads = heads, .width = width, .context = context, .vocab_size = vocabulary}, batch);
    };
  };
  return {{"mlp", [](const auto&) { return classifier(make_mlp(), {784}); }},
          {"cnn", [](const auto&) { return classifier(make_cnn(), {28, 28, 1}); }},
          {"resnet", [](const auto&) { return classifier(make_resnet(), {28, 28, 1}); }},
          {"gpt-toy", decoder(4, 4, 128, 64, 12, 65)},
          {"gpt-small", decoder(6, 6, 384, 256, 16, 8192)},
          {"gpt2", decoder(12, 12, 768, 256, 4, 50257)},
          {"lstm", [](const auto&) { return lstm(); }},
          {"encoder", [](const auto&) { return encoder(); }},
          {"dcgan", [](const auto&) {
             const auto job = std::make_shared<Dcgan>();
             return Step{[job] { job->step(); }};
           }}};
}

}  // namespace danlu::bench
