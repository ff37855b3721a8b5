// Names that users write, and the files that they mean.
#include <algorithm>
#include <array>
#include <set>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/text/text_source.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.text";
constexpr std::array kExtensions{".txt", ".text", ".md", ".jsonl", ".ndjson"};

bool is_text_file(const fs::path& path) {
  const std::string name = path.filename().string();
  if (name.starts_with('.')) return false;
  if (name.find('.') == std::string::npos) return true;
  const fs::path plain = path.extension() == ".gz" ? path.stem() : path.filename();
  return std::find(kExtensions.begin(), kExtensions.end(), plain.extension()) != kExtensions.end();
}

// Whether `text` has the form of `pattern`. Time is at most the product of their lengths.
bool matches(std::string_view pattern, std::string_view text) {
  // state[j]: the pattern so far matches the first j bytes of the text.
  std::vector<char> state(text.size() + 1, 0), next(text.size() + 1);
  state[0] = 1;
  while (!pattern.empty()) {
    const bool deep = pattern.starts_with("**"), star = pattern.front() == '*';
    // "**/" stands for no directory at all, too.
    const bool optional_slash = pattern.starts_with("**/");
    for (size_t j = 0; j <= text.size(); ++j) {
      if (star) {
        next[j] = state[j] || (j > 0 && next[j - 1] && (deep || text[j - 1] != '/'));
      } else {
        next[j] = j > 0 && state[j - 1] && (pattern.front() == '?' ? text[j - 1] != '/' : text[j - 1] == pattern.front());
      }
    }
    if (optional_slash) {
      for (size_t j = 0; j <= text.size(); ++j) next[j] = state[j] || (j > 0 && next[j] && text[j - 1] == '/');
    }
    pattern.remove_prefix(optional_slash ? 3 : deep ? 2 : 1);
    state.swap(next);
  }
  return state[text.size()] != 0;
}

std::vector<fs::path> files_of_pattern(const std::string& pattern) {
  const size_t first = pattern.find_first_of("*?");
  const size_t slash = pattern.rfind('/', first);
  const fs::path root = slash == std::string::npos ? "." : slash == 0 ? "/" : pattern.substr(0, slash);
  const bool recursive = pattern.find('/', first) != std::string::npos || pattern.find("**") != std::string::npos;
  std::vector<fs::path> files;
  if (std::error_code ignored; !fs::is_directory(root, ignored)) return files;
  for (const fs::path& file : list_files(root, recursive)) {
    const std::string name = slash == std::string::npos ? file.lexically_relative(".").string() : file.string();
    if (matches(pattern, name)) files.push_back(name);
  }
  return files;
}

std::vector<fs::path> files_of(const std::string& name) {
  std::error_code ignored;
  if (fs::is_directory(name, ignored)) {
    std::vector<fs::path> files = list_files(name, true);
    std::erase_if(files, [](const fs::path& file) { return !is_text_file(file); });
    if (files.empty()) {
      throw FileError(kWhere, fmt::format("got directory {} without text files; expected {} (or with .gz behind), or names "
                                          "without a dot; others can be named by a pattern: \"{}/*\"",
                                          name, fmt::join(kExtensions, ", "), name));
    }
    return files;
  }
  if (fs::exists(name, ignored)) return {name};
  if (name.find_first_of("*?") == std::string::npos) {
    throw FileError(kWhere, fmt::format("cannot find {}; check the spelling and the working directory", name));
  }
  std::vector<fs::path> files = files_of_pattern(name);
  if (files.empty()) throw FileError(kWhere, fmt::format("got pattern {}, which no file matches", name));
  return files;
}

}  // namespace

std::vector<fs::path> find_text_files(const std::vector<std::string>& names) {
  std::vector<fs::path> files;
  std::set<fs::path> seen;
  for (const std::string& name : names) {
    for (fs::path& file : files_of(name)) {
      if (seen.insert(fs::weakly_canonical(file)).second) files.push_back(std::move(file));
    }
  }
  if (files.empty()) throw FileError(kWhere, "got no files; expected the name of a text file or a directory");
  return files;
}

}  // namespace danlu::data
