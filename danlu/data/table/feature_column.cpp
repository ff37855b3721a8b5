#include "danlu/data/table/feature_column.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/table/source_text.h"
#include "danlu/data/table/statistics.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.table";
// A category's own name for a gap.
constexpr const char* kMissingCategory = "(missing)";
// From this share of gaps on, that a value is missing says something of its own.
constexpr double kIndicatorShare = 0.05;
// Beyond this skewness the tail decides mean and deviation, and a logarithm is tried.
constexpr double kSkewed = 3;

double share_missing(std::span<const Cell> cells, std::span<const int64_t> rows) {
  const auto missing =
      std::count_if(rows.begin(), rows.end(), [&](int64_t row) { return is_missing(cells[static_cast<size_t>(row)]); });
  return rows.empty() ? 0 : static_cast<double>(missing) / static_cast<double>(rows.size());
}

std::string percent(double share) { return fmt::format("{:.3g} %", 100 * share); }

}  // namespace

FeatureColumn::FeatureColumn(const ColumnSchema& schema, const ColumnOptions& options)
    : name_(schema.name), type_(schema.type), reason_(schema.reason), options_(options), declared_(schema.categories) {
  on_bad_ = options.on_bad_cell == "missing" ? BadCell::missing : BadCell::error;
  const std::string& method = options.impute.method;
  if (!is_number() && (method == "mean" || method == "median")) {
    throw ConfigError(kWhere,
                      fmt::format("column \"{}\" is of type {}: got impute {}; expected mode, constant, ffill, bfill, "
                                  "drop_row or drop_column",
                                  name_, name_of(type_), method));
  }
  if (is_number() && method == "constant") {
    const auto fill = parse_number(options.impute.fill);
    if (!fill || !std::isfinite(*fill)) {
      throw ConfigError(kWhere, fmt::format("column \"{}\" is of type {}: got impute.fill {}; expected a number", name_,
                                            name_of(type_), shown(options.impute.fill)));
    }
  }
  if (!is_number() && method == "constant" && options.impute.fill.empty()) {
    throw ConfigError(kWhere,
                      fmt::format("column \"{}\": got impute constant without fill; expected a category", name_));
  }
}

std::vector<double> FeatureColumn::values_of(const Table& table, int64_t column, std::span<const int64_t> rows) const {
  if (is_number()) return column_numbers(table, column, rows, type_, on_bad_);
  std::vector<double> values;
  values.reserve(rows.size());
  for (const int64_t row : rows) {
    const Cell cell = table.cell(row, column);
    if (is_missing(cell)) {
      values.push_back(std::numeric_limits<double>::quiet_NaN());
      continue;
    }
    const int64_t index = encoder_.index_of(cell);
    const auto& known = encoder_.categories();
    if (index == static_cast<int64_t>(known.size()) && encoder_.refuses_unknown()) {
      std::vector<std::string> some(known.begin(),
                                    known.begin() + static_cast<int64_t>(std::min<size_t>(known.size(), 20)));
      throw DataError(kWhere,
                      fmt::format("{}: {} is not a category of the training rows; expected one of {}{}{}; or set "
                                  "encode.unknown: reserve",
                                  table.place(row, column), shown(cell), fmt::join(some, ", "),
                                  some.size() < known.size() ? ", ..." : "", did_you_mean(cell, known)));
    }
    values.push_back(static_cast<double>(index));
  }
  return values;
}

void FeatureColumn::fit_bounds(const Table& table, std::span<const int64_t> training) {
  if (!is_number()) return;
  bounds_ = OutlierBounds::fit(values_of(table, table.column_index(name_), training), options_.outliers);
}

void FeatureColumn::mark_dropped(const Table& table, std::span<const int64_t> training,
                                 std::vector<bool>& dropped) const {
  const bool drop_gaps = options_.impute.method == "drop_row";
  if (!drop_gaps && !bounds_.drops()) return;
  const int64_t column = table.column_index(name_);
  const std::vector<double> values =
      is_number() ? values_of(table, column, training) : std::vector<double>(training.size());
  for (size_t i = 0; i < training.size(); ++i) {
    if (bounds_.drops() && bounds_.beyond(values[i])) dropped[i] = true;
    if (drop_gaps && (std::isnan(values[i]) || is_missing(table.cell(training[i], column)))) dropped[i] = true;
  }
}

