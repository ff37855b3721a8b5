// Decides when work beside a training is worth its time: at most every few seconds, and so rarely that it takes a small share of all.
#pragma once

#include <algorithm>

#include "danlu/base/timer.h"

namespace danlu::app {

class Throttle {
 public:
  bool is_due() const { return since_.seconds() >= std::max(kSeconds, cost_ / kShare); }
  // Runs `work` and takes its time.
  template <class Work>
  void run(const Work& work) {
    const Timer timer;
    work();
    cost_ = timer.seconds();
    since_.reset();
  }

 private:
  static constexpr double kSeconds = 5, kShare = 0.005;
  Timer since_;      // the last work, or the beginning
  double cost_ = 0;  // of the last work, seconds
};

}  // namespace danlu::app
