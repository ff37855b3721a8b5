#include "danlu/data/table/report.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "danlu/base/format.h"
#include "danlu/data/table/leak.h"
#include "danlu/data/table/source_text.h"
#include "danlu/data/table/statistics.h"
#include "danlu/data/table/values.h"

namespace danlu::data {
namespace {

// A limit's fifth is worth a word.
constexpr double kWarn = 0.2;
// A class with a smaller share needs care in training and in measuring.
constexpr double kRareClass = 0.1;  // of the rows that it would have if all classes had as many
// A target of more distinct numbers than this is a quantity.
constexpr int64_t kMostNumberClasses = 20;
constexpr size_t kFrequent = 5;

// The replacement character, control characters, and UTF-8 that was once read as Latin-1 and written again.
bool has_fault(Cell cell) {
  for (const char* broken : {"\xEF\xBF\xBD", "\xC3\x83\xC2", "\xC3\x82\xC2", "\xC3\xA2\xE2\x82\xAC"}) {
    if (cell.find(broken) != Cell::npos) return true;
  }
  return std::any_of(cell.begin(), cell.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n' && c != '\r' && c != '\t') || byte == 0x7F;
  });
}

double count_characters(Cell cell) {
  return static_cast<double>(std::count_if(cell.begin(), cell.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

bool is_quantity(ColumnType type) { return type == ColumnType::number || type == ColumnType::date; }

std::string percent(double share) { return fmt::format("{:.3g} %", 100 * share); }

double share(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

using ValueCounts = std::vector<std::pair<std::string_view, int64_t>>;

// Most frequent first, equals by name.
ValueCounts count_values(const Column& column) {
  std::unordered_map<std::string_view, int64_t> counts;
  for (const Cell cell : column.cells) {
    if (!is_missing(cell)) ++counts[cell];
  }
  ValueCounts ranked(counts.begin(), counts.end());
  std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  return ranked;
}

class Reporter {
 public:
  Reporter(const Table& table, const Schema& schema, const std::string& target, const ReportOptions& options)
      : table_(table), schema_(schema), options_(options), rows_(all_rows(table)) {
    report_.source = table.source();
    report_.target = target;
    report_.rows = table.num_rows();
    if (!target.empty()) target_ = table.column_index(target);
  }

  TableReport run() {
    for (int64_t c = 0; c < table_.num_columns(); ++c) look_at_column(c);
    look_at_rows();
    if (target_) look_at_target();
    std::stable_sort(report_.findings.begin(), report_.findings.end(),
                     [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
    return std::move(report_);
  }

 private:
  void find(Severity severity, const char* check, const std::string& column, std::string text) {
    report_.findings.push_back({severity, check, column, std::move(text)});
  }

  // A failure above the limit, a warning above `warn`.
  void judge(double value, double limit, double warn, const char* check, const std::string& column,
             const std::string& text) {
    if (value > limit)
      find(Severity::failure, check, column, fmt::format("{} (limit {})", text, percent(limit)));
    else if (value > warn)
      find(Severity::warning, check, column, text);
  }

  void look_at_column(int64_t c) {
    const Column& column = table_.column(c);
    ColumnReport entry;
    entry.schema = schema_.column(column.name);
    const ValueCounts counts = count_values(column);
    entry.distinct = static_cast<int64_t>(counts.size());
    for (size_t i = 0; i < std::min(kFrequent, counts.size()); ++i) entry.frequent.emplace_back(counts[i]);

    std::vector<double> sizes;
    std::string first_bad;
    for (int64_t r = 0; r < table_.num_rows(); ++r) {
      const Cell cell = table_.cell(r, c);
      if (is_missing(cell)) {
        ++entry.missing;
        continue;
      }
      entry.encoding_faults += has_fault(cell);
      if (!is_quantity(entry.schema.type)) {
        sizes.push_back(count_characters(cell));
        continue;
      }
      const auto value = entry.schema.type == ColumnType::date ? parse_date(cell) : parse_number(cell);
      if (value && std::isfinite(*value)) {
        sizes.push_back(*value);
      } else if (++entry.bad_cells == 1) {
        first_bad = fmt::format("{}:{} {}", table_.source(), table_.line(r), shown(cell));
      }
    }
    std::sort(sizes.begin(), sizes.end());
    if (!sizes.empty()) {
      for (const double q : {0.0, 0.25, 0.5, 0.75, 1.0}) entry.quartiles.push_back(quantile_of(sizes, q));
    }
    judge_column(entry, first_bad);
    report_.columns.push_back(std::move(entry));
  }

  void judge_column(const ColumnReport& entry, const std::string& first_bad) {
    const std::string& name = entry.schema.name;
    const double missing = share(entry.missing, report_.rows);
    judge(missing, options_.max_missing, kWarn * options_.max_missing, "missing", name,
          fmt::format("{} of the cells are missing", percent(missing)));
    if (entry.bad_cells > 0) {
      const double bad = share(entry.bad_cells, report_.rows);
      judge(bad, options_.max_bad_cells, 0, "bad_cells", name,
            fmt::format("{} cells are no {}, the first at {}", entry.bad_cells, name_of(entry.schema.type), first_bad));
    }
    const double faults = share(entry.encoding_faults, report_.rows);
    judge(faults, options_.max_encoding_faults, 0, "encoding", name,
          fmt::format("{} cells hold broken characters", entry.encoding_faults));
    if (entry.distinct <= 1 && entry.missing == 0) find(Severity::note, "constant", name, "every cell is the same");
    if (entry.schema.type == ColumnType::id) find(Severity::note, "id", name, entry.schema.reason);
  }

  void look_at_rows() {
    std::vector<int64_t> features;
    for (int64_t c = 0; c < table_.num_columns(); ++c) {
      if (c != target_ && report_.columns[static_cast<size_t>(c)].schema.type != ColumnType::id) features.push_back(c);
    }
    std::vector<int64_t> all = features;
    if (target_) all.push_back(*target_);
    std::unordered_set<Hash128> seen, seen_features;
    for (const int64_t row : rows_) {
      const bool duplicate = !seen.insert(table_.row_hash(row, all)).second;
      const bool same_features = target_ && !seen_features.insert(table_.row_hash(row, features)).second;
      report_.duplicates += duplicate;
      report_.conflicts += same_features && !duplicate;
    }
    const double duplicates = share(report_.duplicates, report_.rows);
    judge(duplicates, options_.max_duplicates, 0, "duplicates", "",
          fmt::format("{} rows ({}) equal an earlier row", report_.duplicates, percent(duplicates)));
    if (report_.conflicts > 0) {
      find(Severity::warning, "conflicts", "",
           fmt::format("{} rows equal an earlier row in all but the target", report_.conflicts));
    }
  }

  void look_at_target() {
    const Column& column = table_.column(*target_);
    const ColumnReport& entry = report_.columns[static_cast<size_t>(*target_)];
    std::vector<int64_t> labelled;
    for (const int64_t row : rows_) {
      if (!is_missing(table_.cell(row, *target_))) labelled.push_back(row);
    }
    if (entry.missing > 0) {
      find(Severity::warning, "missing", column.name,
           fmt::format("{} rows have no target; they cannot train or test", entry.missing));
    }
    if (is_quantity(entry.schema.type) && entry.distinct > kMostNumberClasses) {
      const std::vector<double> values =
          column_numbers(table_, *target_, labelled, entry.schema.type, BadCell::missing);
      if (std::none_of(values.begin(), values.end(), [](double v) { return std::isnan(v); })) {
        find_leaks(labelled, [&](const auto& groups) { return determines_value(groups, values); });
      }
      return;
    }
    for (const auto& [name, count] : count_values(column)) report_.classes.emplace_back(name, count);
    judge_classes(column.name);
    const std::vector<int64_t> classes = group_rows(table_, *target_, ColumnType::category, labelled);
    find_leaks(labelled, [&](const auto& groups) { return determines_class(groups, classes); });
  }

  void judge_classes(const std::string& target) {
    if (report_.classes.size() < 2)
      find(Severity::failure, "classes", target, "fewer than two classes; nothing to tell apart");
    for (const auto& [name, count] : report_.classes) {
      const double part = share(count, report_.rows);
      const std::string text = fmt::format("class {} has {} rows ({})", shown(name), count, percent(part));
      if (count < options_.min_class_rows)
        find(Severity::failure, "classes", target, fmt::format("{} (limit {})", text, options_.min_class_rows));
      else if (part * static_cast<double>(report_.classes.size()) < kRareClass)
        find(Severity::warning, "classes", target, text);
    }
  }

  template <class Determines>
  void find_leaks(std::span<const int64_t> rows, const Determines& determines) {
    for (int64_t c = 0; c < table_.num_columns(); ++c) {
      if (c == target_ || rows.empty()) continue;
      ColumnReport& entry = report_.columns[static_cast<size_t>(c)];
      entry.leak = determines(group_rows(table_, c, entry.schema.type, rows));
      if (*entry.leak > options_.max_leak) {
        find(Severity::failure, "leak", entry.schema.name,
             fmt::format("tells the target almost alone ({:.3f} of 1, limit {}); was it made from it, or after it? if "
                         "so, drop it",
                         *entry.leak, options_.max_leak));
      }
    }
  }

  const Table& table_;
  const Schema& schema_;
  const ReportOptions& options_;
  std::vector<int64_t> rows_;
  std::optional<int64_t> target_;
  TableReport report_;
};

const char* name_of(Severity severity) {
  return severity == Severity::failure ? "failure" : severity == Severity::warning ? "warning" : "note";
}

Json counts_json(const std::vector<std::pair<std::string, int64_t>>& counts) {
  Json json = Json::array();
  for (const auto& [value, count] : counts) json.push_back({{"value", value}, {"rows", count}});
  return json;
}

}  // namespace

bool TableReport::passed() const {
  return std::none_of(findings.begin(), findings.end(),
                      [](const Finding& f) { return f.severity == Severity::failure; });
}

TableReport report_table(const Table& table, const Schema& schema, const std::string& target,
                         const ReportOptions& options) {
  return Reporter(table, schema, target, options).run();
}

Json to_json(const TableReport& report) {
  Json columns = Json::array(), findings = Json::array();
  for (const ColumnReport& column : report.columns) {
    columns.push_back({{"name", column.schema.name},
                       {"type", name_of(column.schema.type)},
                       {"reason", column.schema.reason},
                       {"missing", column.missing},
                       {"missing_rate", share(column.missing, report.rows)},
                       {"distinct", column.distinct},
                       {"bad_cells", column.bad_cells},
                       {"encoding_faults", column.encoding_faults},
                       {"leak", column.leak ? Json(*column.leak) : Json(nullptr)},
                       {"quartiles", column.quartiles},
                       {"frequent", counts_json(column.frequent)}});
  }
  for (const Finding& finding : report.findings) {
    findings.push_back({{"severity", name_of(finding.severity)},
                        {"check", finding.check},
                        {"column", finding.column},
                        {"text", finding.text}});
  }
  return {{"source", report.source},
          {"target", report.target},
          {"verdict", report.passed() ? "passed" : "failed"},
          {"rows", report.rows},
          {"duplicates", report.duplicates},
          {"conflicts", report.conflicts},
          {"classes", counts_json(report.classes)},
          {"findings", std::move(findings)},
          {"columns", std::move(columns)}};
}

std::string to_text(const TableReport& report) {
  std::string text = fmt::format("{}: {} rows, {} columns, {} duplicates\n\n", report.source, report.rows,
                                 report.columns.size(), report.duplicates);
  size_t width = 6;
  for (const ColumnReport& column : report.columns) width = std::clamp(column.schema.name.size(), width, size_t{40});
  text += fmt::format("{:<{}}  {:<8}  {:>8}  {:>8}  {:>5}  {}\n", "column", width, "type", "missing", "distinct",
                      "leak", "median [min, max], or the most frequent");
  for (const ColumnReport& column : report.columns) {
    std::string content;
    if (is_quantity(column.schema.type) && !column.quartiles.empty()) {
      content = fmt::format("{:.6g} [{:.6g}, {:.6g}]", column.quartiles[2], column.quartiles[0], column.quartiles[4]);
    } else if (!column.frequent.empty()) {
      content = fmt::format("{} x {}", shown(column.frequent[0].first), column.frequent[0].second);
    }
    text += fmt::format("{:<{}}  {:<8}  {:>8}  {:>8}  {:>5}  {}\n", column.schema.name, width,
                        name_of(column.schema.type), percent(share(column.missing, report.rows)), column.distinct,
                        column.leak ? fmt::format("{:.2f}", *column.leak) : "", content);
  }
  if (!report.classes.empty()) {
    text += fmt::format("\nclasses of \"{}\":", report.target);
    for (const auto& [name, count] : report.classes)
      text += fmt::format(" {} {} ({})", shown(name), count, percent(share(count, report.rows)));
    text += "\n";
  }
  if (!report.findings.empty()) text += "\n";
  for (const Finding& finding : report.findings) {
    text += fmt::format("{}: {}{}\n", name_of(finding.severity),
                        finding.column.empty() ? "" : fmt::format("column \"{}\": ", finding.column), finding.text);
  }
  return text + fmt::format("\nverdict: {}\n", report.passed() ? "passed" : "failed");
}

}  // namespace danlu::data
