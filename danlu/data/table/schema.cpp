#include "danlu/data/table/schema.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/options.h"
#include "danlu/data/table/source_text.h"
#include "danlu/data/table/values.h"

namespace danlu::data {
namespace {

// Below this share of numbers (or dates) a column is not one with faults, but something else.
constexpr double kMostly = 0.9;
// Fewer rows than this are too few to take distinct values for ids.
constexpr int64_t kFewRows = 20;

// Distinct values are counted among this many present cells; types are checked on all.
constexpr int64_t kCounted = 100000;

// What one pass over the cells finds.
struct Facts {
  int64_t present = 0;
  int64_t counted = 0;  // cells that `distinct` is about
  int64_t numbers = 0, integers = 0, dates = 0;
  int64_t blanks = 0;  // spaces between words, over all cells
  int64_t distinct = 0;
  bool consecutive = true;                 // each number one more than the last
  std::vector<std::string_view> examples;  // the first distinct values, at most three
};

Facts look_at(const Column& column) {
  Facts facts;
  std::unordered_set<std::string_view> seen;
  double last = 0;
  for (const Cell cell : column.cells) {
    if (is_missing(cell)) continue;
    ++facts.present;
    if (facts.counted < kCounted) {
      ++facts.counted;
      if (seen.insert(cell).second && facts.examples.size() < 3) facts.examples.push_back(cell);
    }
    if (const auto number = parse_number(cell)) {
      ++facts.numbers;
      facts.integers += std::isfinite(*number) && std::nearbyint(*number) == *number;
      facts.consecutive = facts.consecutive && (facts.present == 1 || *number == last + 1);
      last = *number;
    } else {
      facts.consecutive = false;
      facts.dates += parse_date(cell).has_value();
      facts.blanks += std::count(cell.begin(), cell.end(), ' ');
    }
  }
  facts.distinct = static_cast<int64_t>(seen.size());
  return facts;
}

bool named_like_id(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const char* word : {"id", "index", "uuid", "guid", "rowid", "row"}) {
    if (lower == word) return true;
  }
  return lower.ends_with("_id") || lower.ends_with(" id") || lower.starts_with("id_") || lower.ends_with("_uuid") ||
         (name.size() > 2 && (name.ends_with("Id") || name.ends_with("ID")));
}

std::string examples_of(const Facts& facts) {
  std::vector<std::string> words;
  for (const std::string_view example : facts.examples) words.push_back(shown(example));
  return fmt::format("{}{}", fmt::join(words, ", "),
                     facts.distinct > static_cast<int64_t>(words.size()) ? ", ..." : "");
}

using Judgement = std::pair<ColumnType, std::string>;

Judgement judge_numbers(const Facts& facts, std::string_view name) {
  const bool all_distinct = facts.distinct == facts.counted;
  if (facts.integers == facts.present && all_distinct && facts.present >= kFewRows) {
    if (facts.consecutive) return {ColumnType::id, "whole numbers that count the rows"};
    if (named_like_id(name)) return {ColumnType::id, "whole numbers, each seen once, under a name of an id"};
  }
  const int64_t others = facts.present - facts.numbers;
  if (facts.distinct == 2 && facts.integers == facts.present && facts.present >= kFewRows) {
    return {ColumnType::binary, fmt::format("two values: {}", examples_of(facts))};
  }
  if (others == 0) return {ColumnType::number, fmt::format("all {} cells are numbers", facts.present)};
  return {ColumnType::number,
          fmt::format("{} of {} cells are numbers, {} are not", facts.numbers, facts.present, others)};
}

Judgement judge_words(const Facts& facts) {
  const double words = 1 + static_cast<double>(facts.blanks) / static_cast<double>(facts.present);
  const double repeat = static_cast<double>(facts.counted) / static_cast<double>(facts.distinct);
  if (facts.distinct == 2 && facts.present > 2)
    return {ColumnType::binary, fmt::format("two values: {}", examples_of(facts))};
  if (words >= 3 && repeat < 2) return {ColumnType::text, fmt::format("{:.1f} words a cell, seldom repeated", words)};
  if (facts.distinct == facts.counted && facts.present >= kFewRows)
    return {ColumnType::id, fmt::format("{} words, each seen once", facts.present)};
  return {ColumnType::category, fmt::format("{} values: {}", facts.distinct, examples_of(facts))};
}

Judgement judge(const Column& column) {
  if (column.declared_type) return {*column.declared_type, "declared by the file"};
  const Facts facts = look_at(column);
  if (facts.present == 0) return {ColumnType::category, "every cell is missing"};
  const double present = static_cast<double>(facts.present);
  if (static_cast<double>(facts.numbers) >= kMostly * present) return judge_numbers(facts, column.name);
  if (static_cast<double>(facts.dates) >= kMostly * present) {
    return {ColumnType::date, fmt::format("{} of {} cells are ISO dates", facts.dates, facts.present)};
  }
  return judge_words(facts);
}

}  // namespace

const ColumnSchema& Schema::column(std::string_view name) const {
  std::vector<std::string> names;
  for (const ColumnSchema& column : columns) {
    if (column.name == name) return column;
    names.push_back(column.name);
  }
  throw DataError("data.schema", fmt::format("no column \"{}\"{}", name, did_you_mean(name, names)));
}

Schema infer_schema(const Table& table, const std::map<std::string, ColumnType>& overrides) {
  for (const auto& [name, unused] : overrides) table.column_index(name);
  Schema schema;
  for (const Column& column : table.columns()) {
    const auto chosen = overrides.find(column.name);
    auto [type, reason] = chosen == overrides.end() ? judge(column) : Judgement{chosen->second, "set by the user"};
    schema.columns.push_back({column.name, type, std::move(reason), column.declared_categories});
  }
  return schema;
}

Json to_json(const Schema& schema) {
  Json json = Json::array();
  for (const ColumnSchema& column : schema.columns) {
    Json entry = {{"name", column.name}, {"type", name_of(column.type)}, {"reason", column.reason}};
    if (!column.categories.empty()) entry["categories"] = column.categories;
    json.push_back(std::move(entry));
  }
  return json;
}

std::string to_text(const Schema& schema) {
  size_t width = 6;
  for (const ColumnSchema& column : schema.columns) width = std::clamp(column.name.size(), width, size_t{40});
  std::string text;
  for (const ColumnSchema& column : schema.columns) {
    text += fmt::format("{:<{}}  {:<8}  {}\n", column.name, width, name_of(column.type), column.reason);
  }
  return text;
}

}  // namespace danlu::data
