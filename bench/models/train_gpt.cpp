// Training steps of decoders of GPT-2's kind. Reads commands from standard input, so that a peer can be measured in turn with it:
//
//   toy 20      ->  toy 21650.0 182.3      median microseconds of 20 steps, peak memory of the process in MB
//
// A step: clear gradients, forward, loss, backward, gradient norm, AdamW update. Random tokens, no dropout.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "danlu/base/cpu.h"
#include "danlu/base/rng.h"
#include "danlu/base/timer.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/reduce.h"
#include "danlu/learn/models/gpt.h"
#include "danlu/learn/optim/optimizer.h"

namespace danlu {
namespace {

struct Setting {
  int64_t layers, heads, width, context, batch, vocabulary;
};

const std::map<std::string, Setting> kSettings = {
    {"toy", {4, 4, 128, 64, 12, 65}}, {"small", {6, 6, 384, 256, 16, 8192}}, {"gpt2", {12, 12, 768, 256, 4, 50257}}};

class Job {
 public:
  explicit Job(const Setting& s)
      : model_({.family = "gpt2", .layers = s.layers, .heads = s.heads, .width = s.width, .context = s.context, .vocab_size = s.vocabulary}),
        ids_(Tensor::empty({s.batch, s.context}, Dtype::i64)),
        targets_(Tensor::empty({s.batch, s.context}, Dtype::i64)),
        optimizer_(model_.parameters(), {.lr = 1e-3}) {
    Rng rng(7);
    for (Tensor* tensor : {&ids_, &targets_}) {
      for (int64_t& id : tensor->mutable_span<int64_t>()) id = rng.below(s.vocabulary);
    }
  }

  double median_step_us(int steps) {
    std::vector<double> times;
    for (int i = 0; i < steps; ++i) {
      const Timer timer;
      optimizer_.zero_grad();
      const Tensor loss = model_.loss(ids_, targets_);
      backward(loss);
      const optim::ParameterStore& store = optimizer_.store();
      const double norm = std::sqrt(kernels::sum_of_squares(optimizer_.store().gradients().data(), store.size()));
      optimizer_.step(norm > 1 ? static_cast<float>(1 / norm) : 1.0f);
      times.push_back(timer.seconds() * 1e6);
    }
    std::nth_element(times.begin(), times.begin() + steps / 2, times.end());
    return times[static_cast<size_t>(steps / 2)];
  }

 private:
  models::Gpt model_;
  Tensor ids_, targets_;
  optim::AdamW optimizer_;
};

}  // namespace
}  // namespace danlu

int main() {
  using namespace danlu;
  std::map<std::string, std::unique_ptr<Job>> jobs;
  std::string name;
  for (int steps = 0; std::cin >> name >> steps;) {
    if (!kSettings.contains(name) || steps < 1) return 2;
    auto& job = jobs[name];
    if (!job) job = std::make_unique<Job>(kSettings.at(name));
    std::printf("%s %.1f %.1f\n", name.c_str(), job->median_step_us(steps), static_cast<double>(peak_memory_bytes()) / 1e6);
    std::fflush(stdout);
  }
}
