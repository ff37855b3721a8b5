#include "danlu/app/recipe/source_table.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/table/read_table.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.data";

}  // namespace

void require_source(const char* key, const std::string& path) {
  if (!fs::exists(path)) throw FileError(kWhere, fmt::format("{}: there is no {}; tools/fetch brings public data sets", key, path));
}

data::Table read_source_table(const DataSection& options, const char* of) {
  require_source("data.source", options.source);
  if (fs::is_directory(options.source)) {
    throw ConfigError(kWhere, fmt::format("data.source: {} is a directory; expected a table {}", options.source, of));
  }
  return data::read_table(options.source, options.csv);
}

}  // namespace danlu::app
