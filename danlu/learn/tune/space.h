// What a search may vary: parameters, each with a name and the values that it may take.
//
//   train.optimizer.lr: {log_uniform: [1e-4, 1e-1]}
//   model.dropout: {uniform: [0, 0.5]}
//   train.batch_size: {int: [16, 256], log: true}
//   model.hidden: {choice: [[64], [128, 64]]}
//
// A point is one number a parameter: the value itself, or the index of a choice. Suggesters see parameters in the unit interval,
// where the logarithm has been taken and every whole number has a cell of its own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "danlu/base/options.h"
#include "danlu/base/rng.h"

namespace danlu::tune {

using Point = std::vector<double>;

class Parameter {
 public:
  enum class Kind { real, integer, choice };

  static Parameter real(std::string name, double low, double high, bool log = false);
  static Parameter integer(std::string name, int64_t low, int64_t high, bool log = false);
  static Parameter choice(std::string name, std::vector<Json> choices);

  const std::string& name() const { return name_; }
  Kind kind() const { return kind_; }
  bool log() const { return log_; }  // is the logarithm taken
  double low() const { return low_; }
  double high() const { return high_; }
  const std::vector<Json>& choices() const { return choices_; }
  // How many values there are; none: without number.
  std::optional<int64_t> size() const;

  // Between the unit interval and values. from_unit takes any u in [0, 1]; a real value keeps four digits, so that people can
  // read, repeat and type it.
  double to_unit(double value) const;
  double from_unit(double u) const;
  // The part of the unit interval that means `value`: a cell of some width for whole numbers and choices, a point for real ones.
  std::pair<double, double> cell(double value) const;

  // As it stands in a recipe, and back: nothing for what is no value of this parameter.
  Json json(double value) const;
  std::optional<double> value(const Json& json) const;

  // At most so many values, spread evenly over the unit interval; all choices.
  std::vector<double> grid(int64_t points) const;

 private:
  Parameter() = default;
  double scale(double value) const;    // the logarithm, if it is to be taken
  double unscale(double scaled) const;
  double begin() const;  // of the scaled range
  double end() const;

  std::string name_;
  Kind kind_ = Kind::real;
  double low_ = 0, high_ = 0;
  bool log_ = false;
  std::vector<Json> choices_;
};

using Space = std::vector<Parameter>;

// Reads {"key.path": {uniform: [low, high]}, ...}; keys may be nested groups as well. Throws ConfigError naming file:line,
// prefix.key and what is wrong: an empty choice, a range the wrong way round, the logarithm of what is not above 0.
Space parse_space(const Json& json, const Locate& locate = {}, const std::string& prefix = "space");

// How many points there are; none: without number.
std::optional<int64_t> size(const Space& space);

// {"key.path": value, ...}, and back: nothing if it is no point of this space.
Json to_json(const Space& space, const Point& point);
std::optional<Point> from_json(const Space& space, const Json& json);

// Independent and uniform in the unit interval.
Point random_point(const Space& space, Rng& rng);

}  // namespace danlu::tune
