// Runs as tables: a list, two or more side by side, a file for other programs.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "danlu/app/registry/run_registry.h"

namespace danlu::app {

// A line a run: name, status, when, how long, tags, and the values of `keys`, else the first two results.
std::string list_text(const RunRegistry& registry, std::span<const registry::Run> runs, std::span<const std::string> keys);
Json list_json(const RunRegistry& registry, std::span<const registry::Run> runs);

// Rows of names and values, a column for each run. `text` is a table under `title`.
struct SideBySide {
  std::string title;
  std::vector<std::pair<std::string, std::vector<std::string>>> rows;  // "-" where a run has no such value

  std::string text() const;
  Json json() const;  // {row: [values]}
};

// What went in and is not the same: program, data, options.
SideBySide differences(std::span<const registry::RunRecord> records);
// What came out: measures on held-out data; and what it took.
SideBySide quality(std::span<const registry::RunRecord> records);
SideBySide cost(std::span<const registry::RunRecord> records);

// Everything as a table with a header, for pandas or a spreadsheet: CSV as in RFC 4180.
std::string export_csv(const RunRegistry& registry, std::span<const registry::RunRecord> records);
// A JSON object a line: the same and the history of every metric, artefacts and run.json.
std::string export_jsonl(const RunRegistry& registry, std::span<const registry::RunRecord> records);

}  // namespace danlu::app
