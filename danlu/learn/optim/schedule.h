// Learning-rate schedules: a factor for the learning rate, from how far training has come.
//
// Progress is a fraction of the whole, so that a schedule fits itself to whatever ends training: epochs, steps or a time limit.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "danlu/base/options.h"

namespace danlu::optim {

struct Progress {
  int64_t step = 0;            // updates done
  double epoch = 0;            // epochs done, with their fraction
  double fraction = 0;         // of the whole training, in [0, 1]
  double update_fraction = 0;  // of the whole training that one update is
};

// Every schedule may begin with a linear warm-up: over n updates the factors are 1/n, 2/n ... 1. linear and cosine decay from its
// end on.
struct WarmupOptions {
  double warmup = 0;  // below 1: fraction of the training; from 1 on: updates
  void describe(OptionVisitor& v);
};

class Schedule {
 public:
  explicit Schedule(const WarmupOptions& warmup) : warmup_(warmup.warmup) {}
  virtual ~Schedule() = default;
  // Factor for the base learning rate, warm-up included.
  double factor(const Progress& progress) const;
  // Tells a schedule that watches the validation metric (plateau) of a new value; lower is better.
  virtual void observe(double /*loss*/) {}
  // For checkpoints: what observe() has learnt.
  virtual Json state() const { return Json::object(); }
  virtual void set_state(const Json& /*state*/) {}

 protected:
  // After the warm-up; progress.fraction is that of the training after it.
  virtual double shape(const Progress& progress) const = 0;

 private:
  double warmup_;
};

// A schedule as a recipe names it: {"type": "cosine", "warmup": 0.05}, or just "cosine".
//   constant
//   step      {every: epochs, gamma}      lr * gamma^floor(epoch / every)
//   linear    {end}                       from 1 to `end` over the training
//   cosine    {end}                       the same along half a cosine. Source: Loshchilov, Hutter 2017, arXiv:1608.03983
//   plateau   {factor, patience, min}     lr * factor after `patience` validations without improvement
struct ScheduleConfig {
  std::string type;
  Json resolved;
  std::function<std::unique_ptr<Schedule>()> make;
};
ScheduleConfig parse_schedule(const Json& json, const Locate& locate = {}, const std::string& prefix = "schedule");

}  // namespace danlu::optim
