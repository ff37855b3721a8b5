// One input column's way from cells to features: typed values, outliers, gaps, encoding or scaling. Fitted on training
// rows.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "danlu/data/table/column_options.h"
#include "danlu/data/table/scale.h"
#include "danlu/data/table/schema.h"
#include "danlu/data/table/values.h"

namespace danlu::data {

class FeatureColumn {
 public:
  // Nothing is fitted yet. `options` has no "auto" left that stands for "as for all columns". Throws ConfigError for an
  // option that does not go with the type.
  FeatureColumn(const ColumnSchema& schema, const ColumnOptions& options);
  static FeatureColumn from_json(const Json& json, const std::string& source);
  Json to_json() const;

  // First fit: the bounds of usual values.
  void fit_bounds(const Table& table, std::span<const int64_t> training);
  // After fit_bounds: marks the training rows that this column's options drop. `dropped` has one entry a row.
  void mark_dropped(const Table& table, std::span<const int64_t> training, std::vector<bool>& dropped) const;
  // Second fit, on the rows that are left: everything else. Returns why the column is of no use, or an empty text.
  std::string fit(const Table& table, std::span<const int64_t> training);

  const std::string& name() const { return name_; }
  ColumnType type() const { return type_; }
  // What was chosen, and why.
  const std::string& reason() const { return reason_; }
  int64_t num_features() const;
  std::vector<std::string> feature_names() const;
  // Writes num_features() values for each row; the features of row i begin at out + i * stride. Throws DataError naming
  // the place for a bad cell, an unknown category that is refused, or a number too large for a float.
  void apply(const Table& table, std::span<const int64_t> rows, float* out, int64_t stride) const;
  // The cell that features stand for: a category, or a number as text. Gaps that were filled come back filled.
  std::string inverse(std::span<const float> features) const;

 private:
  FeatureColumn() = default;
  bool is_number() const { return type_ == ColumnType::number || type_ == ColumnType::date; }
  std::vector<double> values_of(const Table& table, int64_t column, std::span<const int64_t> rows) const;
  std::string fit_numbers(std::vector<double> values, double missing_share);
  std::string fit_categories(const Table& table, int64_t column, std::span<const int64_t> training,
                             double missing_share);
  void fill_gaps(std::vector<double>& values, std::span<const int64_t> rows) const;

  std::string name_;
  ColumnType type_ = ColumnType::number;
  std::string reason_;
  ColumnOptions options_;              // for fitting
  std::vector<std::string> declared_;  // for fitting

  BadCell on_bad_ = BadCell::error;
  OutlierBounds bounds_;
  Imputer imputer_;
  Scaler scaler_;            // numbers and dates
  CategoryEncoder encoder_;  // the others
  bool indicator_ = false;
};

}  // namespace danlu::data
