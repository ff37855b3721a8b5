// How far long work has come, on standard error: a line that is redrawn on a terminal, a line every few seconds in a
// pipe.
#pragma once

#include <cstdint>
#include <string>

#include "danlu/base/eta.h"
#include "danlu/base/timer.h"
#include "danlu/learn/train/trainer.h"

namespace danlu::app {

class Progress {
 public:
  // Without `shows` it only measures.
  explicit Progress(bool shows);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void start();         // of a piece of work
  bool is_due() const;  // enough time has passed since the last line
  void step(const train::StepReport& report);
  void epoch(const train::EpochReport& report);
  void fold(int64_t done, int64_t total);
  double remaining_s() const { return eta_.remaining_s(); }
  // Takes an open line away, so that something else can be written.
  void clear();

 private:
  enum class Line { passing, lasting };
  void show(const std::string& text, Line line);

  const bool shows_;
  const bool terminal_;
  bool open_ = false;
  Timer since_line_;
  Eta eta_;
};

}  // namespace danlu::app
