#include "danlu/learn/tune/space.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::tune {
namespace {

constexpr const char* kWhere = "learn.tune";
constexpr double kLargest = 1e15;  // whole numbers up to here are exact, their halves too
constexpr int kDigits = 4;

double rounded(double value) {
  if (value == 0) return 0;
  const double unit = std::pow(10.0, std::floor(std::log10(std::abs(value))) - (kDigits - 1));
  // Division by a power of ten gives the nearest number to the decimal where multiplication by its inverse may not.
  return unit < 1 ? std::round(value / unit) / std::round(1 / unit) : std::round(value / unit) * unit;
}

// How a parameter is written: one of these words, and what goes with it.
const std::vector<std::string> kForms = {"uniform", "log_uniform", "int", "choice"};

bool is_form(const Json& json) {
  return json.is_object() && std::any_of(kForms.begin(), kForms.end(), [&](const std::string& form) { return json.contains(form); });
}

class SpaceReader {
 public:
  SpaceReader(const Locate& locate, Space& space) : locate_(locate), space_(space) {}

  void read(const Json& json, const std::string& path, const std::string& key) {
    if (is_form(json)) return add(json, path, key);
    if (!json.is_object()) fail(path, fmt::format("got {}; expected a group like {{uniform: [0, 0.5]}}", to_line(json)));
    for (const auto& [name, inner] : json.items()) {
      // What looks like a form and is none, {unifrom: [0, 1]}, is no group of keys.
      const std::string hint = did_you_mean(name, kForms);
      if (!inner.is_object() && !hint.empty()) fail(path, fmt::format("got \"{}\"; expected one of {}{}", name, fmt::join(kForms, ", "), hint));
      read(inner, path + "." + name, key.empty() ? name : key + "." + name);
    }
    if (json.empty() && !key.empty()) fail(path, fmt::format("got nothing; expected one of {}", fmt::join(kForms, ", ")));
  }

 private:
  [[noreturn]] void fail(const std::string& path, const std::string& message) const {
    const std::string place = locate_ ? locate_(path) : "";
    throw ConfigError(kWhere, fmt::format("{}{}: {}", place.empty() ? "" : place + ": ", path, message));
  }

  void add(const Json& json, const std::string& path, const std::string& key) {
    if (std::any_of(space_.begin(), space_.end(), [&](const Parameter& p) { return p.name() == key; })) fail(path, "is given twice");
    const bool is_int = json.contains("int");
    for (const auto& [name, value] : json.items()) {
      const bool form = std::find(kForms.begin(), kForms.end(), name) != kForms.end();
      if (form && json.size() == (is_int && json.contains("log") ? 2u : 1u)) continue;
      if (is_int && name == "log" && value.is_boolean()) continue;
      fail(path, fmt::format("got {}; expected one of {}, and log: true beside int alone", to_line(json), fmt::join(kForms, ", ")));
    }
    if (json.contains("choice")) return add_choice(json["choice"], path, key);
    if (is_int) return add_range(json["int"], path, key, true, json.value("log", false));
    const bool log = json.contains("log_uniform");
    add_range(log ? json["log_uniform"] : json["uniform"], path, key, false, log);
  }

  void add_choice(const Json& json, const std::string& path, const std::string& key) {
    if (!json.is_array() || json.empty()) fail(path, fmt::format("choice: got {}; expected a list of at least one value", to_line(json)));
    std::vector<Json> choices;
    for (const Json& value : json) {
      if (std::find(choices.begin(), choices.end(), value) != choices.end()) fail(path, fmt::format("choice: {} is given twice", to_line(value)));
      choices.push_back(value);
    }
    space_.push_back(Parameter::choice(key, std::move(choices)));
  }

  void add_range(const Json& json, const std::string& path, const std::string& key, bool whole, bool log) {
    const char* expected = whole ? "two whole numbers" : "two numbers";
    if (!json.is_array() || json.size() != 2) fail(path, fmt::format("got {}; expected {}, [low, high]", to_line(json), expected));
    std::array<double, 2> range{};
    for (size_t i = 0; i < 2; ++i) {
      if (!json[i].is_number()) fail(path, fmt::format("got {}; expected {}, [low, high]", to_line(json), expected));
      range[i] = json[i].get<double>();
      const bool fits = std::abs(range[i]) <= kLargest && (!whole || range[i] == std::round(range[i]));
      if (!fits) fail(path, fmt::format("got {}; expected {} within {:g}", to_line(json), expected, kLargest));
    }
    if (log && range[0] <= 0) fail(path, fmt::format("got {}; expected a range above 0 for a logarithm", to_line(json)));
    if (range[0] >= range[1]) fail(path, fmt::format("got {}; expected the lower bound first, and the upper one above it", to_line(json)));
    space_.push_back(whole ? Parameter::integer(key, static_cast<int64_t>(range[0]), static_cast<int64_t>(range[1]), log)
                           : Parameter::real(key, range[0], range[1], log));
  }

