// Ten updates of models that make images, against what PyTorch computed (tools/make_image_goldens.py): losses, gradients, parameters,
// running statistics and the vectors of spectral norm.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/movement.h"
#include "danlu/formats/safetensors.h"
#include "danlu/learn/models/autoencoder.h"
#include "danlu/learn/models/gan.h"
#include "danlu/learn/optim/optimizer.h"
#include "danlu/learn/train/adversarial_objective.h"
#include "danlu/learn/train/reconstruction_objective.h"

namespace danlu {
namespace {

constexpr float kTolerance = 2e-4f;  // relative to the element, or to a tenth of the largest of its tensor

class Golden {
 public:
  explicit Golden(const std::string& file) : file_(std::string(DANLU_SOURCE_DIR) + "/tests/golden/" + file) {
    unused_.insert(file_.names().begin(), file_.names().end());
  }
  Tensor read(const std::string& name) {
    unused_.erase(name);
    return file_.read(name);
  }
  void start(const nn::Module& model) {
    for (const nn::NamedTensor& p : model.named_parameters()) Tensor(p.tensor).copy_from(read("initial." + p.name));
    for (const nn::NamedTensor& b : model.named_buffers()) Tensor(b.tensor).copy_from(read("initial." + b.name));
  }
  void expect_gradients(const nn::Module& part, const std::string& prefix) {
    for (const nn::NamedTensor& p : part.named_parameters()) expect_close(p.tensor.grad(), "gradient." + prefix + p.name);
  }
  void expect_end(const nn::Module& model) {
    for (const nn::NamedTensor& p : model.named_parameters()) expect_close(p.tensor, "final." + p.name);
    for (const nn::NamedTensor& b : model.named_buffers()) expect_close(b.tensor, "final." + b.name);
    EXPECT_TRUE(unused_.empty()) << "not compared: " << *unused_.begin();
  }

 private:
  void expect_close(const Tensor& got, const std::string& name) {
    const Tensor expected = read(name);
    ASSERT_EQ(got.shape(), expected.shape()) << name;
    float largest = 1e-2f;
    for (const float v : expected.span()) largest = std::max(largest, std::abs(v));
    for (int64_t i = 0; i < got.numel(); ++i) {
      const float g = got.data()[i], e = expected.data()[i];
      ASSERT_NEAR(g, e, kTolerance * std::max(std::abs(e), 0.1f * largest)) << name << " element " << i;
    }
  }
  formats::SafetensorsFile file_;
  std::set<std::string> unused_;
};

void expect_golden_gan(const std::string& norm, const std::string& loss, const std::string& file, int64_t classes = 0) {
  Golden golden(file);
  models::Gan gan({.latent = 5, .width = 4, .discriminator_norm = norm, .conditional = classes > 0}, {8, 8, 1}, classes);
  golden.start(gan);
  const train::AdversarialObjective objective({.adversarial_loss = loss});
  const Tensor x = golden.read("x"), z = golden.read("z"), losses = golden.read("losses");
  const Tensor condition = classes > 0 ? gan.condition(golden.read("labels")) : Tensor();
  const optim::AdamOptions options{.lr = 1e-2, .beta1 = 0.5, .eps = 1e-3};
  optim::Adam by_generator(gan.generator().parameters(), options), by_discriminator(gan.discriminator().parameters(), options);
  for (int step = 0; step < 10; ++step) {
    by_generator.zero_grad();
    const Tensor made = gan(gan.join(z.rows(step, step + 1).view({6, 5}), condition));
    {
      const nn::Frozen frozen(gan.discriminator());
      const Tensor generator_loss = objective.generator_loss(gan.judge(made, condition));
      EXPECT_NEAR(generator_loss.item(), losses.data()[2 * step], kTolerance) << "step " << step;
      backward(generator_loss);
    }
    if (step == 0) golden.expect_gradients(gan.generator(), "generator.");
    by_generator.step();
    by_discriminator.zero_grad();
    Tensor discriminator_loss;
    if (norm == "batch") {
      const Tensor real = gan.judge(x, condition);
      discriminator_loss = objective.discriminator_loss(real, gan.judge(made.view(made.shape()), condition));
    } else {
      const Tensor logits = gan.judge(concat({x, made.view(made.shape())}, 0), classes > 0 ? concat({condition, condition}, 0) : condition);
      discriminator_loss = objective.discriminator_loss(slice(logits, 0, 0, 6), slice(logits, 0, 6, 12));
    }
    EXPECT_NEAR(discriminator_loss.item(), losses.data()[2 * step + 1], kTolerance) << "step " << step;
    backward(discriminator_loss);
    if (step == 0) golden.expect_gradients(gan.discriminator(), "discriminator.");
    by_discriminator.step();
  }
  golden.expect_end(gan);
}

TEST(Golden, GanWithBatchNorm) { expect_golden_gan("batch", "non_saturating", "gan_batch.safetensors"); }
TEST(Golden, GanWithSpectralNorm) { expect_golden_gan("spectral", "hinge", "gan_spectral.safetensors"); }
TEST(Golden, ConditionalGan) { expect_golden_gan("spectral", "non_saturating", "gan_conditional.safetensors", 3); }

void expect_golden_autoencoder(const models::AutoencoderOptions& options, const std::string& file) {
  Golden golden(file);
  models::Autoencoder model(options, {8, 8, 1});
  golden.start(model);
  data::Batch batch;
  batch.x = golden.read("x");
  batch.indexes.resize(6);
  const Tensor losses = golden.read("losses");
  const train::ReconstructionObjective objective;
  optim::Adam optimizer(model.parameters(), {.lr = 1e-2, .eps = 1e-3});
  for (int step = 0; step < 10; ++step) {
    optimizer.zero_grad();
    const Tensor loss = objective.evaluate(model, batch).loss;
    EXPECT_NEAR(loss.item(), losses.data()[step], kTolerance * losses.data()[step]) << "step " << step;
    backward(loss);
    if (step == 0) golden.expect_gradients(model, "");
    optimizer.step();
  }
  golden.expect_end(model);
}

TEST(Golden, Autoencoder) { expect_golden_autoencoder({.code = 3, .width = 4}, "autoencoder.safetensors"); }
TEST(Golden, DenseAutoencoder) { expect_golden_autoencoder({.layers = "dense", .code = 3, .hidden = {10, 7}}, "autoencoder_dense.safetensors"); }

}  // namespace
}  // namespace danlu
