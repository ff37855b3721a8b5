// Training steps of decoders of GPT-2's kind. Reads commands from standard input, so that a peer can be measured in turn with it:
//
//   toy 20      ->  toy 21650.0 182.3      median microseconds of 20 steps, peak memory of the process in MB
//
// A step: clear gradients, forward, loss, backward, gradient norm, AdamW update. Random tokens, no dropout.
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <string>

#include "bench/models/median_step.h"
#include "danlu/base/cpu.h"
#include "danlu/base/rng.h"
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
    return bench::median_step_us(steps, [&] { bench::clipped_step(optimizer_, [&] { return model_.loss(ids_, targets_); }); });
  }

 private:
  models::Gpt model_;
  Tensor ids_, targets_;
  optim::AdamW optimizer_;
};

}  // namespace
}  // namespace danlu

int main(int argc, char** argv) {
  using namespace danlu;
  const kernels::WithMatmulPrecision precision(bench::matmul_precision(argc, argv));
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
