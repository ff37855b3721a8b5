// report.html of a training under way: made anew every few seconds after a validation, and read again by the browser as often.
#pragma once

#include "danlu/app/recipe/run_directory.h"
#include "danlu/app/recipe/throttle.h"

namespace danlu::app {

class LiveReport {
 public:
  explicit LiveReport(const RunDirectory& run) : run_(run) {}
  // metrics.jsonl has another line. A page takes little of the training's time, and none of one that is over in a few seconds; one that
  // cannot be written is not worth a word.
  void validated();

 private:
  RunDirectory run_;
  Throttle throttle_;
};

}  // namespace danlu::app
