#include "danlu/app/recipe/overrides.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "danlu/app/recipe/yaml.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.recipe";

class KeyCollector : public OptionVisitor {
 public:
  std::vector<RecipeKey> keys_found;
  void field(const char* n, bool&, const char*) override { add(n); }
  void field(const char* n, int64_t&, Range, const char*) override { add(n); }
  void field(const char* n, double&, Range, const char*) override { add(n); }
  void field(const char* n, std::string&, const char*) override { add(n); }
  void field(const char* n, std::optional<int64_t>&, Range, const char*) override { add(n); }
  void field(const char* n, std::optional<double>&, Range, const char*) override { add(n); }
  void field(const char* n, std::vector<int64_t>&, Range, const char*) override { add(n); }
  void field(const char* n, std::vector<double>&, Range, const char*) override { add(n); }
  void field(const char* n, std::vector<std::string>&, const char*) override { add(n); }
  void field(const char* n, Json&, const char*) override { add(n, true); }
  void choice(const char* n, std::string&, const std::vector<std::string>&, const char*) override { add(n); }

 protected:
  bool enter(const char* name, const char*) override {
    groups_.push_back(path_of(name));
    return true;
  }
  void leave() override { groups_.pop_back(); }
  std::vector<std::string> keys(const std::vector<std::string>& present) override { return present; }

 private:
  std::string path_of(const char* name) const { return groups_.empty() ? name : groups_.back() + "." + name; }
  void add(const char* name, bool free_form = false) { keys_found.push_back({path_of(name), free_form}); }
  std::vector<std::string> groups_;
};

std::string variable_of(const std::string& path) {
  std::string name = "DANLU_" + path;
  for (char& c : name) c = c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// The key path that a variable sets, if any.
std::optional<std::string> path_for(const std::string& variable, const std::vector<RecipeKey>& keys) {
  for (const RecipeKey& key : keys) {
    const std::string name = variable_of(key.path);
    if (variable == name) return key.path;
    if (key.free_form && variable.starts_with(name + "_")) {
      return key.path + "." + lower(variable.substr(name.size() + 1));
    }
  }
  return std::nullopt;
}

// DANLU_TRAIN_ and the like. Other DANLU_ variables belong to other parts of the program.
bool names_a_group(const std::string& variable, const std::vector<RecipeKey>& keys) {
  return std::any_of(keys.begin(), keys.end(), [&](const RecipeKey& key) {
    const size_t dot = key.path.find('.');
    return dot != std::string::npos && variable.starts_with(variable_of(key.path.substr(0, dot)) + "_");
  });
}

}  // namespace

Locate locate_with(Locate file, Origins origins) {
  return [file = std::move(file), origins = std::move(origins)](std::string_view key_path) {
    for (std::string_view path = key_path; !path.empty();) {
      const auto found = origins.find(std::string(path));
      if (found != origins.end()) return found->second;
      const size_t cut = path.find_last_of(".[");
      path = path.substr(0, cut == std::string_view::npos ? 0 : cut);
    }
    return file(key_path);
  };
}

std::vector<RecipeKey> recipe_keys(const std::function<void(OptionVisitor&)>& describe) {
  KeyCollector collector;
  describe(collector);
  return collector.keys_found;
}

void apply_environment(Json& recipe, const std::vector<RecipeKey>& keys, Origins& origins) {
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::string variable = text.substr(0, text.find('='));
    // The name of a run comes from its recipe; where the data lie (DANLU_DATA) is no key of it.
    if (!variable.starts_with("DANLU_") || variable == "DANLU_NAME" || variable.size() == text.size()) continue;
    if (const auto path = path_for(variable, keys)) {
      set_value(recipe, *path, parse_yaml_value(text.substr(variable.size() + 1), variable), variable);
      origins[*path] = variable;
    } else if (names_a_group(variable, keys)) {
      std::vector<std::string> known;
      for (const RecipeKey& key : keys) known.push_back(variable_of(key.path));
      throw ConfigError(kWhere,
                        fmt::format("unknown environment variable {}{}", variable, did_you_mean(variable, known)));
    }
  }
}

const Json* find_value(const Json& json, const std::string& key_path) {
  const Json* at = &json;
  for (size_t begin = 0, dot = 0; dot != std::string::npos; begin = dot + 1) {
    dot = key_path.find('.', begin);
    const std::string key = key_path.substr(begin, dot == std::string::npos ? dot : dot - begin);
    if (!at->is_object() || !at->contains(key)) return nullptr;
    at = &at->at(key);
  }
  return at;
}

void set_value(Json& json, const std::string& key_path, Json value, const std::string& origin) {
  Json* at = &json;
  size_t begin = 0;
  for (;;) {
    const size_t dot = key_path.find('.', begin);
    const std::string key = key_path.substr(begin, dot - begin);
    if (key.empty()) throw ConfigError(kWhere, fmt::format("{}: got \"{}\"; expected key.sub=value", origin, key_path));
    if (at->is_null()) *at = Json::object();
    // A bare word like `optimizer: adam` opens up when one of its options is set.
    if (at->is_string()) *at = Json{{"type", at->get<std::string>()}};
    if (!at->is_object()) {
      throw ConfigError(kWhere, fmt::format("{}: {} has no keys below it", origin, key_path.substr(0, begin - 1)));
    }
    at = &(*at)[key];
    if (dot == std::string::npos) break;
    begin = dot + 1;
  }
  *at = std::move(value);
}

void apply_overrides(Json& recipe, const std::vector<std::string>& overrides, Origins& origins) {
  for (const std::string& text : overrides) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw ConfigError(kWhere, fmt::format("got \"{}\"; expected key.sub=value, for example train.epochs=5", text));
    }
    const std::string origin = "command line";
    const std::string key_path = text.substr(0, equals);
    set_value(recipe, key_path, parse_yaml_value(text.substr(equals + 1), origin), origin);
    origins[key_path] = origin;
  }
}

}  // namespace danlu::app
