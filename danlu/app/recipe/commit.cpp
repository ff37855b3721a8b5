#include "danlu/app/recipe/commit.h"

#include <array>
#include <cstdio>
#include <memory>

namespace danlu::app {
namespace {

std::string output_of(const char* command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command, "r"), ::pclose);
  std::string text;
  std::array<char, 256> buffer;
  while (pipe && std::fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr) text += buffer.data();
  return text;
}

}  // namespace

std::string git_commit() {
  const std::string line = output_of("git rev-parse HEAD 2>/dev/null");
  if (line.empty()) return "";
  const bool changed = !output_of("git status --porcelain --untracked-files=no 2>/dev/null").empty();
  return line.substr(0, line.find('\n')) + (changed ? "+" : "");
}

}  // namespace danlu::app
