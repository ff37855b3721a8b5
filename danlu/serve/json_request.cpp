#include "danlu/serve/json_request.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/serve/error.h"

namespace danlu::serve {
namespace {

// Comparisons of keys that reading a request may take: a second or so.
constexpr int64_t kMaxComparisons = 1'000'000'000;

// Whether a request can be read in reasonable time. The members of an object are kept in a list, and each new one is
// compared with all before: a few megabytes of them would take minutes. Counts the colons of each level, outside of
// strings.
bool is_bearable(std::string_view json) {
  std::vector<int64_t> members = {0};
  int64_t comparisons = 0;
  bool in_string = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      members.push_back(0);
    } else if ((c == '}' || c == ']') && members.size() > 1) {
      members.pop_back();
    } else if (c == ':') {
      comparisons += members.back()++;
      if (comparisons > kMaxComparisons) return false;
    }
  }
  return true;
}

}  // namespace

void wrong_type(const std::string& place, const Json& got, const std::string& expected) {
  throw RequestError(400, "wrong_type", fmt::format("{} is {}; expected {}", place, got.type_name(), expected), place);
}

void bad_value(const std::string& place, const std::string& message) {
  throw RequestError(400, "bad_value", fmt::format("{}: {}", place, message), place);
}

Json parse_json_body(const std::string& body) {
  if (!is_bearable(body)) throw RequestError(400, "bad_json", "objects have too many members to be read in time");
  try {
    return parse_json(body, "request");
  } catch (const DataError& error) {
    throw RequestError(400, "bad_json", error.message());
  }
}

Json parse_json_request(const HttpRequest& http) {
  if (http.body.empty()) throw RequestError(400, "bad_json", "the request body is empty; expected a JSON object");
  Json json = parse_json_body(http.body);
  if (json.is_object()) return json;
  throw RequestError(400, "wrong_type", fmt::format("the request is {}; expected an object", json.type_name()));
}

Fields::Fields(const Json& object, std::string place) : object_(object), place_(std::move(place)) {}

std::string Fields::place(const std::string& name) const { return place_.empty() ? name : place_ + "." + name; }

const Json* Fields::find(const std::string& name) const {
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::optional<bool> Fields::boolean(const std::string& name) const {
  const Json* value = find(name);
  if (!value) return std::nullopt;
  if (!value->is_boolean()) wrong_type(place(name), *value, "true or false");
  return value->get<bool>();
}

std::optional<int64_t> Fields::integer(const std::string& name, int64_t low, int64_t high) const {
  const Json* value = find(name);
  if (!value) return std::nullopt;
  if (!value->is_number_integer()) wrong_type(place(name), *value, "a whole number");
  const bool huge = value->is_number_unsigned() && value->get<uint64_t>() > static_cast<uint64_t>(INT64_MAX);
  if (huge || value->get<int64_t>() < low || value->get<int64_t>() > high) {
    bad_value(place(name), fmt::format("got {}; expected {} to {}", to_line(*value), low, high));
  }
  return value->get<int64_t>();
}

std::optional<std::string> Fields::string(const std::string& name) const {
  const Json* value = find(name);
  if (!value) return std::nullopt;
  if (!value->is_string()) wrong_type(place(name), *value, "a string");
  return value->get<std::string>();
}

const Json* Fields::array(const std::string& name) const {
  const Json* value = find(name);
  if (value && !value->is_array()) wrong_type(place(name), *value, "an array");
  return value;
}

const Json* Fields::object(const std::string& name) const {
  const Json* value = find(name);
  if (value && !value->is_object()) wrong_type(place(name), *value, "an object");
  return value;
}

}  // namespace danlu::serve
