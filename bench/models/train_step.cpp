// Time of whole training steps of the networks that the field compares by. Reads commands from standard input, so that a peer
// can be measured in turn with it:
//
//   mlp 200     ->  mlp 172.4            median microseconds of 200 steps
//   cnn 20      ->  cnn 5981.0
//   resnet 10   ->  resnet 35210.0
//
// A step: clear gradients, forward, loss, backward, Adam update. Batch 64, synthetic data.
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "bench/models/median_step.h"
#include "danlu/base/rng.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/loss.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/nn/layers.h"
#include "danlu/learn/optim/optimizer.h"

namespace danlu {
namespace {

constexpr int64_t kBatch = 64;

struct Job {
  std::unique_ptr<nn::Module> model;
  Tensor x, y;
  std::unique_ptr<optim::Adam> optimizer;

  Job(nn::Sequential network, const Shape& sample) : Job(std::make_unique<nn::Sequential>(std::move(network)), sample) {}
  Job(std::unique_ptr<nn::Module> network, const Shape& sample)
      : model(std::move(network)), x(Tensor::empty(sample.insert(0, kBatch))), y(Tensor::empty({kBatch}, Dtype::i64)) {
    Rng rng(7);
    for (float& v : x.mutable_span()) v = rng.normal();
    for (int64_t& v : y.mutable_span<int64_t>()) v = rng.below(10);
    optimizer = std::make_unique<optim::Adam>(model->parameters(), optim::AdamOptions{.lr = 1e-3});
  }

  void step() {
    optimizer->zero_grad();
    const Tensor loss = cross_entropy((*model)(x), y);
    backward(loss);
    optimizer->step();
  }
};

}  // namespace
}  // namespace danlu

int main(int argc, char** argv) {
  using namespace danlu;
  const kernels::WithMatmulPrecision precision(bench::matmul_precision(argc, argv));
  using namespace danlu::nn;
  Job mlp(Sequential(Linear(784, 128), ReLU(), Linear(128, 64), ReLU(), Linear(64, 10)), {784});
  const Conv2dLayerOptions same{.padding = 1};
  Job cnn(Sequential(Conv2d(1, 32, 3, same), ReLU(), MaxPool2d(2), Conv2d(32, 64, 3, same), ReLU(), MaxPool2d(2), Flatten(),
                     Linear(7 * 7 * 64, 128), ReLU(), Linear(128, 10)),
          {28, 28, 1});
  Job resnet(models::parse_model(Json{{"type", "resnet"}, {"width", 32}, {"blocks", {1, 1, 1}}}).make({28, 28, 1}, 10), {28, 28, 1});
  const std::map<std::string, Job*> jobs = {{"mlp", &mlp}, {"cnn", &cnn}, {"resnet", &resnet}};
  std::string name;
  for (int steps = 0; std::cin >> name >> steps;) {
    const auto job = jobs.find(name);
    if (job == jobs.end() || steps < 1) return 2;
    std::printf("%s %.1f\n", name.c_str(), bench::median_step_us(steps, [&] { job->second->step(); }));
    std::fflush(stdout);
  }
}
