#include "danlu/data/table/target.h"

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

constexpr const char* kWhere = "data.target";
constexpr size_t kMostNumberClasses = 20;
constexpr size_t kRowsPerNumberClass = 10;

// Whether numbers look like the codes of classes, and why.
std::pair<bool, std::string> numbers_are_classes(std::span<const Cell> cells) {
  std::unordered_set<std::string_view> distinct(cells.begin(), cells.end());
  const bool whole = std::all_of(distinct.begin(), distinct.end(), [](Cell cell) {
    const auto number = parse_number(cell);
    return number && std::nearbyint(*number) == *number;
  });
  const bool few = distinct.size() <= kMostNumberClasses && distinct.size() * kRowsPerNumberClass <= cells.size();
  if (whole && few) return {true, fmt::format("{} different whole numbers", distinct.size())};
  return {false, whole ? fmt::format("{} different numbers", distinct.size()) : "numbers with fractions"};
}

}  // namespace

Cell TargetEncoder::target_cell(const Table& table, int64_t row, int64_t column) const {
  const Cell cell = table.cell(row, column);
  if (!is_missing(cell)) return cell;
  throw DataError(
      kWhere, fmt::format("{}: the target is missing; expected a value in every row that trains or tests; leave such "
                          "rows out first",
                          table.place(row, column)));
}

TargetEncoder TargetEncoder::fit(const Table& table, std::span<const int64_t> training, const ColumnSchema& schema,
                                 const std::string& task, const std::vector<std::string>& classes,
                                 const std::string& scale) {
  TargetEncoder target;
  target.name_ = schema.name;
  const int64_t column = table.column_index(schema.name);
  std::vector<Cell> cells;
  for (const int64_t row : training) cells.push_back(target.target_cell(table, row, column));
  if (cells.empty())
    throw DataError(kWhere, fmt::format("{}: got no training rows; expected at least one", table.source()));

  bool regression = task == "regression";
  target.reason_ = "set by the user";
  if (task == "auto") {
    target.reason_ = fmt::format("type {}", name_of(schema.type));
    if (schema.type == ColumnType::number && classes.empty()) {
      const auto [as_classes, why] = numbers_are_classes(cells);
      regression = !as_classes;
      target.reason_ = why;
    } else if (schema.type == ColumnType::date) {
      throw DataError(
          kWhere, fmt::format("{}: target \"{}\" is a date; expected numbers or classes", table.source(), schema.name));
    }
  }
  if (regression) {
    const std::vector<double> numbers = column_numbers(table, column, training, ColumnType::number, BadCell::error);
    if (numbers.size() > 1 && std::all_of(numbers.begin(), numbers.end(), [&](double x) { return x == numbers.front(); })) {
      throw DataError(kWhere, fmt::format("{}: target \"{}\": got {} in all {} training rows; expected numbers that differ: there is nothing to learn",
                                          table.source(), schema.name, numbers.front(), numbers.size()));
    }
    target.task_ = TaskKind::regression;
    target.scaler_ = Scaler::fit(numbers, scale);
    return target;
  }
  try {
    target.labels_ = LabelEncoder::fit(cells, classes.empty() ? schema.categories : classes);
  } catch (const DataError& error) {
    throw DataError(kWhere, fmt::format("{}: target \"{}\": {}, in {} training rows", table.source(), schema.name, error.message(), cells.size()));
  }
  if (std::all_of(cells.begin(), cells.end(), [&](const Cell& cell) { return cell == cells.front(); })) {
    throw DataError(kWhere, fmt::format("{}: target \"{}\": got one class ({}) in all {} training rows; expected at least two of {}", table.source(), schema.name,
                                        cells.front(), cells.size(), fmt::join(target.class_names(), ", ")));
  }
  const size_t count = target.class_names().size();
  if (count > 100 && count * 2 > cells.size()) {
    throw DataError(
        kWhere,
        fmt::format("{}: target \"{}\" has {} classes in {} training rows; expected classes seen many times; is "
                    "it the right column?",
                    table.source(), schema.name, count, cells.size()));
  }
  target.task_ = count == 2 ? TaskKind::binary : TaskKind::multiclass;
  target.labels(table, training);  // every training row has one of the classes
  return target;
}

TargetEncoder TargetEncoder::of_labels(std::string name, LabelSets sets) {
  TargetEncoder target;
  target.name_ = std::move(name);
  target.task_ = TaskKind::multilabel;
  target.reason_ = sets.reason();
  target.sets_ = std::move(sets);
  return target;
}

