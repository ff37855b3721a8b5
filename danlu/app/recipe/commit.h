// Which sources a run was started from, for its record.
#pragma once

#include <string>

namespace danlu::app {

// The commit that the working directory's repository is at, with "+" if tracked files have changed since; empty outside
// of one or without git.
std::string git_commit();

}  // namespace danlu::app
