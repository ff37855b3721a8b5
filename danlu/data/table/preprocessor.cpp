#include "danlu/data/table/preprocessor.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.preprocess";
constexpr const char* kFormat = "danlu.table.preprocessor";
constexpr int kVersion = 1;

// The options of one column, with "auto" replaced by what is said for all of them.
ColumnOptions resolve(const TableOptions& options, const std::string& name) {
  const ColumnOptions& all = options.all_columns;
  const auto it = options.columns.find(name);
  if (it == options.columns.end()) return all;
  ColumnOptions column = it->second;
  if (column.on_bad_cell == "auto") column.on_bad_cell = all.on_bad_cell;
  if (column.scale == "auto") column.scale = all.scale;
  if (column.impute.method == "auto") column.impute.method = all.impute.method, column.impute.fill = all.impute.fill;
  column.impute.indicator = column.impute.indicator || all.impute.indicator;
  if (column.outliers.method == "auto") column.outliers = all.outliers;
  if (column.encode.method == "auto") column.encode.method = all.encode.method;
  if (column.encode.unknown == "auto") column.encode.unknown = all.encode.unknown;
  return column;
}

// "a", "b" and 30 more.
std::string first_names(const std::vector<std::string>& names) {
  constexpr size_t kMost = 10;
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kMost); ++i) text += fmt::format("{}\"{}\"", i > 0 ? ", " : "", names[i]);
  return names.size() > kMost ? fmt::format("{} and {} more", text, names.size() - kMost) : text;
}

bool usable(const ColumnSchema& column, const ColumnOptions& options) {
  return !options.drop && column.type != ColumnType::id && column.type != ColumnType::text;
}

}  // namespace

std::map<std::string, ColumnType> type_overrides(const TableOptions& options) {
  std::map<std::string, ColumnType> types;
  for (const auto& [name, column] : options.columns) {
    if (const auto type = column_type(column.type)) types[name] = *type;
  }
  return types;
}

std::vector<int64_t> labelled_rows(const Table& table, const std::vector<std::string>& targets, std::span<const int64_t> rows) {
  std::vector<int64_t> columns, present;
  for (const std::string& target : targets) columns.push_back(table.column_index(target));
  for (const int64_t row : rows) {
    if (std::none_of(columns.begin(), columns.end(), [&](int64_t column) { return is_missing(table.cell(row, column)); })) present.push_back(row);
  }
  return present;
}

TargetEncoder fit_target(const Table& table, std::span<const int64_t> training, const Schema& schema, const TableOptions& options) {
  if (!options.targets.empty()) {
    if (options.is_multilabel() || !options.target.empty()) throw ConfigError(kWhere, "got data.targets and data.target or data.labels; expected one of them");
    if (options.targets.size() < 2) throw ConfigError(kWhere, fmt::format("data.targets: got {} alone; expected at least two columns: one is data.target", options.targets.begin()->first));
    std::vector<TargetEncoder> targets;
    for (const auto& [name, o] : options.targets) targets.push_back(TargetEncoder::fit(table, training, schema.column(name), o.task, o.classes, o.scale));
    return TargetEncoder::of_targets(std::move(targets));
  }
  if (!options.is_multilabel()) return TargetEncoder::fit(table, training, schema.column(options.target), options.task, options.classes, options.target_scale);
  if (training.empty()) throw DataError(kWhere, fmt::format("{}: got no training rows; expected at least one", table.source()));
  if (options.task == "regression" || !options.classes.empty()) throw ConfigError(kWhere, "data.task and data.classes are for one class or number a row; expected neither beside several labels");
  if (options.labels.empty()) return TargetEncoder::of_labels(options.target, LabelSets::from_lists(table, training, options.target, options.label_separator, options.label_min_rows));
  if (!options.target.empty() || !options.label_separator.empty()) {
    throw ConfigError(kWhere, "got data.labels and data.target or data.label_separator; expected columns of labels, or a target that lists them");
  }
  return TargetEncoder::of_labels("labels", LabelSets::from_columns(table, training, options.labels));
}

