// How the wall-clock limits of a training become progress: the fraction of the time for updates that has gone, so that a schedule
// which follows it is at its end when the time is. What the last validation and the writing of checkpoints take is measured and set
// aside; whatever slows the machine down moves the schedule on faster for each update.
#pragma once

#include <algorithm>
#include <limits>
#include <optional>

#include "danlu/base/timer.h"

namespace danlu::train {

class TimePlan {
 public:
  // time_limit: seconds of all sessions together. deadline: seconds from now.
  TimePlan(std::optional<double> time_limit, std::optional<double> deadline) : time_limit_(time_limit), deadline_(deadline) {}

  // Goes on from an earlier session, which had taken so long and had come so far.
  void resume(double seconds, double fraction) {
    before_ = seconds;
    begun_at_ = std::clamp(fraction, 0.0, 1.0);
  }

  double seconds() const { return before_ + session_.seconds(); }
  double session_seconds() const { return session_.seconds(); }
  bool limited() const { return time_limit_ || deadline_; }
  const char* limit_name() const { return by_deadline() ? "deadline" : "time limit"; }

  // What follows the last update took this long.
  void measured_closing(double seconds) { closing_ = seconds; }
  // Until it has been measured it is taken for as long as so many updates.
  void expect_closing(double updates) { expected_closing_ = updates; }
  void measured_update() { ++updates_; }

  // Of the whole training, in [0, 1]; 0 without a limit.
  double fraction() const {
    if (!limited()) return 0;
    const double available = time_for_updates();
    return available <= 0 ? 1 : std::min(begun_at_ + (1 - begun_at_) * session_.seconds() / available, 1.0);
  }
  // What one update adds to it.
  double update_fraction() const {
    return limited() ? std::min((fraction() - begun_at_) / static_cast<double>(updates_ + 1), 1.0) : 0;
  }
  // The next update would end nearer to the limit's far side than to its near one.
  bool is_over() const { return limited() && session_.seconds() + update_seconds() / 2 >= time_for_updates(); }

 private:
  bool by_deadline() const { return deadline_ && (!time_limit_ || *deadline_ <= *time_limit_ - before_); }
  double available() const {
    const double by_limit = time_limit_ ? *time_limit_ - before_ : std::numeric_limits<double>::infinity();
    return std::min(by_limit, deadline_.value_or(std::numeric_limits<double>::infinity()));
  }
  double time_for_updates() const { return available() - (closing_ >= 0 ? closing_ : expected_closing_ * update_seconds()); }
  double update_seconds() const { return updates_ > 0 ? session_.seconds() / static_cast<double>(updates_) : 0; }

  std::optional<double> time_limit_, deadline_;
  Timer session_;
  double before_ = 0, begun_at_ = 0;
  double closing_ = -1;  // not measured
  double expected_closing_ = 0;
  int64_t updates_ = 0;
};

}  // namespace danlu::train
