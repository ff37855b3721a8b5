#include "danlu/base/options.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu {
namespace {

std::string join_path(const std::string& prefix, std::string_view name) {
  return prefix.empty() ? std::string(name) : fmt::format("{}.{}", prefix, name);
}

std::string range_text(Range range) {
  const bool low = std::isfinite(range.low), high = std::isfinite(range.high);
  if (low && high) return fmt::format("in [{}, {}{}", range.low, range.high, range.below ? ")" : "]");
  if (low) return fmt::format(">= {}", range.low);
  if (high) return fmt::format("{} {}", range.below ? "<" : "<=", range.high);
  return "any";
}

std::string short_text(const Json& value) {
  std::string text = value.is_string() ? fmt::format("\"{}\"", value.get<std::string>()) : to_line(value);
  if (text.size() <= 60) return text;
  size_t end = 57;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not inside a UTF-8 character
  return text.substr(0, end) + "...";
}

// Fills a struct from JSON. Each level remembers which keys its struct asked for; what is left over is unknown.
class Reader : public OptionVisitor {
 public:
  Reader(const Json& json, const Locate& locate, const std::string& prefix) : locate_(locate) { push(&json, prefix); }

  void finish() { pop(); }

  void field(const char* name, bool& value, const char*) override {
    if (const Json* json = find(name)) {
      if (!json->is_boolean()) wrong_type(name, *json, "true or false");
      value = json->get<bool>();
    }
  }
  void field(const char* name, int64_t& value, Range range, const char*) override {
    if (const Json* json = find(name)) value = integer(name, *json, range);
  }
  void field(const char* name, double& value, Range range, const char*) override {
    if (const Json* json = find(name)) value = number(name, *json, range);
  }
  void field(const char* name, std::string& value, const char*) override {
    if (const Json* json = find(name)) {
      if (!json->is_string()) wrong_type(name, *json, "a text");
      value = json->get<std::string>();
    }
  }
  void field(const char* name, std::optional<int64_t>& value, Range range, const char*) override {
    if (const Json* json = find(name)) value = json->is_null() ? std::nullopt : std::optional(integer(name, *json, range));
  }
  void field(const char* name, std::optional<double>& value, Range range, const char*) override {
    if (const Json* json = find(name)) value = json->is_null() ? std::nullopt : std::optional(number(name, *json, range));
  }
  void field(const char* name, std::vector<int64_t>& value, Range range, const char*) override {
    list(name, value, "a list of whole numbers", [&](const Json& item) { return integer(name, item, range); });
  }
  void field(const char* name, std::vector<double>& value, Range range, const char*) override {
    list(name, value, "a list of numbers", [&](const Json& item) { return number(name, item, range); });
  }
  void field(const char* name, std::vector<std::string>& value, const char*) override {
    list(name, value, "a list of texts", [&](const Json& item) {
      if (!item.is_string()) wrong_type(name, item, "a list of texts");
      return item.get<std::string>();
    });
  }
  void field(const char* name, Json& value, const char*) override {
    if (const Json* json = find(name)) value = *json;
  }
  void choice(const char* name, std::string& value, const std::vector<std::string>& words, const char*) override {
    if (const Json* json = find(name)) {
      // YAML reads an unquoted yes/no/off as text already; a bare number or list is still the wrong type.
      const std::string expected = fmt::format("one of {}", fmt::join(words, ", "));
      if (!json->is_string()) wrong_type(name, *json, expected);
      const std::string word = json->get<std::string>();
      if (std::find(words.begin(), words.end(), word) == words.end()) {
        fail(name, fmt::format("got \"{}\"; expected {}{}", word, expected, did_you_mean(word, words)));
      }
      value = word;
    }
  }

 protected:
  bool enter(const char* name, const char*) override {
    const Json* json = find(name);
    if (json == nullptr || json->is_null()) return false;
    if (!json->is_object()) wrong_type(name, *json, "a group of keys");
    push(json, join_path(levels_.back().path, name));
    return true;
  }
  void leave() override { pop(); }
  std::vector<std::string> keys(const std::vector<std::string>&) override {
    std::vector<std::string> names;
    for (const auto& [key, unused] : levels_.back().json->items()) names.push_back(key);
    return names;
  }

 private:
  struct Level {
    const Json* json;
    std::string path;
    std::vector<std::string> known;
  };