TablePreprocessor TablePreprocessor::fit(const Table& table, std::span<const int64_t> training, const Schema& schema,
                                         const TableOptions& options) {
  const std::vector<std::string> targets = options.target_columns();
  for (const std::string& target : targets) table.column_index(target);
  for (const auto& [name, unused] : options.columns) table.column_index(name);

  TablePreprocessor result;
  std::vector<FeatureColumn> candidates;
  std::vector<bool> dropped(training.size());
  for (const ColumnSchema& column : schema.columns) {
    const ColumnOptions chosen = resolve(options, column.name);
    if (std::find(targets.begin(), targets.end(), column.name) != targets.end()) continue;
    FeatureColumn& candidate = candidates.emplace_back(column, chosen);
    if (!usable(column, chosen)) continue;
    candidate.fit_bounds(table, training);
    candidate.mark_dropped(table, training, dropped);
  }
  std::vector<int64_t>& kept = result.training_rows_;
  for (size_t i = 0; i < training.size(); ++i) {
    if (!dropped[i]) kept.push_back(training[i]);
  }
  if (kept.empty()) {
    throw DataError(
        kWhere, fmt::format("{}: got no training row that the missing-value and outlier options keep, of {}; expected "
                            "at least one",
                            table.source(), training.size()));
  }
  if (!targets.empty()) result.target_ = fit_target(table, kept, schema, options);
  for (FeatureColumn& candidate : candidates) {
    const std::string useless = candidate.fit(table, kept);
    if (useless.empty())
      result.columns_.push_back(std::move(candidate));
    else
      result.left_out_.push_back({candidate.name(), useless});
  }
  result.index_features();
  if (result.columns_.empty()) {
    throw DataError(kWhere, fmt::format("{}: no column is left to learn from; expected at least one; {}",
                                        table.source(), result.reasons()));
  }
  return result;
}

void TablePreprocessor::index_features() {
  for (const FeatureColumn& column : columns_) {
    input_columns_.push_back(column.name());
    for (std::string& name : column.feature_names()) feature_names_.push_back(std::move(name));
  }
}

// Of the columns that are there it names the others only: among them a misspelt one is found.
void TablePreprocessor::throw_absent(const Table& table, const std::vector<std::string>& absent) const {
  std::vector<std::string> unused;
  for (std::string& name : table.column_names()) {
    const bool used = std::find(input_columns_.begin(), input_columns_.end(), name) != input_columns_.end();
    if (!used && name != target()) unused.push_back(std::move(name));
  }
  const std::string there = unused.empty() ? "" : fmt::format("; there, but not used: {}", first_names(unused));
  throw DataError(kWhere, fmt::format("{}: got no column {}; expected all {} of the training data{}", table.source(),
                                      first_names(absent), input_columns_.size(), there));
}

Tensor TablePreprocessor::apply(const Table& table, std::span<const int64_t> rows) const {
  std::vector<std::string> absent;
  for (const std::string& name : input_columns_) {
    if (!table.find_column(name)) absent.push_back(name);
  }
  if (!absent.empty()) throw_absent(table, absent);
  const int64_t features = num_features();
  Tensor x = Tensor::empty({static_cast<int64_t>(rows.size()), features});
  float* out = x.mutable_data();
  for (const FeatureColumn& column : columns_) {
    column.apply(table, rows, out, features);
    out += column.num_features();
  }
  return x;
}

Tensor TablePreprocessor::apply(const Table& table) const { return apply(table, all_rows(table)); }

std::string TablePreprocessor::reasons() const {
  std::string text = target().empty() ? "" : fmt::format("target \"{}\": {} ({})\n", target(), name_of(task()), target_.reason());
  for (const FeatureColumn& column : columns_) {
    text += fmt::format("column \"{}\": {}, {} features ({})\n", column.name(), name_of(column.type()),
                        column.num_features(), column.reason());
  }
  for (const LeftOut& column : left_out_)
    text += fmt::format("column \"{}\": left out ({})\n", column.name, column.reason);
  return text;
}

Json TablePreprocessor::to_json() const {
  Json columns = Json::array(), left_out = Json::array();
  for (const FeatureColumn& column : columns_) columns.push_back(column.to_json());
  for (const LeftOut& column : left_out_) left_out.push_back({{"name", column.name}, {"reason", column.reason}});
  return {{"format", kFormat},
          {"version", kVersion},
          {"target", target_.to_json()},
          {"columns", std::move(columns)},
          {"left_out", std::move(left_out)},
          {"features", feature_names_}};
}

TablePreprocessor TablePreprocessor::from_json(const Json& json, const std::string& source) {
  const SavedState state(json, source);
  state.word("format", {kFormat});
  if (state.number("version") != kVersion) state.fail("version", fmt::format("{}", kVersion));
  TablePreprocessor result;
  if (const auto target = json.find("target"); target == json.end() || !target->is_null()) result.target_ = TargetEncoder::from_json(state.inner("target"));
  for (const Json& column : state.list("columns")) result.columns_.push_back(FeatureColumn::from_json(column, source));
  for (const Json& column : state.list("left_out")) {
    const SavedState entry(column, source + ": a column left out");
    result.left_out_.push_back({entry.text("name"), entry.text("reason")});
  }
  result.index_features();
  if (result.feature_names_ != state.texts("features") || result.columns_.empty()) {
    state.fail("features", "the features of the columns");
  }
  return result;
}

}  // namespace danlu::data
