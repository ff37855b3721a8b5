#include "danlu/base/eta.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/format.h"

namespace danlu {

void Eta::update(double done) {
  const double now = timer_.seconds();
  const double elapsed = now - last_time_s_;
  if (done <= last_done_ || elapsed <= 0) return;
  const double speed = (done - last_done_) / elapsed;
  // Weight by time, with a memory of about 20 s: a burst of quick updates does not drown the past.
  const double weight = speed_ == 0 ? 1.0 : 1.0 - std::exp(-elapsed / 20.0);
  speed_ += weight * (speed - speed_);
  last_done_ = done;
  last_time_s_ = now;
}

double Eta::remaining_s() const { return speed_ > 0 ? std::max(0.0, 1.0 - last_done_) / speed_ : -1.0; }

std::string format_duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

}  // namespace danlu