  void push(const Json* json, const std::string& path) {
    if (!json->is_object() && !json->is_null()) {
      throw ConfigError("config", fmt::format("{}: got {}; expected a group of keys", path.empty() ? "top level" : path, short_text(*json)));
    }
    levels_.push_back({json, path, {}});
  }

  void pop() {
    const Level level = std::move(levels_.back());
    levels_.pop_back();
    if (!level.json->is_object()) return;
    for (const auto& [key, unused] : level.json->items()) {
      if (std::find(level.known.begin(), level.known.end(), key) != level.known.end()) continue;
      std::string hint = did_you_mean(key, level.known);
      if (hint.empty()) hint = fmt::format("; known here: {}", fmt::join(level.known, ", "));
      throw ConfigError("config", fmt::format("{}unknown key \"{}\"{}", at(join_path(level.path, key)),
                                              join_path(level.path, key), hint));
    }
  }

  const Json* find(const char* name) {
    Level& level = levels_.back();
    level.known.emplace_back(name);
    if (!level.json->is_object()) return nullptr;
    const auto it = level.json->find(name);
    return it == level.json->end() ? nullptr : &*it;
  }

  std::string at(const std::string& path) const {
    const std::string place = locate_ ? locate_(path) : "";
    return place.empty() ? "" : place + ": ";
  }

  [[noreturn]] void fail(const char* name, const std::string& message) const {
    const std::string path = join_path(levels_.back().path, name);
    throw ConfigError("config", fmt::format("{}{}: {}", at(path), path, message));
  }

  [[noreturn]] void wrong_type(const char* name, const Json& json, std::string_view expected) const {
    fail(name, fmt::format("got {}; expected {}", short_text(json), expected));
  }

  int64_t integer(const char* name, const Json& json, Range range) const {
    if (json.is_number_unsigned() && json.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) {
      wrong_type(name, json, "a whole number of 63 bits");
    }
    int64_t value = 0;
    if (json.is_number_integer()) {
      value = json.get<int64_t>();
    } else if (json.is_number_float() && std::nearbyint(json.get<double>()) == json.get<double>() &&
               std::abs(json.get<double>()) < 0x1p53) {
      value = static_cast<int64_t>(json.get<double>());  // 1e5 in YAML
    } else {
      wrong_type(name, json, "a whole number");
    }
    check_range(name, static_cast<double>(value), json, range);
    return value;
  }

  double number(const char* name, const Json& json, Range range) const {
    if (!json.is_number()) wrong_type(name, json, "a number");
    const double value = json.get<double>();
    if (!std::isfinite(value)) wrong_type(name, json, "a finite number");
    check_range(name, value, json, range);
    return value;
  }

  void check_range(const char* name, double value, const Json& json, Range range) const {
    if (value < range.low || (range.below ? value >= range.high : value > range.high)) {
      fail(name, fmt::format("got {}; expected a number {}", short_text(json), range_text(range)));
    }
  }

  template <class T, class Convert>
  void list(const char* name, std::vector<T>& value, std::string_view expected, const Convert& convert) {
    const Json* json = find(name);
    if (json == nullptr) return;
    value.clear();
    if (json->is_array()) {
      for (const Json& item : *json) value.push_back(convert(item));
    } else if (json->is_object() || json->is_null()) {
      wrong_type(name, *json, expected);
    } else {
      value.push_back(convert(*json));  // one value stands for a list of one
    }
  }

  const Locate& locate_;
  std::vector<Level> levels_;
};

// Renders a struct as JSON.
class Writer : public OptionVisitor {
 public:
  Writer() { stack_.push_back(Json::object()); }
  Json take() { return std::move(stack_.back()); }

  void field(const char* name, bool& value, const char*) override { put(name, value); }
  void field(const char* name, int64_t& value, Range, const char*) override { put(name, value); }
  void field(const char* name, double& value, Range, const char*) override { put(name, value); }
  void field(const char* name, std::string& value, const char*) override { put(name, value); }
  void field(const char* name, std::optional<int64_t>& value, Range, const char*) override {
    put(name, value ? Json(*value) : Json(nullptr));
  }
  void field(const char* name, std::optional<double>& value, Range, const char*) override {
    put(name, value ? Json(*value) : Json(nullptr));
  }
  void field(const char* name, std::vector<int64_t>& value, Range, const char*) override { put(name, value); }
  void field(const char* name, std::vector<double>& value, Range, const char*) override { put(name, value); }
  void field(const char* name, std::vector<std::string>& value, const char*) override { put(name, value); }
  void field(const char* name, Json& value, const char*) override { put(name, value); }
  void choice(const char* name, std::string& value, const std::vector<std::string>&, const char*) override {
    put(name, value);
  }

