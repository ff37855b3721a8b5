// Messages from the library to whoever runs it. Nothing is printed here: records go to one sink that the program sets
// (app/cli prints them as text or JSON); without a sink they are dropped.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace danlu {

enum class LogLevel { debug, info, warning, error };

struct LogRecord {
  LogLevel level;
  std::string_view where;    // room and noun, as in Error
  std::string_view message;  // one line
};

using LogSink = std::function<void(const LogRecord&)>;

// Replaces the sink; returns the old one. Safe to call from any thread.
LogSink set_log_sink(LogSink sink);

// Sends a record to the sink. Safe to call from any thread; calls of the sink are serialised.
void log(LogLevel level, std::string_view where, std::string_view message);
inline void log_info(std::string_view where, std::string_view message) { log(LogLevel::info, where, message); }
inline void log_warning(std::string_view where, std::string_view message) { log(LogLevel::warning, where, message); }

const char* log_level_name(LogLevel level);

}  // namespace danlu
