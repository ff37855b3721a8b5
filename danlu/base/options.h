// One table of fields for every options struct, beside the struct: its reading, checking, help, schema and rendering all
// come from there.
//
//   struct SgdOptions {
//     double momentum = 0;
//     bool nesterov = false;
//     void describe(OptionVisitor& v) {
//       v.field("momentum", momentum, {0, 1}, "fraction of the last update that is kept");
//       v.field("nesterov", nesterov, "look ahead along the momentum before taking the gradient");
//     }
//   };
//
//   read_options(json, options, "recipe.yaml", "train.optimizer");   // ConfigError on unknown key, type or range
//   Json resolved = write_options(options);                         // every field, defaults included
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "danlu/base/json.h"

namespace danlu {

// Bounds of a number; the lower one belongs to the range, the upper one unless `below`.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool below = false;
};

class OptionVisitor {
 public:
  virtual ~OptionVisitor() = default;

  virtual void field(const char* name, bool& value, const char* help) = 0;
  virtual void field(const char* name, int64_t& value, Range range, const char* help) = 0;
  virtual void field(const char* name, double& value, Range range, const char* help) = 0;
  virtual void field(const char* name, std::string& value, const char* help) = 0;
  // An absent or null value stays empty, which the struct's own documentation explains ("derived from the data").
  virtual void field(const char* name, std::optional<int64_t>& value, Range range, const char* help) = 0;
  virtual void field(const char* name, std::optional<double>& value, Range range, const char* help) = 0;
  virtual void field(const char* name, std::vector<int64_t>& value, Range range, const char* help) = 0;
  virtual void field(const char* name, std::vector<double>& value, Range range, const char* help) = 0;
  // A single string is accepted where a list is expected.
  virtual void field(const char* name, std::vector<std::string>& value, const char* help) = 0;
  // Free-form: whoever owns the value checks it.
  virtual void field(const char* name, Json& value, const char* help) = 0;
  // One of a few words.
  virtual void choice(const char* name, std::string& value, const std::vector<std::string>& words, const char* help) = 0;

  // A nested options struct.
  template <class Options>
  void group(const char* name, Options& options, const char* help) {
    if (enter(name, help)) {
      options.describe(*this);
      leave();
    }
  }

  // A nested options struct for every name that the user chooses (columns, for example).
  template <class Options>
  void map(const char* name, std::map<std::string, Options>& entries, const char* help) {
    std::vector<std::string> names;
    for (const auto& [key, unused] : entries) names.push_back(key);
    if (enter(name, help)) {
      for (const std::string& key : keys(names)) group(key.c_str(), entries[key], "");
      leave();
    }
  }

 protected:
  // Descends into a group; false if there is nothing to visit there.
  virtual bool enter(const char* name, const char* help) = 0;
  virtual void leave() = 0;
  // The keys of the map just entered: those that the struct has, or those that the source has.
  virtual std::vector<std::string> keys(const std::vector<std::string>& present) = 0;
};

// Where a value of a file came from: "recipe.yaml:4". May return an empty string.
using Locate = std::function<std::string(std::string_view key_path)>;

namespace detail {
void read_options(const Json& json, const std::function<void(OptionVisitor&)>& describe, const Locate& locate,
                  const std::string& prefix);
Json write_options(const std::function<void(OptionVisitor&)>& describe);
std::string help_options(const std::function<void(OptionVisitor&)>& describe);
Json schema_options(const std::function<void(OptionVisitor&)>& describe);
}  // namespace detail

// Fills the fields named in `json` and leaves the others. `prefix` is the key path of the struct ("train.optimizer", empty
// at the top); errors read `recipe.yaml:4: unknown key "train.epoch"; did you mean "epochs"?`. Throws ConfigError.
template <class Options>
void read_options(const Json& json, Options& options, const Locate& locate = {}, const std::string& prefix = "") {
  detail::read_options(json, [&](OptionVisitor& v) { options.describe(v); }, locate, prefix);
}

// Every field as JSON, in the order of the table.
template <class Options>
Json write_options(Options options) {
  return detail::write_options([&](OptionVisitor& v) { options.describe(v); });
}

// One line a field: name, default, range, help.
template <class Options>
std::string help_options(Options options = {}) {
  return detail::help_options([&](OptionVisitor& v) { options.describe(v); });
}

// JSON schema (draft 2020-12) of the struct.
template <class Options>
Json schema_options(Options options = {}) {
  return detail::schema_options([&](OptionVisitor& v) { options.describe(v); });
}

// Takes {"type": WORD, option: value ...}, or just WORD, apart into the word and the options. An absent or null value means
// {fallback, no options}. Throws ConfigError unless the word is one of `types`.
struct TypedOptions {
  std::string type;
  Json options = Json::object();
};
TypedOptions split_type(const Json& json, const std::vector<std::string>& types, const std::string& fallback,
                        const Locate& locate, const std::string& prefix);

// A sentence like `; did you mean "epochs"?` for the nearest of `known` by edit distance, or an empty string if none is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace danlu
