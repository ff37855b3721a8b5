// The house rules of tools/layers.txt, include by include: rooms include only lower rooms, each third-party library
// stays behind the .cpp files of one room, and no unit test is left out of the binaries that ctest runs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "danlu/base/files.h"
#include "danlu/base/format.h"

namespace danlu {
namespace {

using Words = std::vector<std::string>;

struct Layers {
  std::map<std::string, Words> rooms;      // room -> what it may include
  Words room_order;                        // as on the page
  std::map<std::string, Words> libraries;  // start of a header's name -> its owners
  Words system;
};

Layers parse_layers(const std::string& text) {
  Layers layers;
  std::string section;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    line = line.substr(0, line.find('#'));
    if (line.starts_with('[')) section = line.substr(1, line.find(']') - 1);
    const size_t colon = line.find(':');
    if (line.starts_with('[') || line.find_first_not_of(' ') == std::string::npos) continue;
    Words words;
    std::istringstream rest(line.substr(colon == std::string::npos ? 0 : colon + 1));
    for (std::string word; rest >> word;) words.push_back(word);
    if (section == "rooms")
      layers.rooms[line.substr(0, colon)] = words, layers.room_order.push_back(line.substr(0, colon));
    if (section == "libraries") layers.libraries[line.substr(0, colon)] = words;
    if (section == "system") layers.system.insert(layers.system.end(), words.begin(), words.end());
  }
  return layers;
}

bool is_within(std::string_view path, std::string_view folder) {
  return path == folder || (path.starts_with(folder) && path[folder.size()] == '/');
}

// "danlu/engine/ops/norm.h" -> "engine/ops"; empty if no room of the list holds it.
std::string room_of(const Layers& layers, std::string_view path) {
  path.remove_prefix(std::min(path.size(), std::string_view("danlu/").size()));
  for (const auto& [room, unused] : layers.rooms) {
    if (is_within(path, room)) return room;
  }
  return "";
}

// The names between <> or "" of a file's #include lines.
Words includes_of(const std::string& text) {
  Words names;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("#include ")) continue;
    const size_t open = line.find_first_of("<\"");
    if (open == std::string::npos) continue;  // a macro of Highway
    names.push_back(line.substr(open + 1, line.find_first_of(">\"", open + 1) - open - 1));
  }
  return names;
}

// Tests, and what they share within a room.
bool is_test(std::string_view file) { return file.ends_with("_test.cpp") || file.ends_with("/testing.h"); }

bool may_use_library(const Layers& layers, const std::string& file, const Words& owners) {
  const bool is_source = file.ends_with(".cpp") || file.ends_with(".inl.h");
  return std::any_of(owners.begin(), owners.end(), [&](const std::string& owner) {
    if (owner == file) return true;
    if (owner == "tests") return is_test(file);
    if (owner == "sources") return is_source;
    return is_source && (file.ends_with("_test.cpp") || room_of(layers, file) == owner);
  });
}

// Why `file` may not include `name`, or an empty string.
std::string violation(const Layers& layers, const std::string& file, const std::string& name) {
  for (const auto& [prefix, owners] : layers.libraries) {
    if (name.starts_with(prefix) && !may_use_library(layers, file, owners)) {
      return fmt::format("{} includes {}, which belongs to {}", file, name, fmt::join(owners, ", "));
    }
    if (name.starts_with(prefix) && !name.starts_with("danlu/")) return "";
  }
  if (!name.starts_with("danlu/")) {
    const bool standard = name.find_first_of("./") == std::string::npos;
    const bool known = std::any_of(layers.system.begin(), layers.system.end(),
                                   [&](const std::string& prefix) { return name.starts_with(prefix); });
    return standard || known ? "" : fmt::format("{} includes {}, which tools/layers.txt does not know", file, name);
  }
  if (is_test(name) && !is_test(file)) return fmt::format("{} includes {}, which is for tests", file, name);
  const std::string from = room_of(layers, file), to = room_of(layers, name);
  if (from.empty()) return fmt::format("{} is in no room of tools/layers.txt", file);
  if (from == to) return "";
  const std::string target = name.substr(std::string_view("danlu/").size());
  for (const std::string& allowed : layers.rooms.at(from)) {
    if (is_within(target, allowed)) return "";
  }
  return fmt::format("{} includes {}: {} may include {}", file, name, from, fmt::join(layers.rooms.at(from), ", "));
}

const fs::path kRoot = DANLU_SOURCE_DIR;

Layers house_rules() { return parse_layers(read_file(kRoot / "tools/layers.txt")); }

std::string in_tree(const fs::path& path) { return fs::relative(path, kRoot).generic_string(); }

bool is_code(const fs::path& path) {
  return path.extension() == ".h" || path.extension() == ".cpp" || path.extension() == ".def";
}

