// What a task makes of a model's raw outputs: the loss to minimise, and the answer to give.
//
//   binary       one output, the logit of class 1     bce_with_logits    probability by sigmoid
//   multiclass   C outputs, logits                    cross_entropy      probabilities by softmax
//   regression   one output                           mse, mae or huber  the value itself
#pragma once

#include "danlu/base/options.h"
#include "danlu/data/task.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu::train {

struct ObjectiveOptions {
  double label_smoothing = 0;
  std::string regression_loss = "mse";
  void describe(OptionVisitor& v);
};

class Objective {
 public:
  explicit Objective(data::TaskKind task, const ObjectiveOptions& options = {}) : task_(task), options_(options) {}

  data::TaskKind task() const { return task_; }

  // Mean loss of a batch, differentiable. outputs: (N, 1) or (N, C); y: i64 (N) class indexes, or f32 (N) for regression.
  Tensor loss(const Tensor& outputs, const Tensor& y) const;

  // Outside differentiation: (N, C) probabilities, both classes of a binary task too, or (N, 1) values.
  Tensor answer(const Tensor& outputs) const;

  // How many of a batch's classes are right; 0 for regression.
  int64_t num_correct(const Tensor& outputs, const Tensor& y) const;

 private:
  data::TaskKind task_;
  ObjectiveOptions options_;
};

}  // namespace danlu::train
