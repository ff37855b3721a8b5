#include "danlu/app/recipe/split_file.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::app {
namespace {

std::vector<int64_t> read_indexes(const Json& json, const char* part, int64_t size, const fs::path& file) {
  std::vector<int64_t> indexes;
  try {
    indexes = json.at(part).get<std::vector<int64_t>>();
  } catch (const Json::exception& error) {
    throw DataError("app.split", fmt::format("{}: {}: {}", file.string(), part, error.what()));
  }
  for (const int64_t i : indexes) {
    if (i < 0 || i >= size) throw DataError("app.split", fmt::format("{}: {}: got sample {} of {}", file.string(), part, i, size));
  }
  return indexes;
}

}  // namespace

Json to_json(const data::Split& split) { return {{"train", split.train}, {"validation", split.validation}, {"test", split.test}}; }

data::Split read_split(const fs::path& file, int64_t size) {
  const Json json = read_json(file);
  const auto part = [&](const char* name) { return read_indexes(json, name, size, file); };
  return {part("train"), part("validation"), part("test")};
}

}  // namespace danlu::app
