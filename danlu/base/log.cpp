#include "danlu/base/log.h"

#include <mutex>
#include <utility>

namespace danlu {
namespace {

struct Sink {
  std::mutex mutex;
  LogSink function;
};

Sink& sink() {
  static Sink instance;
  return instance;
}

}  // namespace

LogSink set_log_sink(LogSink function) {
  std::lock_guard lock(sink().mutex);
  return std::exchange(sink().function, std::move(function));
}

void log(LogLevel level, std::string_view where, std::string_view message) {
  std::lock_guard lock(sink().mutex);
  if (sink().function) sink().function({level, where, message});
}

const char* log_level_name(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warning: return "warning";
    case LogLevel::error: return "error";
  }
  return "?";
}

}  // namespace danlu
