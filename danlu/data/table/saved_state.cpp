#include "danlu/data/table/saved_state.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::data {

SavedState::SavedState(const Json& json, std::string name) : json_(json), name_(std::move(name)) {
  if (!json.is_object()) throw DataError("data.saved", fmt::format("{}: got no object; the file is damaged", name_));
}

SavedState SavedState::inner(const char* key) const {
  const Json& json = get(key);
  if (!json.is_object()) fail(key, "an object");
  return {json, fmt::format("{} {}", name_, key)};
}

double SavedState::number(const char* key) const {
  const Json& json = get(key);
  if (!json.is_number() || !std::isfinite(json.get<double>())) fail(key, "a finite number");
  return json.get<double>();
}

bool SavedState::flag(const char* key) const {
  const Json& json = get(key);
  if (!json.is_boolean()) fail(key, "true or false");
  return json.get<bool>();
}

std::string SavedState::text(const char* key) const {
  const Json& json = get(key);
  if (!json.is_string()) fail(key, "a text");
  return json.get<std::string>();
}

std::string SavedState::word(const char* key, const std::vector<std::string>& words) const {
  const std::string word = text(key);
  if (std::find(words.begin(), words.end(), word) == words.end()) {
    fail(key, fmt::format("one of {}", fmt::join(words, ", ")));
  }
  return word;
}

std::vector<double> SavedState::numbers(const char* key) const {
  std::vector<double> values;
  for (const Json& item : list(key)) {
    if (!item.is_number() || !std::isfinite(item.get<double>())) fail(key, "a list of finite numbers");
    values.push_back(item.get<double>());
  }
  return values;
}

std::vector<std::string> SavedState::texts(const char* key) const {
  std::vector<std::string> values;
  for (const Json& item : list(key)) {
    if (!item.is_string()) fail(key, "a list of texts");
    values.push_back(item.get<std::string>());
  }
  return values;
}

const Json& SavedState::list(const char* key) const {
  const Json& json = get(key);
  if (!json.is_array()) fail(key, "a list");
  return json;
}

const Json& SavedState::get(const char* key) const {
  const auto it = json_.find(key);
  if (it == json_.end()) fail(key, "a value");
  return *it;
}

void SavedState::fail(const char* key, const std::string& expected) const {
  std::string got = json_.contains(key) ? to_line(json_[key]) : "nothing";
  if (got.size() > 60) got = got.substr(0, 57) + "...";
  throw DataError("data.saved",
                  fmt::format("{}: \"{}\": got {}; expected {}; the file is damaged or of another version", name_, key,
                              got, expected));
}

}  // namespace danlu::data
