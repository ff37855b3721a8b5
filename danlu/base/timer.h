// Wall-clock time since construction or the last reset.
#pragma once

#include <chrono>

namespace danlu {

class Timer {
 public:
  Timer() { reset(); }
  void reset() { start_ = Clock::now(); }
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_;
};

}  // namespace danlu
