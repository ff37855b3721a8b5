// The column to predict, or the columns of labels or of several targets: which task it makes, and its values as the model sees them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/data/table/encode.h"
#include "danlu/data/table/label_sets.h"
#include "danlu/data/table/scale.h"
#include "danlu/data/table/schema.h"
#include "danlu/data/task.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu::data {

class TargetEncoder {
 public:
  // Of a table without a target: task clustering, no name, no labels.
  TargetEncoder() = default;
  // `task`: auto, classification or regression. auto: regression for a number column, unless it holds at most 20
  // different whole numbers, each seen 10 times on average; classification for the rest. `classes` (may be empty) sets
  // their order. Throws DataError for a missing or bad target in a training row, fewer than two classes, or about as
  // many classes as rows.
  static TargetEncoder fit(const Table& table, std::span<const int64_t> training, const ColumnSchema& schema,
                           const std::string& task, const std::vector<std::string>& classes, const std::string& scale);
  // Several labels a row.
  static TargetEncoder of_labels(std::string name, LabelSets sets);
  // Several targets, at least two, each a class or a number with an encoder of its own.
  static TargetEncoder of_targets(std::vector<TargetEncoder> targets);
  static TargetEncoder from_json(const SavedState& state);
  Json to_json() const;  // null without a target, which from_json is not asked to read

  const std::string& name() const { return name_; }
  TaskKind task() const { return task_; }
  const std::string& reason() const { return reason_; }
  // Index order; of a binary task the second is the positive one. Empty for regression.
  const std::vector<std::string>& class_names() const { return task_ == TaskKind::multilabel ? sets_.names() : labels_.names(); }

  // Several targets: their encoders; empty otherwise.
  const std::vector<TargetEncoder>& targets() const { return targets_; }

  // Classification: i64 (N) class indexes. Several labels: f32 (N, labels) of 0 and 1. Several targets: f32 (N, targets), class indexes too. Regression: f32 (N) scaled values; inverse() brings
  // them back.
  // Throws DataError naming the place of a missing target, a class that training did not have, or a bad number.
  Tensor labels(const Table& table, std::span<const int64_t> rows) const;
  double inverse(double scaled) const { return scaler_.inverse(scaled); }

 private:
  Cell target_cell(const Table& table, int64_t row, int64_t column) const;

  std::string name_;
  TaskKind task_ = TaskKind::clustering;
  std::string reason_;
  LabelEncoder labels_;  // classification
  LabelSets sets_;       // several labels a row
  Scaler scaler_;        // regression
  std::vector<TargetEncoder> targets_;  // several targets
};

}  // namespace danlu::data
