#include "danlu/data/table/encode.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/table/values.h"

namespace danlu::data {
namespace {

using Counts = std::map<std::string_view, int64_t>;

Counts count_values(std::span<const Cell> cells) {
  Counts counts;
  for (const Cell cell : cells) {
    if (!is_missing(cell)) ++counts[cell];
  }
  return counts;
}

// The categories that training keeps: often enough, and the most frequent if there are too many. Sorted by name.
std::vector<std::string> kept_categories(const Counts& counts, const EncodeOptions& options) {
  std::vector<std::pair<int64_t, std::string_view>> ranked;
  for (const auto& [name, count] : counts) {
    if (count >= options.min_count) ranked.emplace_back(-count, name);
  }
  std::sort(ranked.begin(), ranked.end());  // by count, then by name
  if (ranked.size() > static_cast<size_t>(options.max_categories))
    ranked.resize(static_cast<size_t>(options.max_categories));
  std::vector<std::string> kept;
  for (const auto& [unused, name] : ranked) kept.emplace_back(name);
  std::sort(kept.begin(), kept.end());
  return kept;
}

std::unordered_map<std::string, int64_t> index_names(const std::vector<std::string>& names) {
  std::unordered_map<std::string, int64_t> index;
  for (size_t i = 0; i < names.size(); ++i) index.emplace(names[i], static_cast<int64_t>(i));
  return index;
}

}  // namespace

CategoryEncoder CategoryEncoder::fit(std::span<const Cell> training, const std::vector<std::string>& declared,
                                     const std::string& extra, const EncodeOptions& options) {
  const Counts counts = count_values(training);
  CategoryEncoder encoder;
  encoder.one_hot_ = options.method != "ordinal";
  if (declared.size() <= static_cast<size_t>(options.max_categories)) encoder.categories_ = declared;
  const std::unordered_map<std::string, int64_t> known = index_names(encoder.categories_);
  for (std::string& category : kept_categories(counts, options)) {
    if (!known.contains(category)) encoder.categories_.push_back(std::move(category));
  }
  encoder.index_categories();
  if (!extra.empty() && !encoder.index_.contains(extra)) {
    encoder.categories_.push_back(extra);
    encoder.index_categories();
  }
  const bool filled = std::any_of(counts.begin(), counts.end(), [&](const auto& entry) {
    return !encoder.index_.contains(std::string(entry.first));
  });
  if (options.unknown == "error")
    encoder.unknown_ = Unknown::error;
  else if (options.unknown == "reserve" || (options.unknown == "auto" && filled))
    encoder.unknown_ = Unknown::reserve;
  return encoder;
}

void CategoryEncoder::index_categories() {
  index_ = index_names(categories_);
  number_index_.clear();
  for (size_t i = 0; i < categories_.size(); ++i) {
    const auto number = parse_number(categories_[i]);
    if (number && std::isfinite(*number)) number_index_.emplace(*number, static_cast<int64_t>(i));
  }
}

int64_t CategoryEncoder::index_of(std::string_view category) const {
  if (const auto it = index_.find(std::string(category)); it != index_.end()) return it->second;
  if (const auto number = parse_number(category); number && !number_index_.empty()) {
    if (const auto it = number_index_.find(*number); it != number_index_.end()) return it->second;
  }
  return static_cast<int64_t>(categories_.size());
}

int64_t CategoryEncoder::num_features() const {
  return single() ? 1 : static_cast<int64_t>(categories_.size()) + (has_slot() ? 1 : 0);
}

std::vector<std::string> CategoryEncoder::feature_names(const std::string& column) const {
  if (!one_hot_) return {column};
  if (single()) return {fmt::format("{}={}", column, categories_[1])};
  std::vector<std::string> names;
  for (const std::string& category : categories_) names.push_back(fmt::format("{}={}", column, category));
  if (has_slot()) names.push_back(fmt::format("{}=(unknown)", column));
  return names;
}

void CategoryEncoder::write(double index, float* features) const {
  const double count = static_cast<double>(categories_.size());
  if (!one_hot_) {
    features[0] = static_cast<float>(index / count);
  } else if (single()) {
    features[0] = index >= count ? 0.5f : static_cast<float>(index);
  } else {
    const int64_t n = num_features();
    std::fill(features, features + n, 0.0f);
    if (index < static_cast<double>(n)) features[static_cast<int64_t>(index)] = 1.0f;
  }
}

std::optional<std::string> CategoryEncoder::inverse(std::span<const float> features) const {
  size_t index = 0;
  const size_t count = categories_.size();
  if (!one_hot_) {
    index = static_cast<size_t>(std::lround(std::clamp(features[0], 0.0f, 1.0f) * static_cast<float>(count)));
  } else if (single()) {
    index = features[0] == 0.5f ? count : features[0] > 0.5f ? 1 : 0;
  } else {
    const auto largest = std::max_element(features.begin(), features.end());
    index = *largest > 0 ? static_cast<size_t>(largest - features.begin()) : count;
  }
  return index < count ? std::optional(categories_[index]) : std::nullopt;
}

Json CategoryEncoder::to_json() const {
  const char* unknown = unknown_ == Unknown::reserve ? "reserve" : unknown_ == Unknown::zero ? "zero" : "error";
  return {{"method", one_hot_ ? "one_hot" : "ordinal"}, {"unknown", unknown}, {"categories", categories_}};
}

CategoryEncoder CategoryEncoder::from_json(const SavedState& state) {
  CategoryEncoder encoder;
  encoder.one_hot_ = state.word("method", {"one_hot", "ordinal"}) == "one_hot";
  const std::string unknown = state.word("unknown", {"reserve", "zero", "error"});
  encoder.unknown_ = unknown == "reserve" ? Unknown::reserve : unknown == "zero" ? Unknown::zero : Unknown::error;
  encoder.categories_ = state.texts("categories");
  encoder.index_categories();
  if (encoder.categories_.empty() || encoder.index_.size() != encoder.categories_.size()) {
    state.fail("categories", "distinct texts, at least one");
  }
  return encoder;
}

LabelEncoder LabelEncoder::fit(std::span<const Cell> training, const std::vector<std::string>& declared) {
  if (!declared.empty()) return from_names(declared);
  std::vector<std::string> names;
  bool numbers = true;
  for (const auto& [name, unused] : count_values(training)) {
    names.emplace_back(name);
    const auto number = parse_number(name);
    numbers = numbers && number && std::isfinite(*number);
  }
  if (numbers) {
    std::stable_sort(names.begin(), names.end(),
                     [](const std::string& a, const std::string& b) { return *parse_number(a) < *parse_number(b); });
  }
  return from_names(std::move(names));
}

LabelEncoder LabelEncoder::from_names(std::vector<std::string> names) {
  LabelEncoder encoder;
  encoder.names_ = std::move(names);
  encoder.index_ = index_names(encoder.names_);
  if (encoder.names_.size() < 2 || encoder.index_.size() != encoder.names_.size()) {
    throw DataError("data.label",
                    fmt::format("got {} ({}); expected at least two distinct classes",
                                encoder.names_.size() == 1 ? "one class" : "classes", fmt::join(encoder.names_, ", ")));
  }
  return encoder;
}

std::optional<int64_t> LabelEncoder::encode(std::string_view name) const {
  const auto it = index_.find(std::string(name));
  return it == index_.end() ? std::nullopt : std::optional(it->second);
}

const std::string& LabelEncoder::decode(int64_t index) const {
  if (index < 0 || index >= static_cast<int64_t>(names_.size())) {
    throw DataError("data.label", fmt::format("got class index {}; expected 0 to {}", index, names_.size() - 1));
  }
  return names_[static_cast<size_t>(index)];
}

}  // namespace danlu::data
