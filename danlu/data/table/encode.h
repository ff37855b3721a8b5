// Categories as numbers, and classes as indexes. Fitted on training rows; names are kept, so that answers can be read.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/base/options.h"
#include "danlu/data/table/saved_state.h"
#include "danlu/data/table/table.h"

namespace danlu::data {

struct EncodeOptions {
  std::string method = "auto";
  std::string unknown = "auto";
  int64_t max_categories = 100;
  int64_t min_count = 1;

  void describe(OptionVisitor& v) {
    v.choice("method", method, {"auto", "one_hot", "ordinal"}, "one feature a category, or their index; auto: one_hot");
    v.choice("unknown", unknown, {"auto", "reserve", "zero", "error"},
             "a value not kept in training: a slot of its own, all zero, or an error; auto: a slot if training fills "
             "it, else zero");
    v.field("max_categories", max_categories, {2, 100000},
            "the most frequent categories that are kept; the others are unknown");
    v.field("min_count", min_count, {1, 1e9}, "training rows that a category needs to be kept");
  }
};

// Categories <-> indexes <-> features.
//
// With K categories kept: an index is 0 to K-1, K for unknown, NaN for missing (before imputation).
// one_hot makes K features, one more if unknown has its own slot, or a single 0/1 feature if K is 2 and it has not;
// there an unknown is 0.5, as far from one as from the other. ordinal makes one feature, index / K.
class CategoryEncoder {
 public:
  CategoryEncoder() = default;
  // `declared` (may be empty) are categories that exist whatever the training rows hold; they come first, in their
  // order. Found ones follow, sorted. `extra` (may be empty) is one more category, for filled gaps.
  static CategoryEncoder fit(std::span<const Cell> training, const std::vector<std::string>& declared,
                             const std::string& extra, const EncodeOptions& options);
  static CategoryEncoder from_json(const SavedState& state);
  Json to_json() const;

  const std::vector<std::string>& categories() const { return categories_; }
  bool one_hot() const { return one_hot_; }
  bool refuses_unknown() const { return unknown_ == Unknown::error; }
  // K if the category is not kept. Numbers that are written differently ("1", "1.0") are one category, as a JSON
  // request and a file may well differ in that.
  int64_t index_of(std::string_view category) const;

  int64_t num_features() const;
  // "sex=m", "sex=f", "sex=(unknown)"; "sex" for ordinal.
  std::vector<std::string> feature_names(const std::string& column) const;
  // Writes num_features() values for an index.
  void write(double index, float* features) const;
  // The category that features stand for (the largest slot); nullopt for unknown.
  std::optional<std::string> inverse(std::span<const float> features) const;

 private:
  enum class Unknown { reserve, zero, error };
  void index_categories();
  bool has_slot() const { return one_hot_ && unknown_ == Unknown::reserve; }
  bool single() const { return !one_hot_ || (categories_.size() == 2 && !has_slot()); }

  bool one_hot_ = true;
  Unknown unknown_ = Unknown::zero;
  std::vector<std::string> categories_;
  std::unordered_map<std::string, int64_t> index_;
  std::unordered_map<double, int64_t> number_index_;  // of the categories that are numbers
};

// Class names <-> 0 .. C-1.
class LabelEncoder {
 public:
  LabelEncoder() = default;
  // `declared` if given, else the distinct cells: by value if all are numbers, else by bytes. Throws DataError for
  // fewer than two.
  static LabelEncoder fit(std::span<const Cell> training, const std::vector<std::string>& declared);
  static LabelEncoder from_names(std::vector<std::string> names);

  const std::vector<std::string>& names() const { return names_; }
  std::optional<int64_t> encode(std::string_view name) const;
  // Throws DataError for an index out of range.
  const std::string& decode(int64_t index) const;

 private:
  std::vector<std::string> names_;
  std::unordered_map<std::string, int64_t> index_;
};

}  // namespace danlu::data
