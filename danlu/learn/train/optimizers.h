// The optimisers of a training: one, or one for each turn of an update (objective.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "danlu/learn/optim/optimizer.h"
#include "danlu/learn/train/make_optimizer.h"
#include "danlu/learn/train/objective.h"

namespace danlu::train {

class Optimizers {
 public:
  Optimizers(const nn::Module& model, const TrainOptions& options, std::vector<Objective::Turn> turns) : turns_(std::move(turns)) {
    for (const Objective::Turn& turn : turns_) optimizers_.push_back(make_optimizer(model, turn.parameters, options));
    lr_ = optimizers_.front()->lr();
  }

  size_t size() const { return optimizers_.size(); }
  optim::Optimizer& operator[](size_t turn) { return *optimizers_[turn]; }
  const optim::Optimizer& operator[](size_t turn) const { return *optimizers_[turn]; }
  const std::string& name(size_t turn) const { return turns_[turn].name; }

  // Before the factor of each turn.
  double lr() const { return lr_; }
  void set_lr(double lr) {
    lr_ = lr;
    for (size_t i = 0; i < size(); ++i) optimizers_[i]->set_lr(lr * turns_[i].lr_factor);
  }

  // Of all turns but the first, which checkpoints keep as "optimizer.NAME": "optimizer.TURN.NAME".
  std::vector<nn::NamedTensor> later_moments() const {
    std::vector<nn::NamedTensor> all;
    for (size_t i = 1; i < size(); ++i) {
      for (const auto& [name, moment] : optimizers_[i]->moments()) all.push_back({"optimizer." + turns_[i].name + "." + name, moment});
    }
    return all;
  }
  std::vector<int64_t> num_steps() const {
    std::vector<int64_t> steps;
    for (const auto& optimizer : optimizers_) steps.push_back(optimizer->num_steps());
    return steps;
  }
  void set_num_steps(const std::vector<int64_t>& steps) {
    for (size_t i = 0; i < size() && i < steps.size(); ++i) optimizers_[i]->set_num_steps(steps[i]);
  }

 private:
  std::vector<Objective::Turn> turns_;
  std::vector<std::unique_ptr<optim::Optimizer>> optimizers_;
  double lr_ = 0;
};

}  // namespace danlu::train