 protected:
  bool enter(const char* name, const char*) override {
    names_.emplace_back(name);
    stack_.push_back(Json::object());
    return true;
  }
  void leave() override {
    Json inner = std::move(stack_.back());
    stack_.pop_back();
    put(names_.back().c_str(), std::move(inner));
    names_.pop_back();
  }
  std::vector<std::string> keys(const std::vector<std::string>& present) override { return present; }

 private:
  void put(const char* name, Json value) { stack_.back()[name] = std::move(value); }
  std::vector<Json> stack_;
  std::vector<std::string> names_;
};

// One line a field.
class Helper : public OptionVisitor {
 public:
  std::string text;

  void field(const char* name, bool& value, const char* help) override { line(name, value ? "true" : "false", "", help); }
  void field(const char* name, int64_t& value, Range range, const char* help) override {
    line(name, std::to_string(value), range_text(range), help);
  }
  void field(const char* name, double& value, Range range, const char* help) override {
    line(name, fmt::format("{}", value), range_text(range), help);
  }
  void field(const char* name, std::string& value, const char* help) override { line(name, value, "", help); }
  void field(const char* name, std::optional<int64_t>& value, Range range, const char* help) override {
    line(name, value ? std::to_string(*value) : "", range_text(range), help);
  }
  void field(const char* name, std::optional<double>& value, Range range, const char* help) override {
    line(name, value ? fmt::format("{}", *value) : "", range_text(range), help);
  }
  void field(const char* name, std::vector<int64_t>& value, Range range, const char* help) override {
    line(name, fmt::format("[{}]", fmt::join(value, ", ")), range_text(range), help);
  }
  void field(const char* name, std::vector<double>& value, Range range, const char* help) override {
    line(name, fmt::format("[{}]", fmt::join(value, ", ")), range_text(range), help);
  }
  void field(const char* name, std::vector<std::string>& value, const char* help) override {
    line(name, fmt::format("[{}]", fmt::join(value, ", ")), "", help);
  }
  void field(const char* name, Json& value, const char* help) override {
    line(name, value.is_null() ? "" : short_text(value), "", help);
  }
  void choice(const char* name, std::string& value, const std::vector<std::string>& words, const char* help) override {
    line(name, value, fmt::format("{}", fmt::join(words, " | ")), help);
  }

 protected:
  bool enter(const char* name, const char* help) override {
    text += fmt::format("{:{}}{}:  {}\n", "", indent_, name, help);
    indent_ += 2;
    return true;
  }
  void leave() override { indent_ -= 2; }
  std::vector<std::string> keys(const std::vector<std::string>& present) override { return present; }

 private:
  void line(const char* name, const std::string& value, const std::string& range, const char* help) {
    const std::string left = fmt::format("{:{}}{}: {}", "", indent_, name, value);
    text += fmt::format("{:<34} {}{}\n", left, help, range.empty() || range == "any" ? "" : fmt::format(" ({})", range));
  }
  int indent_ = 0;
};

// JSON schema.
class Schema : public OptionVisitor {
 public:
  Schema() { stack_.push_back(object()); }
  Json take() {
    Json schema = std::move(stack_.back());
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
    return schema;
  }

