// The learning-rate range test: a short training whose learning rate grows from update to update, until the loss runs away.
// Source: Smith 2017, Cyclical Learning Rates for Training Neural Networks, arXiv:1506.01186, section 3.3.
#pragma once

#include <functional>
#include <vector>

#include "danlu/base/options.h"
#include "danlu/data/dataset/loader.h"
#include "danlu/learn/nn/module.h"
#include "danlu/learn/train/objective.h"
#include "danlu/learn/train/trainer.h"

namespace danlu::train {

struct LrRangeOptions {
  double from = 1e-6;
  double to = 1;
  int64_t steps = 200;
  void describe(OptionVisitor& v);
};

struct LrRange {
  struct Point {
    double lr = 0;
    double loss = 0;  // smoothed over the updates before
  };
  std::vector<Point> points;
  bool diverged = false;  // before the largest rate was reached
  double steepest = 0;    // where the loss falls fastest for a factor of the rate
  double lowest = 0;      // where the loss is lowest: there the rate is already too high to go on with
  double suggested = 0;   // a tenth of that
};

// Trains `model`, which is left as the last update made it, with the optimiser, batch size, clipping and penalties of `options`; the
// learning rate, schedule and limits there are not heeded. `on_point` is called after each update. Throws ConfigError for
// from >= to; NumericError if not even the smallest rates give a finite loss.
LrRange lr_range_test(nn::Module& model, const Objective& objective, const TrainOptions& options, data::DataLoader& training,
                      const LrRangeOptions& range, const std::function<void(const LrRange::Point&)>& on_point = {});

}  // namespace danlu::train
