#include "danlu/data/table/read_table.h"

#include <algorithm>
#include <cctype>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/table/arff.h"
#include "danlu/data/table/source_text.h"

namespace danlu::data {
namespace {

// ".csv" of "train.CSV.gz".
std::string extension_of(const fs::path& path) {
  fs::path name = path.filename();
  if (name.extension() == ".gz") name = name.stem();
  std::string extension = name.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return extension;
}

Json parse_lines(std::string_view text, const std::string& source) {
  Json rows = Json::array();
  int64_t number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    rows.push_back(parse_json(line, fmt::format("{} line {}", source, number)));
  }
  return rows;
}

}  // namespace

bool is_table_file(const fs::path& path) {
  const std::string extension = extension_of(path);
  for (const char* known : {".csv", ".tsv", ".tab", ".txt", ".arff", ".json", ".jsonl"}) {
    if (extension == known) return true;
  }
  return false;
}

Table read_table(const fs::path& path, const CsvOptions& options) {
  const std::string extension = extension_of(path);
  if (extension == ".arff") return read_arff(path);
  if (extension == ".json") return table_from_rows(parse_json(read_text(path), path.string()), path.string());
  if (extension == ".jsonl") return table_from_rows(parse_lines(read_text(path), path.string()), path.string());
  if (extension == ".tsv" || extension == ".tab") {
    CsvOptions tabs = options;
    if (tabs.delimiter == "auto") tabs.delimiter = "tab";
    return read_csv(path, tabs);
  }
  if (!is_table_file(path)) {
    throw DataError("data.table",
                    fmt::format("{}: got extension \"{}\"; expected .csv, .tsv, .txt, .arff, .json or .jsonl, "
                                "each also with .gz",
                                path.string(), extension));
  }
  return read_csv(path, options);
}

}  // namespace danlu::data
