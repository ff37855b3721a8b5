// Where the time of training steps goes: `--profile` of train and run. Some updates are watched after the first few; a table of
// operations and one of layers goes to profile.txt, the same to profile.json, and every event to trace.json, which chrome://tracing
// and ui.perfetto.dev open.
#pragma once

#include <memory>
#include <string>

#include "danlu/base/files.h"
#include "danlu/base/json.h"
#include "danlu/engine/autograd/profiler.h"

namespace danlu::app {

class StepProfile {
 public:
  // Call after each update.
  void updated();
  // Call when training is over; fewer updates than wanted are summed up as they are.
  void finish();

  std::string text() const;
  Json json() const;
  void write(const fs::path& directory) const;

 private:
  static constexpr int kFirst = 5, kUpdates = 20;  // to skip, and to watch
  struct Row;
  template <class Key>
  std::vector<Row> rows(const Key& key) const;
  double update_s() const;

  int seen_ = 0, watched_ = 0;
  bool finished_ = false;
  std::unique_ptr<Profiler> profiler_;
  std::vector<ProfileEvent> events_;
  double seconds_ = 0;
};

}  // namespace danlu::app
