// Estimated time to the end of a long job, from its measured speed.
#pragma once

#include <string>

#include "danlu/base/timer.h"

namespace danlu {

class Eta {
 public:
  // Records that `done` of the job (a fraction in [0, 1]) is complete now.
  void update(double done);
  // Seconds to go, from an exponentially weighted speed of the last updates; negative while nothing is known.
  double remaining_s() const;

 private:
  Timer timer_;
  double last_done_ = 0;
  double last_time_s_ = 0;
  double speed_ = 0;  // fraction a second
};

// "47 s", "3 min 20 s", "2 h 05 min".
std::string format_duration(double seconds);

}  // namespace danlu
