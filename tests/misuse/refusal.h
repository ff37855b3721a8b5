// What every refusal has in common: its exit code, one line that tells, and no trace.
#pragma once

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/program.h"

namespace danlu::test {

constexpr int kFailed = 1;
constexpr int kUsage = 2;

inline std::vector<std::string> names_of(const std::map<std::string, std::string>& files) {
  std::vector<std::string> names;
  for (const auto& [name, bytes] : files) names.push_back(name);
  return names;
}

// The program ends with `code` and says one line on standard error, `danlu: [where] ...`, with each of `words` in it.
// No file is new, gone or other than it was: no half of a run is there, and no earlier run is lost.
inline void expect_refused(const Project& project, const Words& arguments, int code, const Words& words,
                           const Words& environment = {}) {
  SCOPED_TRACE(fmt::format("danlu {}", fmt::join(arguments, " ")));
  const auto before = project.files();
  const Outcome outcome = project.danlu(arguments, environment);
  EXPECT_EQ(outcome.code, code) << outcome;
  EXPECT_THAT(outcome.err, testing::StartsWith("danlu: ["));
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  for (const std::string& word : words) EXPECT_THAT(outcome.err, testing::HasSubstr(word));
  const auto after = project.files();
  EXPECT_EQ(names_of(after), names_of(before));
  EXPECT_TRUE(after == before) << "a file has changed";
}

}  // namespace danlu::test
