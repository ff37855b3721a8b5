// Several labels a row: those that a column lists ("role::program, works-with::text"), or columns of their own that say 1 or 0 each.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/data/table/encode.h"
#include "danlu/data/table/saved_state.h"
#include "danlu/data/table/table.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu::data {

class LabelSets {
 public:
  LabelSets() = default;
  // A column whose cells are lists, between separators and spaces. The labels are those that at least `min_rows` training rows have,
  // and not all of them, in the order of their names. Throws DataError if they are fewer than two, and for a missing cell.
  static LabelSets from_lists(const Table& table, std::span<const int64_t> training, const std::string& column, const std::string& separator, int64_t min_rows);
  // Columns, each a label, whose cells are 1, true or yes, or 0, false or no. Throws DataError naming the place of any other cell, and for
  // a label that all training rows have, or none; and for one column.
  static LabelSets from_columns(const Table& table, std::span<const int64_t> training, const std::vector<std::string>& columns);
  static LabelSets from_json(const SavedState& state);
  Json to_json() const;

  const std::vector<std::string>& names() const { return labels_.names(); }
  const std::string& reason() const { return reason_; }

  // f32 (N, labels) of 1 and 0. Labels of lists that are none of names() are passed over. Throws as from_lists and from_columns do for cells.
  Tensor encode(const Table& table, std::span<const int64_t> rows) const;

 private:
  std::vector<std::string> columns_;  // one, or one for each label
  std::string separator_;             // of lists; empty for columns
  std::string reason_;
  LabelEncoder labels_;
};

}  // namespace danlu::data
