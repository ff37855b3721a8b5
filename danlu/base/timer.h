// Time since construction or the last reset: of the wall clock, and of the processors.
#pragma once

#include <chrono>
#include <ctime>

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

// What this process has spent of its processors' time, all its threads together.
class CpuTimer {
 public:
  CpuTimer() { reset(); }
  void reset() { start_ = now(); }
  double seconds() const { return now() - start_; }

 private:
  static double now() {
    std::timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  }
  double start_ = 0;
};

}  // namespace danlu
