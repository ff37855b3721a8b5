// Training steps of networks over sequences. Reads commands from standard input, so that a peer can be measured in turn with it:
//
//   lstm 5     ->  lstm 210000.0 412.3     median microseconds of 5 steps, peak memory of the process in MB
//
//   lstm       a language model: embedding of 128, two layers of 256, 8192 words; 32 sequences of 128 positions
//   encoder    a classifier: four blocks of 256 with four heads, two classes; 32 texts of 128 tokens of 8192
//
// A step: clear gradients, forward, loss, backward, gradient norm, AdamW update. No dropout.
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/models/median_step.h"
#include "danlu/base/cpu.h"
#include "danlu/base/rng.h"
#include "danlu/engine/ops/linear_cross_entropy.h"
#include "danlu/engine/ops/loss.h"
#include "danlu/engine/ops/movement.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/nn/embedding.h"
#include "danlu/learn/nn/layers.h"
#include "danlu/learn/nn/recurrent.h"
#include "danlu/learn/optim/optimizer.h"

namespace danlu {
namespace {

constexpr int64_t kBatch = 32, kLength = 128, kVocabulary = 8192;

Tensor random_ids(const Shape& shape, int64_t first, int64_t end, uint64_t seed) {
  Rng rng(seed);
  Tensor ids = Tensor::empty(shape, Dtype::i64);
  for (int64_t& id : ids.mutable_span<int64_t>()) id = first + rng.below(end - first);
  return ids;
}

class Job {
 public:
  virtual ~Job() = default;
  double median_step_us(int steps) {
    return bench::median_step_us(steps, [&] { bench::clipped_step(*optimizer_, [&] { return loss(); }); });
  }

 protected:
  virtual Tensor loss() = 0;
  std::unique_ptr<optim::AdamW> optimizer_;
};

class LstmLanguageModel : public Job {
 public:
  LstmLanguageModel() {
    std::vector<Tensor> parameters;
    for (const nn::Module* part : {static_cast<nn::Module*>(&embedding_), static_cast<nn::Module*>(&layers_), static_cast<nn::Module*>(&head_)}) {
      for (Tensor& p : part->parameters()) parameters.push_back(p);
    }
    optimizer_ = std::make_unique<optim::AdamW>(parameters, optim::AdamWOptions{.lr = 1e-3});
  }

 private:
  Tensor loss() override {
    const Tensor y = layers_.forward(embedding_(ids_));
    return linear_cross_entropy(reshape(y, {-1, 256}), head_.weight, targets_);
  }
  nn::Embedding embedding_{kVocabulary, 128};
  nn::Recurrent layers_{nn::Cell::lstm, 128, 256, {.layers = 2}};
  nn::Linear head_{256, kVocabulary, false};
  Tensor ids_ = random_ids({kBatch, kLength}, 0, kVocabulary, 7), targets_ = random_ids({kBatch * kLength}, 0, kVocabulary, 8);
};

class EncoderClassifier : public Job {
 public:
  EncoderClassifier() { optimizer_ = std::make_unique<optim::AdamW>(model_->parameters(), optim::AdamWOptions{.lr = 1e-3}); }

 private:
  Tensor loss() override { return cross_entropy((*model_)(ids_), targets_); }
  std::unique_ptr<nn::Module> model_ =
      models::parse_model({{"type", "encoder"}, {"layers", 4}, {"width", 256}, {"heads", 4}, {"vocab_size", kVocabulary}, {"dropout", 0}}).make({kLength}, 2);
  Tensor ids_ = random_ids({kBatch, kLength}, 1, kVocabulary, 7), targets_ = random_ids({kBatch}, 0, 2, 8);
};

}  // namespace
}  // namespace danlu

int main(int argc, char** argv) {
  using namespace danlu;
  const kernels::WithMatmulPrecision precision(bench::matmul_precision(argc, argv));
  std::map<std::string, std::unique_ptr<Job>> jobs;
  std::string name;
  for (int steps = 0; std::cin >> name >> steps;) {
    if ((name != "lstm" && name != "encoder") || steps < 1) return 2;
    std::unique_ptr<Job>& job = jobs[name];
    if (job == nullptr && name == "lstm") job = std::make_unique<LstmLanguageModel>();
    if (job == nullptr) job = std::make_unique<EncoderClassifier>();
    std::printf("%s %.1f %.1f\n", name.c_str(), job->median_step_us(steps), static_cast<double>(peak_memory_bytes()) / 1e6);
    std::fflush(stdout);
  }
}
