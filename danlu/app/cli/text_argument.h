// A text on the command line: itself, or "-" for what comes in on standard input.
#pragma once

#include <string>

namespace danlu::app {

// Throws FileError if standard input cannot be read.
std::string read_text_argument(const std::string& argument);

}  // namespace danlu::app