  void field(const char* name, bool& value, const char* help) override { put(name, {{"type", "boolean"}, {"default", value}}, help); }
  void field(const char* name, int64_t& value, Range range, const char* help) override {
    put(name, bounded({{"type", "integer"}, {"default", value}}, range), help);
  }
  void field(const char* name, double& value, Range range, const char* help) override {
    put(name, bounded({{"type", "number"}, {"default", value}}, range), help);
  }
  void field(const char* name, std::string& value, const char* help) override {
    put(name, {{"type", "string"}, {"default", value}}, help);
  }
  void field(const char* name, std::optional<int64_t>&, Range range, const char* help) override {
    put(name, bounded({{"type", Json::array({"integer", "null"})}}, range), help);
  }
  void field(const char* name, std::optional<double>&, Range range, const char* help) override {
    put(name, bounded({{"type", Json::array({"number", "null"})}}, range), help);
  }
  void field(const char* name, std::vector<int64_t>&, Range range, const char* help) override {
    put(name, {{"type", "array"}, {"items", bounded({{"type", "integer"}}, range)}}, help);
  }
  void field(const char* name, std::vector<double>&, Range range, const char* help) override {
    put(name, {{"type", "array"}, {"items", bounded({{"type", "number"}}, range)}}, help);
  }
  void field(const char* name, std::vector<std::string>&, const char* help) override {
    put(name, {{"type", "array"}, {"items", {{"type", "string"}}}}, help);
  }
  void field(const char* name, Json&, const char* help) override { put(name, Json::object(), help); }
  void choice(const char* name, std::string& value, const std::vector<std::string>& words, const char* help) override {
    put(name, {{"enum", words}, {"default", value}}, help);
  }

 protected:
  bool enter(const char* name, const char* help) override {
    names_.emplace_back(name, help);
    stack_.push_back(object());
    return true;
  }
  void leave() override {
    Json inner = std::move(stack_.back());
    stack_.pop_back();
    const auto [name, help] = names_.back();
    names_.pop_back();
    put(name.c_str(), std::move(inner), help.c_str());
  }
  std::vector<std::string> keys(const std::vector<std::string>& present) override {
    stack_.back()["additionalProperties"] = true;  // the names are the user's
    return present;
  }

 private:
  static Json object() {
    return {{"type", "object"}, {"properties", Json::object()}, {"additionalProperties", false}};
  }
  static Json bounded(Json schema, Range range) {
    if (std::isfinite(range.low)) schema["minimum"] = range.low;
    if (std::isfinite(range.high)) schema[range.below ? "exclusiveMaximum" : "maximum"] = range.high;
    return schema;
  }
  void put(const char* name, Json schema, const char* help) {
    if (help[0] != '\0') schema["description"] = help;
    stack_.back()["properties"][name] = std::move(schema);
  }
  std::vector<Json> stack_;
  std::vector<std::pair<std::string, std::string>> names_;
};

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

namespace detail {

void read_options(const Json& json, const std::function<void(OptionVisitor&)>& describe, const Locate& locate,
                  const std::string& prefix) {
  Reader reader(json, locate, prefix);
  describe(reader);
  reader.finish();
}

Json write_options(const std::function<void(OptionVisitor&)>& describe) {
  Writer writer;
  describe(writer);
  return writer.take();
}

std::string help_options(const std::function<void(OptionVisitor&)>& describe) {
  Helper helper;
  describe(helper);
  return helper.text;
}

Json schema_options(const std::function<void(OptionVisitor&)>& describe) {
  Schema schema;
  describe(schema);
  return schema.take();
}

}  // namespace detail

TypedOptions split_type(const Json& json, const std::vector<std::string>& types, const std::string& fallback,
                        const Locate& locate, const std::string& prefix) {
  const auto fail = [&](const std::string& key, const Json& got, const std::string& hint) {
    const std::string place = locate ? locate(key) : "";
    throw ConfigError("config", fmt::format("{}{}: got {}; expected one of {}{}", place.empty() ? "" : place + ": ", key,
                                            short_text(got), fmt::join(types, ", "), hint));
  };
  if (json.is_null()) return {fallback};
  const std::string key = json.is_object() ? join_path(prefix, "type") : prefix;
  TypedOptions result;
  Json type = json;
  if (json.is_object()) {
    result.options = json;
    result.options.erase("type");
    type = json.value("type", Json(fallback));
  }
  if (!type.is_string()) fail(key, type, "");
  result.type = type.get<std::string>();
  if (std::find(types.begin(), types.end(), result.type) == types.end()) fail(key, type, did_you_mean(result.type, types));
  return result;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const std::string* nearest = nullptr;
  size_t best = std::max<size_t>(2, word.size() / 2) + 1;
  for (const std::string& candidate : known) {
    const size_t distance = edit_distance(word, candidate);
    if (distance < best && distance < std::max(word.size(), candidate.size())) best = distance, nearest = &candidate;
  }
  return nearest == nullptr ? "" : fmt::format("; did you mean \"{}\"?", *nearest);
}

}  // namespace danlu
