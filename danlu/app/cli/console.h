// What the program says, in the form that was asked for.
//
//   text    results on standard output, progress and warnings on standard error
//   json    a line of JSON for everything, on standard output: {"event": "epoch", ...}
//   quiet   results that were asked for, warnings and errors
#pragma once

#include <memory>
#include <string>

#include "danlu/app/recipe/pipeline.h"
#include "danlu/base/json.h"

namespace danlu::app {

class Progress;

enum class LogForm { text, json, quiet };

class Console {
 public:
  explicit Console(LogForm form);  // becomes the sink of the library's log
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  LogForm form() const { return form_; }
  // What the user asked to see: `text`, or `json` as a line.
  void result(const std::string& text, const Json& json);
  // What happens on the way: not when quiet.
  void note(const std::string& text, const Json& event);
  // The time that is left is that of another piece of work from now on.
  void restart_progress();
  void warn(const std::string& where, const std::string& text);

  // What a run calls. It refers to this console. A signal then stops the run in an orderly way.
  Observer observer();

 private:
  void write(const std::string& text);
  LogForm form_;
  std::unique_ptr<Progress> progress_;
};

}  // namespace danlu::app
