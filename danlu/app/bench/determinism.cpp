#include "danlu/app/bench/determinism.h"

#include <algorithm>
#include <functional>
#include <memory>

#include "danlu/base/rng.h"
#include "danlu/base/threads.h"
#include "danlu/base/timer.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/reproducible.h"
#include "danlu/engine/ops/loss.h"
#include "danlu/engine/ops/random.h"
#include "danlu/learn/models/gpt.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/optim/optimizer.h"
#include "danlu/learn/train/checkpoint.h"

namespace danlu::app {
namespace {

// A model that learns a batch of random numbers.
class Job {
 public:
  virtual ~Job() = default;
  void step() {
    optimizer_->zero_grad();
    backward(loss());
    optimizer_->step();
  }
  std::string weights() const { return train::weights_hash(module()); }

 protected:
  virtual Tensor loss() = 0;
  virtual const nn::Module& module() const = 0;
  void start() { optimizer_ = std::make_unique<optim::AdamW>(module().parameters()); }

 private:
  std::unique_ptr<optim::AdamW> optimizer_;
};

class Classifier : public Job {
 public:
  Classifier(const Json& model, const Shape& sample, int64_t batch)
      : model_(models::parse_model(model).make(sample, 10)), x_(Tensor::empty(sample.insert(0, batch))), y_(Tensor::empty({batch}, Dtype::i64)) {
    Rng rng(7);
    for (float& v : x_.mutable_span()) v = rng.normal();
    for (int64_t& v : y_.mutable_span<int64_t>()) v = rng.below(10);
    start();
  }

 private:
  Tensor loss() override { return cross_entropy((*model_)(x_), y_); }
  const nn::Module& module() const override { return *model_; }
  std::unique_ptr<nn::Module> model_;
  Tensor x_, y_;
};

class Language : public Job {
 public:
  Language() : model_({.family = "llama", .layers = 2, .heads = 4, .width = 256, .context = 128, .vocab_size = 2048}) {
    Rng rng(7);
    for (Tensor* ids : {&x_, &y_}) {
      for (int64_t& id : ids->mutable_span<int64_t>()) id = rng.below(2048);
    }
    start();
  }

 private:
  Tensor loss() override { return model_.loss(x_, y_); }
  const nn::Module& module() const override { return model_; }
  models::Gpt model_;
  Tensor x_ = Tensor::empty({8, 128}, Dtype::i64), y_ = Tensor::empty({8, 128}, Dtype::i64);
};

using MakeJob = std::function<std::unique_ptr<Job>()>;

double step_us(Job& job) {
  const Timer timer;
  job.step();
  return timer.seconds() * 1e6;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<int64_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

std::string weights_after(const MakeJob& make, int steps, int threads) {
  const int before = num_threads();
  set_num_threads(threads);
  manual_seed(1);
  const auto job = make();
  for (int i = 0; i < steps; ++i) job->step();
  set_num_threads(before);
  return job->weights();
}

DeterminismCost measure(const char* name, const MakeJob& make, double seconds) {
  constexpr int kSteps = 10, kRepeats = 5, kTurn = 5;
  DeterminismCost cost{.model = name};
  const std::string one = weights_after(make, kSteps, 1);
  cost.same_for_threads = cost.same_again = true;
  for (int i = 0; i < kRepeats; ++i) {
    const std::string all = weights_after(make, kSteps, num_threads());
    cost.same_for_threads &= all == one;
    cost.same_again &= all == weights_after(make, kSteps, num_threads());
  }
  const auto job = make();
  std::vector<double> reproducible, free;
  for (const Timer timer; timer.seconds() < seconds || free.empty();) {
    for (int i = 0; i < kTurn; ++i) reproducible.push_back(step_us(*job));
    const kernels::AnyDivision any;
    for (int i = 0; i < kTurn; ++i) free.push_back(step_us(*job));
  }
  cost.reproducible_us = median(reproducible);
  cost.free_us = median(free);
  return cost;
}

}  // namespace

std::vector<DeterminismCost> measure_determinism(double seconds) {
  const Json mlp = {{"type", "mlp"}, {"hidden", {512, 512}}};
  const Json cnn = {{"type", "cnn"},
                    {"layers", {{{"conv", {{"filters", 32}, {"padding", 1}}}}, "relu", {{"max_pool", 2}}, {{"conv", {{"filters", 64}, {"padding", 1}}}},
                                "relu", {{"max_pool", 2}}, {{"linear", 128}}, "relu"}}};
  return {measure("mlp 784-512-512-10, batch 256", [&] { return std::make_unique<Classifier>(mlp, Shape{784}, 256); }, seconds),
          measure("cnn conv32-pool-conv64-pool-fc128, batch 64", [&] { return std::make_unique<Classifier>(cnn, Shape{28, 28, 1}, 64); }, seconds),
          measure("gpt 2 layers x 256, 8 x 128 tokens", [&] { return std::make_unique<Language>(); }, seconds)};
}

}  // namespace danlu::app
