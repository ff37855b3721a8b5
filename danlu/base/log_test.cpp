#include "danlu/base/log.h"

#include <gtest/gtest.h>

#include <vector>

namespace danlu {

TEST(Log, GoesToTheSinkAndNowhereElse) {
  log_info("base", "dropped: there is no sink");
  std::vector<std::string> lines;
  LogSink before = set_log_sink([&](const LogRecord& r) {
    lines.push_back(std::string(log_level_name(r.level)) + " [" + std::string(r.where) + "] " + std::string(r.message));
  });
  log_warning("data.table", "3 rows dropped");
  set_log_sink(std::move(before));
  log_warning("data.table", "dropped too");
  EXPECT_EQ(lines, std::vector<std::string>{"warning [data.table] 3 rows dropped"});
}

}  // namespace danlu
