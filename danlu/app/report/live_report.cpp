#include "danlu/app/report/live_report.h"

#include <algorithm>

#include "danlu/app/report/run_report.h"
#include "danlu/base/error.h"

namespace danlu::app {

void LiveReport::validated() {
  constexpr double kSeconds = 5, kShare = 0.005;
  if (since_.seconds() < std::max(kSeconds, cost_ / kShare)) return;
  since_.reset();
  try {
    write_run_report(run_);
  } catch (const Error&) {
    // A full disk ends the training by itself, when it matters.
  }
  cost_ = since_.seconds();
  since_.reset();
}

}  // namespace danlu::app
