// The documentation against the tree: what it names exists.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

#include "danlu/base/files.h"

namespace danlu {
namespace {

const fs::path kRoot = DANLU_SOURCE_DIR;

std::vector<fs::path> pages() {
  std::vector<fs::path> found = {kRoot / "README.md", kRoot / "README.zh.md", kRoot / "CONTRIBUTING.md"};
  for (const fs::path& path : list_files(kRoot / "docs", true)) found.push_back(path);
  return found;
}

std::vector<std::string> matches(const std::string& text, const std::string& pattern) {
  std::vector<std::string> found;
  const std::regex regex(pattern);
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) found.push_back((*it)[1]);
  return found;
}

TEST(Docs, EveryPathExists) {
  int paths = 0;
  for (const fs::path& page : pages()) {
    const std::string text = read_file(page);
    for (const std::string& link : matches(text, R"(\]\(([\w-]+[./][\w./-]*)\))")) {
      EXPECT_TRUE(fs::exists(page.parent_path() / link)) << page << " links to " << link;
      ++paths;
    }
    // `danlu/engine/ops/` and the like; a name in capitals stands for many.
    for (const std::string& path : matches(text, R"(`((?:danlu|docs|tools|tests|bench|recipes|examples)/[\w./-]*)`)")) {
      if (std::regex_search(path, std::regex("[A-Z]{3}"))) continue;
      EXPECT_TRUE(fs::exists(kRoot / path)) << page << " names " << path;
      ++paths;
    }
  }
  EXPECT_GT(paths, 20);
}

TEST(Docs, EveryMakeTargetExists) {
  const std::string makefile = "\n" + read_file(kRoot / "Makefile");
  for (const fs::path& page : pages()) {
    for (const std::string& target : matches(read_file(page), R"((?:^|[\n`] *)make ([a-z]+))")) {
      EXPECT_NE(makefile.find("\n" + target + ":"), std::string::npos) << page << " says make " << target;
    }
  }
}

TEST(Docs, EveryOperationHasItsRow) {
  const std::string page = read_file(kRoot / "docs/ops.md");
  const auto listed = matches(read_file(kRoot / "danlu/engine/ops/ops.def"), R"(\nOP\((\w+),)");
  EXPECT_GT(listed.size(), 30u);
  for (const std::string& op : listed)
    EXPECT_NE(page.find("`" + op + "`"), std::string::npos) << op << " is not in docs/ops.md";
  for (const std::string& op : matches(page, R"(`([a-z0-9_]+)`[^|]*\|[^|]*`\w+\.h`)"))
    EXPECT_THAT(listed, testing::Contains(op));
}

}  // namespace
}  // namespace danlu
