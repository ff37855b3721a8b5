// Answers: forward alone, in evaluation mode.
#include "bench/danlu/networks.h"
#include "bench/danlu/workload.h"
#include "danlu/engine/autograd/tape.h"

namespace danlu::bench {

Workloads inference_workloads() {
  const auto forward = [](std::shared_ptr<nn::Module> model, const Tensor& x) {
    model->eval();
    return Step{[=] {
      const NoGrad no_grad;
      (*model)(x);
    }};
  };
  Workloads workloads;
  for (const int64_t batch : {1, 64}) {
    const std::string suffix = "-infer-" + std::to_string(batch);
    workloads["mlp" + suffix] = [=](const auto&) { return forward(make_mlp(), random_values({batch, 784})); };
    workloads["cnn" + suffix] = [=](const auto&) { return forward(make_cnn(), random_values({batch, 28, 28, 1})); };
    workloads["lstm" + suffix] = [=](const auto&) { return forward(std::make_shared<Lstm>(), random_sequences(batch)); };
    workloads["encoder" + suffix] = [=](const auto&) { return forward(make_encoder(), random_sequences(batch)); };
  }
  return workloads;
}

}  // namespace danlu::bench
