// A file of events, a line of JSON each. What append() has returned from is there after a crash; a line that was cut off by one is
// removed when the file is opened again.
#pragma once

#include <vector>

#include "danlu/base/files.h"
#include "danlu/base/json.h"

namespace danlu::tune {

class Journal {
 public:
  // Throws DataError naming the line of what is no JSON, where it is not the last.
  explicit Journal(const fs::path& path);

  const std::vector<Json>& events() const { return events_; }  // those of earlier sessions
  void append(const Json& event);

 private:
  static std::vector<Json> read(const fs::path& path);

  std::vector<Json> events_;
  LineAppender file_;
};

}  // namespace danlu::tune