  const Locate& locate_;
  Space& space_;
};

}  // namespace

Parameter Parameter::real(std::string name, double low, double high, bool log) {
  Parameter p;
  p.name_ = std::move(name);
  p.low_ = low;
  p.high_ = high;
  p.log_ = log;
  return p;
}

Parameter Parameter::integer(std::string name, int64_t low, int64_t high, bool log) {
  Parameter p = real(std::move(name), static_cast<double>(low), static_cast<double>(high), log);
  p.kind_ = Kind::integer;
  return p;
}

Parameter Parameter::choice(std::string name, std::vector<Json> choices) {
  Parameter p = integer(std::move(name), 0, static_cast<int64_t>(choices.size()) - 1);
  p.kind_ = Kind::choice;
  p.choices_ = std::move(choices);
  return p;
}

std::optional<int64_t> Parameter::size() const {
  if (kind_ == Kind::real) return std::nullopt;
  return static_cast<int64_t>(high_ - low_) + 1;
}

double Parameter::scale(double value) const { return log_ ? std::log(value) : value; }
double Parameter::unscale(double scaled) const { return log_ ? std::exp(scaled) : scaled; }
double Parameter::begin() const { return scale(kind_ == Kind::real ? low_ : low_ - 0.5); }
double Parameter::end() const { return scale(kind_ == Kind::real ? high_ : high_ + 0.5); }

double Parameter::to_unit(double value) const { return std::clamp((scale(value) - begin()) / (end() - begin()), 0.0, 1.0); }

double Parameter::from_unit(double u) const {
  const double value = unscale(begin() + u * (end() - begin()));
  return std::clamp(kind_ == Kind::real ? rounded(value) : std::round(value), low_, high_);
}

std::pair<double, double> Parameter::cell(double value) const {
  if (kind_ == Kind::real) return {to_unit(value), to_unit(value)};
  return {to_unit(value - 0.5), to_unit(value + 0.5)};
}

Json Parameter::json(double value) const {
  if (kind_ == Kind::choice) return choices_[static_cast<size_t>(value)];
  if (kind_ == Kind::integer) return static_cast<int64_t>(value);
  return value;
}

std::optional<double> Parameter::value(const Json& json) const {
  if (kind_ == Kind::choice) {
    const auto found = std::find(choices_.begin(), choices_.end(), json);
    return found == choices_.end() ? std::nullopt : std::optional(static_cast<double>(found - choices_.begin()));
  }
  if (!json.is_number()) return std::nullopt;
  const double value = json.get<double>();
  const bool fits = value >= low_ && value <= high_ && (kind_ == Kind::real || value == std::round(value));
  return fits ? std::optional(value) : std::nullopt;
}

std::vector<double> Parameter::grid(int64_t points) const {
  std::vector<double> values;
  if (size() && (kind_ == Kind::choice || *size() <= points)) {
    for (double value = low_; value <= high_; ++value) values.push_back(value);
    return values;
  }
  for (int64_t i = 0; i < points; ++i) {
    const double part = points == 1 ? 0.5 : static_cast<double>(i) / static_cast<double>(points - 1);
    const double scaled = scale(low_) + part * (scale(high_) - scale(low_));
    const double value = std::clamp(kind_ == Kind::real ? rounded(unscale(scaled)) : std::round(unscale(scaled)), low_, high_);
    if (values.empty() || values.back() != value) values.push_back(value);
  }
  return values;
}

Space parse_space(const Json& json, const Locate& locate, const std::string& prefix) {
  Space space;
  if (json.is_null()) return space;
  SpaceReader(locate, space).read(json, prefix, "");
  return space;
}

std::optional<int64_t> size(const Space& space) {
  int64_t all = 1;
  for (const Parameter& parameter : space) {
    const std::optional<int64_t> one = parameter.size();
    if (!one || __builtin_mul_overflow(all, *one, &all)) return std::nullopt;
  }
  return all;
}

Json to_json(const Space& space, const Point& point) {
  Json json = Json::object();
  for (size_t i = 0; i < space.size(); ++i) json[space[i].name()] = space[i].json(point[i]);
  return json;
}

std::optional<Point> from_json(const Space& space, const Json& json) {
  if (!json.is_object() || json.size() != space.size()) return std::nullopt;
  Point point;
  for (const Parameter& parameter : space) {
    const auto found = json.find(parameter.name());
    const std::optional<double> value = found == json.end() ? std::nullopt : parameter.value(*found);
    if (!value) return std::nullopt;
    point.push_back(*value);
  }
  return point;
}

Point random_point(const Space& space, Rng& rng) {
  Point point;
  for (const Parameter& parameter : space) point.push_back(parameter.from_unit(rng.uniform()));
  return point;
}

}  // namespace danlu::tune