TEST(Layers, EveryIncludeIsAllowed) {
  const Layers layers = house_rules();
  int files = 0;
  for (const fs::path& path : list_files(kRoot / "danlu", true)) {
    if (!is_code(path)) continue;
    ++files;
    for (const std::string& name : includes_of(read_file(path))) {
      EXPECT_EQ(violation(layers, in_tree(path), name), "");
      EXPECT_TRUE(!name.starts_with("danlu/") || fs::exists(kRoot / name)) << in_tree(path) << " includes " << name;
    }
  }
  EXPECT_GT(files, 50) << "the tree was found";
}

TEST(Layers, RoomsAreListedLowestFirst) {
  // A room may name only rooms above it on the page, so the rules themselves have no cycle.
  const Layers layers = house_rules();
  Words above;
  for (const std::string& room : layers.room_order) {
    for (const std::string& word : layers.rooms.at(room)) {
      EXPECT_TRUE(
          std::any_of(above.begin(), above.end(),
                      [&](const std::string& higher) { return is_within(higher, word) || is_within(word, higher); }))
          << room << " may include " << word << ", which stands below it or is no room";
    }
    above.push_back(room);
  }
  EXPECT_GT(above.size(), 5u);
}

TEST(Layers, PlantedViolationsAreFound) {
  using testing::HasSubstr;
  const Layers layers = house_rules();
  const auto words = [&](const char* file, const char* name) { return violation(layers, file, name); };
  EXPECT_THAT(words("danlu/base/json.cpp", "danlu/data/table/table.h"), HasSubstr("base may include"));
  EXPECT_THAT(words("danlu/engine/kernels/gemm.h", "danlu/engine/tensor/tensor.h"),
              HasSubstr("engine/kernels may include base"));
  EXPECT_THAT(words("danlu/eval/report.cpp", "danlu/learn/models/mlp.h"), HasSubstr("eval may include"));
  EXPECT_THAT(words("danlu/infer/predictor.cpp", "danlu/learn/train/trainer.h"), HasSubstr("infer may include"));
  EXPECT_THAT(words("danlu/serve/server.cpp", "danlu/app/recipe/recipe.h"), HasSubstr("serve may include"));
  EXPECT_THAT(words("danlu/utils/strings.cpp", "danlu/base/error.h"), HasSubstr("in no room"));
  EXPECT_THAT(words("danlu/data/image/png.h", "png.h"), HasSubstr("belongs to data")) << "in a header";
  EXPECT_THAT(words("danlu/serve/server.cpp", "png.h"), HasSubstr("belongs to data")) << "in another room";
  EXPECT_THAT(words("danlu/learn/train/trainer.cpp", "nlohmann/json.hpp"), HasSubstr("belongs to danlu/base/json.h"));
  EXPECT_THAT(words("danlu/data/table/table.h", "danlu/base/format.h"), HasSubstr("belongs to sources"));
  EXPECT_THAT(words("danlu/data/table/table.cpp", "gtest/gtest.h"), HasSubstr("belongs to tests"));
  EXPECT_THAT(words("danlu/data/table/table.cpp", "danlu/data/table/testing.h"), HasSubstr("for tests"));
  EXPECT_THAT(words("danlu/data/table/table.cpp", "boost/any.hpp"), HasSubstr("does not know"));
  EXPECT_EQ(words("danlu/data/image/png.cpp", "png.h"), "");
  EXPECT_EQ(words("danlu/data/table/table.cpp", "danlu/base/format.h"), "");
  EXPECT_EQ(words("danlu/app/cli/main.cpp", "danlu/serve/server.h"), "");
  EXPECT_EQ(words("danlu/infer/predictor.cpp", "danlu/learn/models/mlp.h"), "");
}

TEST(Layers, IncludesAreReadFromText) {
  EXPECT_THAT(
      includes_of("#include <vector>\n// #include <no.h>\n#include \"danlu/base/error.h\"  // why\n#include MACRO\n"),
      testing::ElementsAre("vector", "danlu/base/error.h"));
}

TEST(Tests, NoneIsLost) {
  // DANLU_TEST_SOURCES is written by CMake from what it compiles; the tree is what it should have compiled.
  Words compiled;
  std::istringstream lines(read_file(DANLU_TEST_SOURCES));
  for (std::string line; std::getline(lines, line);) compiled.push_back(in_tree(line));
  for (const char* folder : {"danlu", "tests"}) {
    for (const fs::path& path : list_files(kRoot / folder, true)) {
      if (!path.string().ends_with("_test.cpp")) continue;
      EXPECT_THAT(compiled, testing::Contains(in_tree(path))) << "is in no test binary";
    }
  }
}

}  // namespace
}  // namespace danlu
