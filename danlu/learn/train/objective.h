// What training minimises: the mean of a loss over the terms of a batch, which are samples, or tokens for a language model.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "danlu/base/options.h"
#include "danlu/data/dataset/loader.h"
#include "danlu/data/task.h"
#include "danlu/engine/tensor/tensor.h"
#include "danlu/learn/nn/module.h"

namespace danlu::train {

// What a look at held-out data finds, over all of its terms.
struct Validation {
  double loss = 0;                 // what is monitored; lower is better
  std::optional<double> accuracy;  // absent where there are no classes
  int64_t terms = 0;
  std::map<std::string, double> measures;  // more that is worth a curve
};

class Objective {
 public:
  virtual ~Objective() = default;

  struct Outcome {
    Tensor loss;                     // mean over the terms of the batch, a differentiable scalar
    std::optional<int64_t> correct;  // terms answered rightly, where that can be said without cost
  };
  virtual Outcome evaluate(nn::Module& model, const data::Batch& batch) const = 0;

  // What the loss itself learns beside the model, by name; of most nothing. They are among the parameters of a turn.
  virtual std::vector<nn::NamedTensor> parameters() const { return {}; }

  // An update takes turns where there are adversaries: each has a loss, parameters and an optimiser of its own. Usually there is one, of
  // all parameters. The loss that training reports is that of the last turn; the others are measures, NAME_loss.
  struct Turn {
    std::string name;
    std::vector<Tensor> parameters;
    double lr_factor = 1;
  };
  virtual std::vector<Turn> turns(nn::Module& model) const { return {{"", model.parameters()}}; }
  // What a turn leaves in `memo`, the later turns of the same batch find there.
  virtual Outcome take_turn(size_t /*turn*/, nn::Module& model, const data::Batch& batch, Tensor& /*memo*/) const { return evaluate(model, batch); }

  // A loader in evaluation mode. By default: the mean of evaluate().
  virtual Validation validate(nn::Module& model, data::DataLoader& loader) const;
  virtual int64_t terms(const data::Batch& batch) const = 0;
  virtual const char* unit() const = 0;  // "samples" or "tokens", for people
};

// What a model of classes learns from another one: distillation_objective.h.
struct DistillOptions {
  std::string teacher;  // a run; empty: none
  double temperature = 2;
  double alpha = 0.5;
  void describe(OptionVisitor& v);
};

// How a classifier learns from rows without a label: pseudo_label_objective.h.
struct PseudoLabelOptions {
  double weight = 0;
  int64_t rows = 1;
  double begin = 5, full = 15;
  void describe(OptionVisitor& v);
};

struct ObjectiveOptions {
  double label_smoothing = 0;
  std::string class_weights = "none";
  std::string classification_loss = "cross_entropy";
  std::string regression_loss = "mse";
  std::string adversarial_loss = "non_saturating";
  double generator_lr_factor = 1;
  std::string task_weighting = "fixed";
  PseudoLabelOptions pseudo_labels = {};
  std::string ranking_loss = "softmax";
  int64_t negatives = 1;
  double temperature = 0.05;
  DistillOptions distill = {};
  void describe(OptionVisitor& v);
};

// Classes and numbers: how a model's raw outputs become a loss, and an answer.
//
//   binary       one output, the logit of class 1     bce_with_logits    probability by sigmoid
//   multiclass   C outputs, logits                    cross_entropy      probabilities by softmax
//   multilabel   C outputs, a logit each              bce_with_logits    probabilities by sigmoid, of each label
//   regression   one output                           mse, mae or huber  the value itself
//
// With `classification_loss: squared_hinge` outputs are margins instead, one against the rest: the loss of a sample is the sum over the outputs of
// max(0, 1 - t f)^2, t being 1 for its class and -1 for the others. Probabilities, by the same sigmoid or softmax, have to be calibrated then.
//
// While it trains, a model may give several answers to each sample, (M N, C) for N targets, the answers of one member after those of
// another: each is compared with the truth. With `class_weights: balanced` a sample of a class with n of the N training samples counts
// N / (classes n), so that rare classes are learnt as well as frequent ones; probabilities then are those of equally frequent classes.
class PredictionObjective : public Objective {
 public:
  // `labels` are those of the training samples, which class weights come from; needed for these alone. Throws ConfigError for class
  // weights of a number, and for label smoothing of margins.
  explicit PredictionObjective(data::TaskKind task, const ObjectiveOptions& options = {}, std::span<const int64_t> labels = {});

  data::TaskKind task() const { return task_; }
  bool has_margins() const { return options_.classification_loss == "squared_hinge"; }

  Outcome evaluate(nn::Module& model, const data::Batch& batch) const override;
  int64_t terms(const data::Batch& batch) const override { return batch.size(); }
  const char* unit() const override { return "samples"; }

  // Mean loss of a batch, differentiable. outputs: (N, 1) or (N, C); y: i64 (N) class indexes, f32 (N, C) labels, or f32 (N) for regression.
  // Throws ShapeError for sizes that do not fit, and DataError for an index that is none of the classes.
  Tensor loss(const Tensor& outputs, const Tensor& y) const;

  // Outside differentiation: (N, C) probabilities, both classes of a binary task too, or (N, 1) values; distances stay as they are.
  Tensor answer(const Tensor& outputs) const;

  // How many of a batch's classes are right; absent where a sample has no class, or several labels.
  std::optional<int64_t> num_correct(const Tensor& outputs, const Tensor& y) const;

 private:
  Tensor margin_loss(const Tensor& outputs, const Tensor& y) const;
  float weight(int64_t label) const { return static_cast<size_t>(label) < weights_.size() ? weights_[static_cast<size_t>(label)] : 1.0f; }

  data::TaskKind task_;
  ObjectiveOptions options_;
  std::vector<float> weights_;  // of classes; empty: all alike
};

}  // namespace danlu::train