std::string FeatureColumn::fit(const Table& table, std::span<const int64_t> training) {
  if (options_.drop) return "left out by the user";
  if (type_ == ColumnType::id) return fmt::format("an id says nothing about other rows ({})", reason_);
  if (type_ == ColumnType::text) return fmt::format("free text is no feature of a table model ({})", reason_);
  const int64_t column = table.column_index(name_);
  const double missing = share_missing(table.column(column).cells, training);
  if (options_.impute.method == "drop_column" && missing > 0) {
    return fmt::format("{} of the training rows lack it, and impute is drop_column", percent(missing));
  }
  return is_number() ? fit_numbers(values_of(table, column, training), missing)
                     : fit_categories(table, column, training, missing);
}

std::string FeatureColumn::fit_numbers(std::vector<double> values, double missing_share) {
  bounds_.apply(values);
  const std::vector<double> sorted = sorted_present(values);
  if (sorted.empty()) return "no value in the training rows";
  if (sorted.front() == sorted.back()) return fmt::format("constant in the training rows ({})", sorted.front());

  std::string method = options_.impute.method;
  indicator_ = options_.impute.indicator || (method == "auto" && missing_share >= kIndicatorShare);
  if (method == "auto" || method.starts_with("drop")) method = "median";
  imputer_ = Imputer::fit(values, method, parse_number(options_.impute.fill).value_or(0), true);
  if (missing_share > 0)
    reason_ += fmt::format("; {} missing, filled by {}{}", percent(missing_share), method,
                           indicator_ ? " with an indicator" : "");
  imputer_.apply(values);

  std::string scale = options_.scale;
  if (scale == "auto") {
    const double skewness = moments_of(values).skewness;
    const bool skewed = type_ == ColumnType::number && sorted.front() >= 0 && skewness > kSkewed;
    scale = skewed ? "log" : "standard";
    if (skewed) reason_ += fmt::format("; skewness {:.1f}", skewness);
  }
  scaler_ = Scaler::fit(values, scale);
  reason_ += "; scale " + scale;
  if (bounds_.active()) reason_ += fmt::format("; usual from {:.6g} to {:.6g}", bounds_.low(), bounds_.high());
  return "";
}

std::string FeatureColumn::fit_categories(const Table& table, int64_t column, std::span<const int64_t> training,
                                          double missing_share) {
  const std::string& method = options_.impute.method;
  std::string extra;
  if (method == "constant") extra = options_.impute.fill;
  if (method == "auto" && missing_share > 0) extra = kMissingCategory;
  std::vector<Cell> cells;
  for (const int64_t row : training) cells.push_back(table.cell(row, column));
  encoder_ = CategoryEncoder::fit(cells, declared_, extra, options_.encode);

  std::vector<double> values;  // refusing unknown is for later: a category may be too rare to keep
  for (const Cell cell : cells) {
    values.push_back(is_missing(cell) ? std::numeric_limits<double>::quiet_NaN()
                                      : static_cast<double>(encoder_.index_of(cell)));
  }
  const std::vector<double> sorted = sorted_present(values);
  if (sorted.empty()) return "no value in the training rows";
  const bool gaps_differ = missing_share > 0 && (!extra.empty() || options_.impute.indicator);
  if (sorted.front() == sorted.back() && !gaps_differ)
    return fmt::format("constant in the training rows ({})", cells[0]);

  indicator_ = options_.impute.indicator;
  if (!extra.empty()) {
    imputer_ = Imputer::fit(values, "constant", static_cast<double>(encoder_.index_of(extra)), false);
  } else {
    imputer_ = Imputer::fit(values, method == "ffill" || method == "bfill" ? method : "mode", 0, false);
  }
  if (missing_share > 0) reason_ += fmt::format("; {} missing", percent(missing_share));
  reason_ += encoder_.one_hot() ? "; one-hot" : "; ordinal";
  return "";
}

void FeatureColumn::fill_gaps(std::vector<double>& values, std::span<const int64_t> rows) const {
  if (!imputer_.carries() || std::is_sorted(rows.begin(), rows.end())) return imputer_.apply(values);
  // Carrying goes along the rows as they stand in the table, whatever order they are asked in.
  std::vector<size_t> order(rows.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return rows[a] < rows[b]; });
  std::vector<double> in_order;
  for (const size_t i : order) in_order.push_back(values[i]);
  imputer_.apply(in_order);
  for (size_t i = 0; i < order.size(); ++i) values[order[i]] = in_order[i];
}

