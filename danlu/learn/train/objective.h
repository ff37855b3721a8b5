// What training minimises: the mean of a loss over the terms of a batch, which are samples, or tokens for a language model.
#pragma once

#include <optional>

#include "danlu/base/options.h"
#include "danlu/data/dataset/dataset.h"
#include "danlu/data/task.h"
#include "danlu/engine/tensor/tensor.h"
#include "danlu/learn/nn/module.h"

namespace danlu::train {

class Objective {
 public:
  virtual ~Objective() = default;

  struct Outcome {
    Tensor loss;                     // mean over the terms of the batch, a differentiable scalar
    std::optional<int64_t> correct;  // terms answered rightly, where that can be said without cost
  };
  virtual Outcome evaluate(nn::Module& model, const data::Batch& batch) const = 0;
  virtual int64_t terms(const data::Batch& batch) const = 0;
  virtual const char* unit() const = 0;  // "samples" or "tokens", for people
};

struct ObjectiveOptions {
  double label_smoothing = 0;
  std::string regression_loss = "mse";
  void describe(OptionVisitor& v);
};

// Classes and numbers: how a model's raw outputs become a loss, and an answer.
//
//   binary       one output, the logit of class 1     bce_with_logits    probability by sigmoid
//   multiclass   C outputs, logits                    cross_entropy      probabilities by softmax
//   regression   one output                           mse, mae or huber  the value itself
class PredictionObjective : public Objective {
 public:
  explicit PredictionObjective(data::TaskKind task, const ObjectiveOptions& options = {}) : task_(task), options_(options) {}

  data::TaskKind task() const { return task_; }

  Outcome evaluate(nn::Module& model, const data::Batch& batch) const override;
  int64_t terms(const data::Batch& batch) const override { return batch.size(); }
  const char* unit() const override { return "samples"; }

  // Mean loss of a batch, differentiable. outputs: (N, 1) or (N, C); y: i64 (N) class indexes, or f32 (N) for regression.
  Tensor loss(const Tensor& outputs, const Tensor& y) const;

  // Outside differentiation: (N, C) probabilities, both classes of a binary task too, or (N, 1) values.
  Tensor answer(const Tensor& outputs) const;

  // How many of a batch's classes are right; none for regression.
  std::optional<int64_t> num_correct(const Tensor& outputs, const Tensor& y) const;

 private:
  data::TaskKind task_;
  ObjectiveOptions options_;
};

}  // namespace danlu::train
