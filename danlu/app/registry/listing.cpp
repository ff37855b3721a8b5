#include "danlu/app/registry/listing.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "danlu/base/eta.h"
#include "danlu/base/format.h"
#include "danlu/data/table/csv.h"
#include "danlu/eval/text_table.h"

namespace danlu::app {
namespace {

using eval::TextTable;
using registry::Result;
using registry::Run;
using registry::RunRecord;

constexpr auto kLeft = TextTable::Align::left, kRight = TextTable::Align::right;

std::string number(double value) { return std::isnan(value) ? "-" : fmt::format("{:.4f}", value); }

// A count, or seconds.
std::string amount(double value) {
  const bool whole = std::abs(value) < 1e15 && value == std::round(value);
  return whole ? fmt::format("{}", static_cast<int64_t>(value)) : number(value);
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : eval::display_text(text); }

// What is not measured on held-out data.
bool is_cost(const std::string& name) {
  return name.starts_with("training.") || name == "parameters" || name == "peak_memory_bytes" || name.ends_with("_per_second");
}

std::string value_of(const Run& run, const std::string& key) {
  for (const Result& result : run.results) {
    if (result.name == key) return is_cost(key) ? amount(result.value) : number(result.value);
  }
  return "-";
}

std::string joined(const std::vector<std::string>& words, const char* between = ", ") { return fmt::format("{}", fmt::join(words, between)); }

// "accuracy 0.9912, f1 0.9930": the first two.
std::string quality_text(const Run& run) {
  std::vector<std::string> words;
  for (const Result& result : run.results) {
    if (!is_cost(result.name) && words.size() < 2) words.push_back(fmt::format("{} {}", result.name, number(result.value)));
  }
  return words.empty() ? "-" : joined(words);
}

// The values of every run under each name, in the order in which names come up first.
template <class Values>
SideBySide aligned(std::string title, std::span<const RunRecord> records, const Values& values_of) {
  SideBySide table{std::move(title), {}};
  std::map<std::string, size_t> places;
  for (size_t i = 0; i < records.size(); ++i) {
    for (const auto& [name, value] : values_of(records[i])) {
      const auto [place, is_new] = places.emplace(name, table.rows.size());
      if (is_new) table.rows.emplace_back(name, std::vector<std::string>(records.size(), "-"));
      table.rows[place->second].second[i] = value;
    }
  }
  return table;
}

using Named = std::vector<std::pair<std::string, std::string>>;

Named results_of(const RunRecord& record, bool cost) {
  Named values;
  for (const Result& result : record.run.results) {
    if (is_cost(result.name) == cost) values.emplace_back(result.name, cost ? amount(result.value) : number(result.value));
  }
  return values;
}

// For a column of a terminal; the JSON form has it whole.
std::string shortened(const std::string& text) {
  constexpr size_t kLongest = 40;
  if (text.size() <= kLongest) return text;
  size_t end = kLongest - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // not within a character
  return text.substr(0, end) + "...";
}

std::string shortest(double value) { return std::isnan(value) ? "" : fmt::format("{}", value); }

}  // namespace

std::string list_text(const RunRegistry& registry, std::span<const Run> runs, std::span<const std::string> keys) {
  const bool tagged = std::any_of(runs.begin(), runs.end(), [](const Run& run) { return !run.tags.empty(); });
  std::vector<TextTable::Align> alignment(3, kLeft);
  alignment.push_back(kRight);
  if (tagged) alignment.push_back(kLeft);
  alignment.push_back(keys.empty() ? kLeft : kRight);
  TextTable table(alignment);
  std::vector<std::string> head = {"run", "status", "started", "training"};
  if (tagged) head.emplace_back("tags");
  if (keys.empty()) head.emplace_back("on held-out data");
  head.insert(head.end(), keys.begin(), keys.end());
  table.add_row(std::move(head));
  for (const Run& run : runs) {
    std::vector<std::string> row = {eval::display_text(registry.shown(run.key)), or_dash(run.status), or_dash(run.started),
                                    run.seconds ? format_duration(*run.seconds) : "-"};
    if (tagged) row.push_back(or_dash(joined(run.tags)));
    if (keys.empty()) row.push_back(quality_text(run));
    for (const std::string& key : keys) row.push_back(value_of(run, key));
    table.add_row(std::move(row));
  }
  return table.str(0);
}

Json list_json(const RunRegistry& registry, std::span<const Run> runs) {
  Json all = Json::array();
  for (const Run& run : runs) {
    Json metrics = Json::object();
    for (const Result& result : run.results) metrics[result.name] = result.value;
    all.push_back({{"name", registry.shown(run.key)}, {"kind", run.kind}, {"status", run.status}, {"started", run.started}, {"finished", run.finished},
                   {"seconds", run.seconds ? Json(*run.seconds) : Json(nullptr)}, {"tags", run.tags}, {"metrics", std::move(metrics)}});
  }
  return all;
}

std::string SideBySide::text() const {
  TextTable table({kLeft, kRight});
  for (const auto& [name, values] : rows) {
    std::vector<std::string> row = {eval::display_text(name)};
    for (const std::string& value : values) row.push_back(or_dash(shortened(value)));
    table.add_row(std::move(row));
  }
  return title + "\n" + (rows.empty() ? "  none\n" : table.str());
}

Json SideBySide::json() const {
  Json all = Json::object();
  for (const auto& [name, values] : rows) all[name] = values;
  return all;
}

SideBySide differences(std::span<const RunRecord> records) {
  SideBySide table = aligned("what went in and differs", records, [](const RunRecord& record) {
    const Run& r = record.run;
    Named values = {{"danlu", r.danlu}, {"git_commit", r.git_commit}, {"data_hash", r.data_hash}};
    for (const registry::Param& param : record.params) {
      if (param.name != "name") values.emplace_back(param.name, param.value);
    }
    return values;
  });
  std::erase_if(table.rows, [](const auto& row) {
    return std::all_of(row.second.begin(), row.second.end(), [&](const std::string& value) { return value == row.second.front(); });
  });
  return table;
}

SideBySide quality(std::span<const RunRecord> records) {
  return aligned("on held-out data", records, [](const RunRecord& record) { return results_of(record, false); });
}

SideBySide cost(std::span<const RunRecord> records) {
  return aligned("what it took", records, [](const RunRecord& record) { return results_of(record, true); });
}

std::string export_csv(const RunRegistry& registry, std::span<const RunRecord> records) {
  std::vector<std::string> columns = {"run", "parent", "kind", "status", "stage", "error", "started", "finished", "seconds", "tags", "danlu", "git_commit", "data_hash",
                                      "recipe_hash", "weights_hash"};
  std::set<std::string> results, params;
  for (const RunRecord& record : records) {
    for (const Result& result : record.run.results) results.insert(result.name);
    for (const registry::Param& param : record.params) params.insert(param.name);
  }
  columns.insert(columns.end(), results.begin(), results.end());
  columns.insert(columns.end(), params.begin(), params.end());
  std::string csv;
  const auto add = [&](const std::vector<std::string>& cells) {
    for (size_t i = 0; i < cells.size(); ++i) csv += (i == 0 ? "" : ",") + data::csv_cell(cells[i]);
    csv += "\r\n";
  };
  add(columns);
  for (const RunRecord& record : records) {
    const Run& r = record.run;
    std::vector<std::string> row = {registry.shown(r.key), r.parent, r.kind, r.status, r.stage, r.error, r.started, r.finished, r.seconds ? shortest(*r.seconds) : "",
                                    joined(r.tags, " "), r.danlu, r.git_commit, r.data_hash, r.recipe_hash, r.weights_hash};
    std::map<std::string, std::string> values;
    for (const Result& result : r.results) values[result.name] = shortest(result.value);
    for (const std::string& name : results) row.push_back(values[name]);
    values.clear();
    for (const registry::Param& param : record.params) values[param.name] = param.value;
    for (const std::string& name : params) row.push_back(values[name]);
    add(row);
  }
  return csv;
}

std::string export_jsonl(const RunRegistry& registry, std::span<const RunRecord> records) {
  std::string lines;
  for (const RunRecord& record : records) {
    const Run& r = record.run;
    Json json = list_json(registry, {&r, 1})[0];
    json.update({{"parent", r.parent}, {"danlu", r.danlu}, {"git_commit", r.git_commit}, {"data_hash", r.data_hash},
                 {"recipe_hash", r.recipe_hash}, {"weights_hash", r.weights_hash}, {"recipe", record.recipe}, {"stage", r.stage}, {"error", r.error},
                 {"params", Json::object()}, {"history", Json::object()}, {"artefacts", Json::array()}});
    json["info"] = Json::parse(record.info, nullptr, false);
    for (const registry::Param& param : record.params) json["params"][param.name] = param.number ? Json(*param.number) : Json(param.value);
    for (const registry::Metric& metric : record.metrics) json["history"][metric.name].push_back({metric.step, metric.value});
    for (const registry::Artefact& artefact : record.artefacts) {
      json["artefacts"].push_back({{"path", artefact.path}, {"hash", artefact.hash}, {"bytes", artefact.bytes}});
    }
    lines += to_line(json) + "\n";
  }
  return lines;
}

}  // namespace danlu::app
