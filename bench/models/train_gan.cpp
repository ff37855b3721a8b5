// Updates of a DCGAN for images of 28 x 28: batches of 64, noise of 100, 64 channels next to the image. Reads commands from standard input,
// so that a peer can be measured in turn with it:
//
//   batch 5     ->  batch 21000.0 312.3     median microseconds of 5 updates, peak memory of the process in MB
//
//   batch       the discriminator with batch norm, as DCGAN has it; the non-saturating loss
//   spectral    with spectral norm and the hinge loss
//
// An update: the generator's turn, then the discriminator's with the images that were made; each clears gradients, goes forward and backward,
// and takes a step of Adam.
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <string>

#include "bench/models/median_step.h"
#include "danlu/base/cpu.h"
#include "danlu/base/rng.h"
#include "danlu/learn/models/gan.h"
#include "danlu/learn/optim/optimizer.h"
#include "danlu/learn/train/adversarial_objective.h"

namespace danlu {
namespace {

class Job {
 public:
  explicit Job(const std::string& norm)
      : gan_({.latent = 100, .width = 64, .discriminator_norm = norm}, {28, 28, 1}), objective_({.adversarial_loss = norm == "batch" ? "non_saturating" : "hinge"}) {
    Rng rng(7);
    batch_.x = Tensor::empty({64, 28, 28, 1});
    for (float& pixel : batch_.x.mutable_span()) pixel = 2 * rng.uniform() - 1;
    batch_.indexes.resize(64);
    for (const train::Objective::Turn& turn : objective_.turns(gan_)) {
      optimizers_.push_back(std::make_unique<optim::Adam>(turn.parameters, optim::AdamOptions{.lr = 2e-4, .beta1 = 0.5}));
    }
  }

  double median_step_us(int steps) {
    return bench::median_step_us(steps, [&] {
      Tensor made;
      for (size_t turn = 0; turn < optimizers_.size(); ++turn) {
        optimizers_[turn]->zero_grad();
        backward(objective_.take_turn(turn, gan_, batch_, made).loss);
        optimizers_[turn]->store().gradients();
        optimizers_[turn]->step();
      }
    });
  }

 private:
  models::Gan gan_;
  train::AdversarialObjective objective_;
  data::Batch batch_;
  std::vector<std::unique_ptr<optim::Adam>> optimizers_;
};

}  // namespace
}  // namespace danlu

int main(int argc, char** argv) {
  const danlu::kernels::WithMatmulPrecision precision(danlu::bench::matmul_precision(argc, argv));
  std::map<std::string, std::unique_ptr<danlu::Job>> jobs;
  std::string name;
  for (int steps = 0; std::cin >> name >> steps;) {
    if ((name != "batch" && name != "spectral") || steps < 1) return 2;
    std::unique_ptr<danlu::Job>& job = jobs[name];
    if (job == nullptr) job = std::make_unique<danlu::Job>(name);
    std::printf("%s %.1f %.1f\n", name.c_str(), job->median_step_us(steps), static_cast<double>(danlu::peak_memory_bytes()) / 1e6);
    std::fflush(stdout);
  }
}