int64_t FeatureColumn::num_features() const {
  return (is_number() ? 1 : encoder_.num_features()) + (indicator_ ? 1 : 0) + (bounds_.flags() ? 1 : 0);
}

std::vector<std::string> FeatureColumn::feature_names() const {
  std::vector<std::string> names = is_number() ? std::vector{name_} : encoder_.feature_names(name_);
  if (indicator_) names.push_back(name_ + " missing");
  if (bounds_.flags()) names.push_back(name_ + " outlier");
  return names;
}

void FeatureColumn::apply(const Table& table, std::span<const int64_t> rows, float* out, int64_t stride) const {
  const int64_t column = table.column_index(name_);
  std::vector<double> values = values_of(table, column, rows);
  int64_t extra = is_number() ? 1 : encoder_.num_features();
  const auto mark = [&](const auto& condition) {
    for (size_t i = 0; i < rows.size(); ++i) {
      out[static_cast<int64_t>(i) * stride + extra] = condition(values[i]) ? 1.0f : 0.0f;
    }
    ++extra;
  };
  if (indicator_) mark([](double value) { return std::isnan(value); });
  if (bounds_.flags()) mark([&](double value) { return bounds_.beyond(value); });

  bounds_.apply(values);
  fill_gaps(values, rows);
  for (size_t i = 0; i < rows.size(); ++i) {
    float* features = out + static_cast<int64_t>(i) * stride;
    if (!is_number()) {
      encoder_.write(values[i], features);
      continue;
    }
    const double scaled = scaler_.apply(values[i]);
    if (!(std::abs(scaled) <= std::numeric_limits<float>::max())) {
      throw DataError(kWhere, fmt::format("{}: {} is too large; expected a number near the training range",
                                          table.place(rows[i], column), shown(table.cell(rows[i], column))));
    }
    features[0] = static_cast<float>(scaled);
  }
}

std::string FeatureColumn::inverse(std::span<const float> features) const {
  if (is_number()) return fmt::format("{}", scaler_.inverse(features[0]));
  return encoder_.inverse(features.first(static_cast<size_t>(encoder_.num_features()))).value_or("(unknown)");
}

Json FeatureColumn::to_json() const {
  Json json = {{"name", name_},
               {"type", name_of(type_)},
               {"reason", reason_},
               {"on_bad_cell", on_bad_ == BadCell::error ? "error" : "missing"},
               {"outliers", bounds_.to_json()},
               {"impute", imputer_.to_json()},
               {"indicator", indicator_}};
  if (is_number())
    json["scale"] = scaler_.to_json();
  else
    json["encode"] = encoder_.to_json();
  return json;
}

FeatureColumn FeatureColumn::from_json(const Json& json, const std::string& source) {
  FeatureColumn column;
  column.name_ = SavedState(json, source + ": a column").text("name");
  const SavedState state(json, fmt::format("{}: column \"{}\"", source, column.name_));
  const auto type = column_type(state.text("type"));
  if (!type || *type == ColumnType::id || *type == ColumnType::text)
    state.fail("type", "number, date, category or binary");
  column.type_ = *type;
  column.reason_ = state.text("reason");
  column.on_bad_ = state.word("on_bad_cell", {"error", "missing"}) == "error" ? BadCell::error : BadCell::missing;
  column.indicator_ = state.flag("indicator");
  column.imputer_ = Imputer::from_json(state.inner("impute"));
  if (state.has("outliers")) column.bounds_ = OutlierBounds::from_json(state.inner("outliers"));
  if (column.is_number()) {
    column.scaler_ = Scaler::from_json(state.inner("scale"));
  } else {
    column.encoder_ = CategoryEncoder::from_json(state.inner("encode"));
    if (column.imputer_.fill() < 0 ||
        column.imputer_.fill() > static_cast<double>(column.encoder_.categories().size()) ||
        std::floor(column.imputer_.fill()) != column.imputer_.fill()) {
      state.fail("impute", "the index of a category");
    }
    if (column.bounds_.active()) state.fail("outliers", "null for a category");
  }
  return column;
}

}  // namespace danlu::data
