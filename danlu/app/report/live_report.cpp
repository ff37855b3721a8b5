#include "danlu/app/report/live_report.h"

#include "danlu/app/report/run_report.h"

namespace danlu::app {

void LiveReport::validated() {
  if (!throttle_.is_due()) return;
  throttle_.run([&] {
    try {
      write_run_report(run_);
    } catch (const std::exception&) {
      // A full disk ends the training by itself, when it matters.
    }
  });
}

}  // namespace danlu::app
