#include "danlu/learn/registry/query.h"

#include <algorithm>
#include <charconv>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::registry {
namespace {

constexpr const char* kWhere = "learn.registry";

// What conditions and orders may name of every run.
const std::vector<std::string> kColumns = {"name",      "parent",      "kind",         "status", "stage",      "started", "finished", "seconds",
                                           "data_hash", "recipe_hash", "weights_hash", "danlu",  "git_commit", "store",   "error"};

std::string trimmed(std::string text) {
  const auto is_space = [](unsigned char c) { return c == ' ' || c == '\t'; };
  text.erase(text.begin(), std::find_if_not(text.begin(), text.end(), is_space));
  text.erase(std::find_if_not(text.rbegin(), text.rend(), is_space).base(), text.end());
  return text;
}

std::optional<double> parse_number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Builds a statement and its parameters side by side.
class Writer {
 public:
  explicit Writer(std::vector<Value>& parameters) : parameters_(parameters) {}
  std::string bind(Value value) {
    parameters_.push_back(std::move(value));
    return fmt::format("${}", parameters_.size());
  }
  void where(const std::string& condition) { where_ += (where_.empty() ? " WHERE " : " AND ") + condition; }
  const std::string& conditions() const { return where_; }

 private:
  std::vector<Value>& parameters_;
  std::string where_;
};

// Numbers compare as numbers where both sides are; else texts are equal or not.
std::string to_sql(const Condition& c, Writer& writer) {
  if (c.key == "seconds" && c.number) return fmt::format("runs.seconds {} {}", c.comparison, writer.bind(*c.number));
  if (is_column(c.key)) return fmt::format("runs.{} {} {}", c.key, c.comparison, writer.bind(c.text));
  const auto exists = [&](const char* table, const char* column, const Value& value) {
    return fmt::format("EXISTS (SELECT 1 FROM {0} WHERE {0}.run = runs.id AND {0}.name = {1} AND {0}.{2} {3} {4})", table,
                       writer.bind(c.key), column, c.comparison, writer.bind(value));
  };
  if (!c.number) return exists("params", "value", c.text);
  std::string sql = fmt::format("({} OR {}", exists("results", "value", *c.number), exists("params", "number", *c.number));
  if (c.comparison == "=") sql += " OR " + exists("params", "value", c.text);  // a text that looks like a number
  return sql + ")";
}

// For ORDER BY: the values of a key, and the tables that hold them.
struct Order {
  std::string joins, by;
};

Order order_of(const Query& query, Writer& writer) {
  const char* direction = query.reverse ? "ASC" : "DESC";
  const std::string newest = fmt::format("runs.started {0}, runs.name {0}", query.reverse && query.sort.empty() ? "ASC" : "DESC");
  if (query.sort.empty()) return {"", newest};
  if (is_column(query.sort)) return {"", fmt::format("runs.{0} IS NULL, runs.{0} {1}, {2}", query.sort, direction, newest)};
  const std::string key = writer.bind(query.sort);
  const std::string joins = fmt::format(" LEFT JOIN results sr ON sr.run = runs.id AND sr.name = {0}"
                                        " LEFT JOIN params sp ON sp.run = runs.id AND sp.name = {0}", key);
  const std::string number = "COALESCE(sr.value, sp.number)";
  return {joins, fmt::format("{0} IS NULL, {0} {1}, sp.value IS NULL, sp.value {1}, {2}", number, direction, newest)};
}

}  // namespace

bool is_column(const std::string& key) { return std::find(kColumns.begin(), kColumns.end(), key) != kColumns.end(); }

Condition parse_condition(const std::string& text) {
  const size_t at = text.find_first_of("=<>!");
  const size_t after = at == std::string::npos ? at : text.find_first_not_of("=<>!", at);
  Condition c;
  if (after != std::string::npos) {
    c.key = trimmed(text.substr(0, at));
    c.comparison = text.substr(at, after - at);
    c.text = trimmed(text.substr(after));
    if (c.comparison == "==") c.comparison = "=";
    c.number = parse_number(c.text);
  }
  const std::vector<std::string> known = {"=", "!=", "<", "<=", ">", ">="};
  if (c.key.empty() || c.text.empty() || std::find(known.begin(), known.end(), c.comparison) == known.end()) {
    throw ConfigError(kWhere, fmt::format("got condition \"{}\"; expected KEY, one of = != < <= > >=, and a value: \"accuracy>0.9\"", text));
  }
  const bool ordered = c.comparison[0] == '<' || c.comparison[0] == '>';
  if (!c.number && ((ordered && !is_column(c.key)) || c.key == "seconds")) {
    throw ConfigError(kWhere, fmt::format("got condition \"{}\"; expected a number after {}", text, c.comparison));
  }
  return c;
}

std::string to_sql(const Query& query, std::vector<Value>& parameters) {
  Writer writer(parameters);
  const Order order = order_of(query, writer);
  if (query.store) writer.where("runs.store = " + writer.bind(*query.store));
  if (query.parent) writer.where("runs.parent = " + writer.bind(*query.parent));
  if (query.top) writer.where("runs.name NOT LIKE '%/%'");
  std::string statuses;
  for (const std::string& status : query.statuses) statuses += (statuses.empty() ? "" : ", ") + writer.bind(status);
  if (!statuses.empty()) writer.where("runs.status IN (" + statuses + ")");
  for (const std::string& tag : query.tags) {
    writer.where(fmt::format("EXISTS (SELECT 1 FROM tags WHERE tags.run = runs.id AND tags.tag = {})", writer.bind(tag)));
  }
  for (const Condition& condition : query.conditions) writer.where(to_sql(condition, writer));
  std::string sql = "SELECT runs.id FROM runs" + order.joins + writer.conditions() + " ORDER BY " + order.by;
  if (query.limit) sql += fmt::format(" LIMIT {}", *query.limit);
  return sql;
}

}  // namespace danlu::registry
