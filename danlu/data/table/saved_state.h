// Reading the saved state of a transform: a bundle may come from anywhere, so nothing in it is believed.
#pragma once

#include <string>
#include <vector>

#include "danlu/base/json.h"

namespace danlu::data {

// Fields of one saved transform. Every call throws DataError naming the transform and the field if it is absent or not
// of its type.
class SavedState {
 public:
  // `name` is what messages call it: `column "age" scaler`. Keeps a reference to `json`.
  SavedState(const Json& json, std::string name);

  SavedState inner(const char* key) const;  // an object
  bool has(const char* key) const { return json_.contains(key) && !json_[key].is_null(); }
  double number(const char* key) const;  // finite
  bool flag(const char* key) const;
  std::string text(const char* key) const;
  // One of a few words.
  std::string word(const char* key, const std::vector<std::string>& words) const;
  std::vector<double> numbers(const char* key) const;
  std::vector<std::string> texts(const char* key) const;
  const Json& list(const char* key) const;

  const std::string& name() const { return name_; }
  [[noreturn]] void fail(const char* key, const std::string& expected) const;

 private:
  const Json& get(const char* key) const;
  const Json& json_;
  std::string name_;
};

}  // namespace danlu::data
