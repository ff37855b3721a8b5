// What the program says while it works, in the form that the user asked for: pages and a progress line on a terminal, a line
// an interval when piped, JSON lines with --log json, nothing but errors with --quiet.
#pragma once

#include <atomic>
#include <cstdio>
#include <string>

#include "danlu/app/recipe/stages.h"
#include "danlu/base/eta.h"
#include "danlu/base/json.h"
#include "danlu/base/timer.h"

namespace danlu::app {

enum class LogForm { text, json, quiet };

class Console {
 public:
  explicit Console(LogForm form);
  ~Console();  // ends an open progress line, takes its sink from the log
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  LogForm form() const { return form_; }
  // A page or line for people; {"event": "text"} in JSON.
  void print(const std::string& text);
  // A line of JSON in JSON form; nothing otherwise.
  void event(const Json& json);
  // What a run calls. The observer refers to this console.
  Observer observer();
  void warn(const std::string& text);

 private:
  void on_stage(const std::string& stage);
  void on_step(const train::StepReport& report);
  void on_epoch(const train::EpochReport& report);
  void on_fold(int64_t done, int64_t total);
  void progress(const std::string& line, bool last);
  void clear_progress();

  LogForm form_;
  bool terminal_;
  bool line_open_ = false;
  Timer since_line_;
  Eta eta_;
  std::string stage_;
};

// Set by the first SIGINT or SIGTERM; the second ends the process as usual.
const std::atomic<bool>& stop_requested();
void watch_signals();

}  // namespace danlu::app
