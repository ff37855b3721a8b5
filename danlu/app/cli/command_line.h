// `danlu VERB ...`: from the words of the command line to a verb at work and an exit code.
#pragma once

namespace danlu::app {

constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;  // a command line or a recipe that makes no sense
constexpr int kBelowGates = 3;  // finished and measured; a quality gate of the recipe is not kept

// Never throws: every error becomes one line on standard error, `danlu: [where] message`.
int run_command_line(int argc, char** argv);

}  // namespace danlu::app
