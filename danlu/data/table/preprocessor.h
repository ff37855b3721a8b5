// From table rows to the tensors that a model takes: fitted on training rows, saved in the bundle (preprocess.json),
// and replayed unchanged by evaluate, predict and serve.
//
//   TableOptions options;
//   options.target = "diagnosis";
//   Schema schema = infer_schema(table, type_overrides(options));
//   auto preprocessor = TablePreprocessor::fit(table, training_rows, schema, options);
//   Tensor x = preprocessor.apply(table, preprocessor.training_rows());
//
// With the target alone everything else is derived; reasons() says what and why.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "danlu/data/table/column_options.h"
#include "danlu/data/table/feature_column.h"
#include "danlu/data/table/schema.h"
#include "danlu/data/table/target.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu::data {

// One of several targets.
struct TargetOptions {
  std::string task = "auto";
  std::vector<std::string> classes;
  std::string scale = "standard";
  double weight = 1;

  void describe(OptionVisitor& v) {
    v.choice("task", task, {"auto", "classification", "regression"}, "auto: by the type of the column");
    v.field("classes", classes, "class names in the order of their indexes; default: as declared by the file, else sorted");
    v.choice("scale", scale, {"standard", "minmax", "log", "quantile", "none"}, "of a number");
    v.field("weight", weight, {1e-6, 1e6}, "of its loss in the sum that training minimises");
  }
};

struct TableOptions {
  std::string target;
  std::map<std::string, TargetOptions> targets;
  std::vector<std::string> labels;
  std::string label_separator;
  int64_t label_min_rows = 10;
  std::string task = "auto";
  std::vector<std::string> classes;
  std::string target_scale = "standard";
  ColumnOptions all_columns;
  std::map<std::string, ColumnOptions> columns;

  void describe(OptionVisitor& v) {
    v.field("target", target, "the column to predict; none for kmeans");
    v.map("targets", targets, "in the place of a target, several columns to predict from one model, classes and numbers, by name");
    v.field("labels", labels, "in the place of a target, columns that say 1 or 0 each: any of these labels may hold for a row");
    v.field("label_separator", label_separator, "the target lists any number of labels, with this between them");
    v.field("label_min_rows", label_min_rows, {1, 1e9}, "training rows that a listed label needs to be learnt");
    v.choice("task", task, {"auto", "classification", "regression"}, "auto: by the type of the target");
    v.field("classes", classes,
            "class names in the order of their indexes; default: as declared by the file, else sorted");
    v.choice("target_scale", target_scale, {"standard", "minmax", "log", "quantile", "none"}, "of a regression target");
    v.group("all_columns", all_columns, "what holds for every column");
    v.map("columns", columns, "what holds for a column, by name");
  }

  // Any number of labels a row, listed or in columns of their own?
  bool is_multilabel() const { return !labels.empty() || !label_separator.empty(); }
  // The columns that are to be told from the others; none without a target.
  std::vector<std::string> target_columns() const {
    std::vector<std::string> names = labels;
    for (const auto& [name, options] : targets) names.push_back(name);
    if (!target.empty()) names.push_back(target);
    return names;
  }
};

// The types that the options set, for infer_schema.
std::map<std::string, ColumnType> type_overrides(const TableOptions& options);

// Those of `rows` whose targets are present.
std::vector<int64_t> labelled_rows(const Table& table, const std::vector<std::string>& targets, std::span<const int64_t> rows);

// The target that the options name, fitted on `training` rows. Throws as TargetEncoder::fit and LabelSets do; ConfigError for options that
// contradict each other.
TargetEncoder fit_target(const Table& table, std::span<const int64_t> training, const Schema& schema, const TableOptions& options);

// A column that is no feature, and why.
struct LeftOut {
  std::string name, reason;
};

// Threads: fit once, then any number of threads may call the const functions.
class TablePreprocessor {
 public:
  TablePreprocessor() = default;
  // Looks at `training` rows of the table and at no others. Without options.target every column is one to learn from. Throws ConfigError for options that do not fit the columns,
  // DataError for bad contents, or if no column is left to learn from.
  static TablePreprocessor fit(const Table& table, std::span<const int64_t> training, const Schema& schema,
                               const TableOptions& options);
  // Exact to the bit. Throws DataError naming `source` and the field that is absent or wrong.
  static TablePreprocessor from_json(const Json& json, const std::string& source = "preprocess.json");
  Json to_json() const;

  TaskKind task() const { return target_.task(); }
  const std::string& target() const { return target_.name(); }
  const TargetEncoder& target_encoder() const { return target_; }
  // Names of classes in index order; empty for regression.
  const std::vector<std::string>& class_names() const { return target_.class_names(); }
  // One a feature: "age", "sex=m", "age missing".
  const std::vector<std::string>& feature_names() const { return feature_names_; }
  int64_t num_features() const { return static_cast<int64_t>(feature_names_.size()); }
  // The columns that a table must have for apply().
  const std::vector<std::string>& input_columns() const { return input_columns_; }
  const std::vector<FeatureColumn>& columns() const { return columns_; }
  const std::vector<LeftOut>& left_out() const { return left_out_; }

  // Those rows of fit() that no option dropped (a gap with drop_row, an outlier with drop): train on these. Rows of
  // validation and test are never dropped. Empty after from_json.
  const std::vector<int64_t>& training_rows() const { return training_rows_; }

  // (N, F) f32, N rows in the order given. Other columns of the table, the target too, need not be there.
  // Throws DataError naming every input column that is absent, and as FeatureColumn::apply.
  Tensor apply(const Table& table, std::span<const int64_t> rows) const;
  Tensor apply(const Table& table) const;

  // As TargetEncoder::labels. Regression: inverse_target() gives the column's own unit back.
  Tensor labels(const Table& table, std::span<const int64_t> rows) const { return target_.labels(table, rows); }
  double inverse_target(double scaled) const { return target_.inverse(scaled); }

  // One line a column: what was chosen and why; then those left out.
  std::string reasons() const;

 private:
  void index_features();
  [[noreturn]] void throw_absent(const Table& table, const std::vector<std::string>& absent) const;

  TargetEncoder target_;
  std::vector<FeatureColumn> columns_;
  std::vector<LeftOut> left_out_;
  std::vector<int64_t> training_rows_;
  std::vector<std::string> feature_names_, input_columns_;
};

}  // namespace danlu::data
