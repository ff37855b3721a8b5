#include "danlu/app/cli/text_argument.h"

#include <array>
#include <cstdio>

#include "danlu/base/error.h"

namespace danlu::app {

std::string read_text_argument(const std::string& argument) {
  if (argument != "-") return argument;
  std::string text;
  std::array<char, 65536> buffer;
  while (const size_t count = std::fread(buffer.data(), 1, buffer.size(), stdin)) text.append(buffer.data(), count);
  if (std::ferror(stdin) != 0) throw FileError("command line", "cannot read standard input");
  return text;
}

}  // namespace danlu::app