TargetEncoder TargetEncoder::of_targets(std::vector<TargetEncoder> targets) {
  TargetEncoder all;
  all.task_ = TaskKind::multitask;
  for (const TargetEncoder& target : targets) {
    all.name_ += (all.name_.empty() ? "" : ", ") + target.name();
    all.reason_ += fmt::format("{}{}: {}, {}", all.reason_.empty() ? "" : "; ", target.name(), data::name_of(target.task()), target.reason());
  }
  all.targets_ = std::move(targets);
  return all;
}

Tensor TargetEncoder::labels(const Table& table, std::span<const int64_t> rows) const {
  if (task_ == TaskKind::multitask) {
    const auto width = std::ssize(targets_);
    Tensor y = Tensor::empty({std::ssize(rows), width});
    for (int64_t k = 0; k < width; ++k) {
      const Tensor one = targets_[static_cast<size_t>(k)].labels(table, rows);
      const bool indexes = one.dtype() == Dtype::i64;
      for (int64_t i = 0; i < one.numel(); ++i) y.mutable_data()[i * width + k] = indexes ? static_cast<float>(one.data<int64_t>()[i]) : one.data()[i];
    }
    return y;
  }
  if (task_ == TaskKind::multilabel) return sets_.encode(table, rows);
  const int64_t column = table.column_index(name_);
  for (const int64_t row : rows) target_cell(table, row, column);
  if (task_ == TaskKind::regression) {
    std::vector<float> scaled;
    for (const double value : column_numbers(table, column, rows, ColumnType::number, BadCell::error)) {
      scaled.push_back(static_cast<float>(scaler_.apply(value)));
    }
    return Tensor::from(Shape{static_cast<int64_t>(rows.size())}, scaled);
  }
  std::vector<int64_t> indexes;
  for (const int64_t row : rows) {
    const Cell cell = table.cell(row, column);
    const auto index = labels_.encode(cell);
    if (!index) {
      throw DataError(kWhere, fmt::format("{}: {} is not a class of the training rows; expected one of {}{}",
                                          table.place(row, column), shown(cell), fmt::join(class_names(), ", "),
                                          did_you_mean(cell, class_names())));
    }
    indexes.push_back(*index);
  }
  return Tensor::from(Shape{static_cast<int64_t>(rows.size())}, std::span<const int64_t>(indexes));
}

Json TargetEncoder::to_json() const {
  if (task_ == TaskKind::clustering) return nullptr;
  Json json = {{"name", name_}, {"task", name_of(task_)}, {"reason", reason_}};
  if (task_ == TaskKind::regression)
    json["scale"] = scaler_.to_json();
  else if (task_ == TaskKind::multilabel)
    json["labels"] = sets_.to_json();
  else if (task_ == TaskKind::multitask)
    for (const TargetEncoder& target : targets_) json["targets"].push_back(target.to_json());
  else
    json["classes"] = class_names();
  return json;
}

TargetEncoder TargetEncoder::from_json(const SavedState& state) {
  TargetEncoder target;
  target.name_ = state.text("name");
  target.reason_ = state.text("reason");
  const std::string task = state.word("task", {"binary", "multiclass", "multilabel", "multitask", "regression"});
  if (task == "multitask") {
    std::vector<TargetEncoder> targets;
    for (const Json& saved : state.list("targets")) {
      targets.push_back(from_json(SavedState(saved, state.name() + ": one of several targets")));
      if (!has_classes(targets.back().task()) && targets.back().task() != TaskKind::regression) state.fail("targets", "classes and numbers");
    }
    if (targets.size() < 2) state.fail("targets", "at least two");
    return of_targets(std::move(targets));
  }
  if (task == "multilabel") return of_labels(target.name_, LabelSets::from_json(state.inner("labels")));
  if (task == "regression") {
    target.task_ = TaskKind::regression;
    target.scaler_ = Scaler::from_json(state.inner("scale"));
    return target;
  }
  target.task_ = task == "binary" ? TaskKind::binary : TaskKind::multiclass;
  const std::vector<std::string> names = state.texts("classes");
  if (std::unordered_set<std::string>(names.begin(), names.end()).size() != names.size() || names.size() < 2) {
    state.fail("classes", "at least two distinct texts");
  }
  target.labels_ = LabelEncoder::from_names(names);
  if ((target.class_names().size() == 2) != (task == "binary"))
    state.fail("classes", "two for binary, more for multiclass");
  return target;
}

}  // namespace danlu::data
