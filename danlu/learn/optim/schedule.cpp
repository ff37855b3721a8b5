#include "danlu/learn/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace danlu::optim {

void WarmupOptions::describe(OptionVisitor& v) {
  v.field("warmup", warmup, {0, 1e9}, "linear warm-up: a fraction of the training below 1, a number of updates from 1 on");
}

double Schedule::factor(const Progress& p) const {
  double ramp = 1;
  if (warmup_ >= 1) ramp = (static_cast<double>(p.step) + 1) / warmup_;
  else if (warmup_ > 0) ramp = (p.fraction + p.update_fraction) / warmup_;
  const double warmup_end = std::min(warmup_ >= 1 ? warmup_ * p.update_fraction : warmup_, 1.0);
  Progress after = p;
  after.fraction = p.fraction > warmup_end ? (p.fraction - warmup_end) / (1 - warmup_end) : 0;
  return std::min(ramp, 1.0) * shape(after);
}

namespace {

struct ConstantOptions : WarmupOptions {};

class Constant : public Schedule {
 public:
  explicit Constant(const ConstantOptions& options) : Schedule(options) {}

 protected:
  double shape(const Progress&) const override { return 1; }
};

struct StepOptions : WarmupOptions {
  double every = 10;
  double gamma = 0.1;
  void describe(OptionVisitor& v) {
    v.field("every", every, {1e-6, 1e9}, "epochs between two steps");
    v.field("gamma", gamma, {0, 1}, "factor of each step");
    WarmupOptions::describe(v);
  }
};

class Step : public Schedule {
 public:
  explicit Step(const StepOptions& options) : Schedule(options), options_(options) {}

 protected:
  double shape(const Progress& p) const override { return std::pow(options_.gamma, std::floor(p.epoch / options_.every)); }

 private:
  StepOptions options_;
};

struct DecayOptions : WarmupOptions {
  double end = 0;
  void describe(OptionVisitor& v) {
    v.field("end", end, {0, 1}, "factor at the end of the training");
    WarmupOptions::describe(v);
  }
};

class Linear : public Schedule {
 public:
  explicit Linear(const DecayOptions& options) : Schedule(options), end_(options.end) {}

 protected:
  double shape(const Progress& p) const override { return end_ + (1 - end_) * (1 - p.fraction); }

 private:
  double end_;
};

class Cosine : public Schedule {
 public:
  explicit Cosine(const DecayOptions& options) : Schedule(options), end_(options.end) {}

 protected:
  double shape(const Progress& p) const override {
    return end_ + (1 - end_) * 0.5 * (1 + std::cos(std::numbers::pi * p.fraction));
  }

 private:
  double end_;
};

struct PlateauOptions : WarmupOptions {
  double factor = 0.5;
  int64_t patience = 3;
  double min = 1e-3;
  double threshold = 1e-4;
  void describe(OptionVisitor& v) {
    v.field("factor", factor, {0, 1}, "multiplies the rate at each plateau");
    v.field("patience", patience, {1, 1e6}, "validations without improvement that make a plateau");
    v.field("min", min, {0, 1}, "smallest factor");
    v.field("threshold", threshold, {0, 1}, "relative improvement that counts");
    WarmupOptions::describe(v);
  }
};

class Plateau : public Schedule {
 public:
  explicit Plateau(const PlateauOptions& options) : Schedule(options), options_(options) {}

  void observe(double loss) override {
    if (!has_best_ || loss < best_ - options_.threshold * std::abs(best_)) {
      best_ = loss;
      has_best_ = true;
      waited_ = 0;
    } else if (++waited_ >= options_.patience) {
      factor_ = std::max(factor_ * options_.factor, options_.min);
      waited_ = 0;
    }
  }

  Json state() const override {
    return {{"factor", factor_}, {"waited", waited_}, {"best", has_best_ ? Json(best_) : Json(nullptr)}};
  }
  void set_state(const Json& state) override {
    factor_ = state.at("factor");
    waited_ = state.at("waited");
    has_best_ = !state.at("best").is_null();
    if (has_best_) best_ = state.at("best");
  }

 protected:
  double shape(const Progress&) const override { return factor_; }

 private:
  PlateauOptions options_;
  double factor_ = 1;
  double best_ = 0;
  bool has_best_ = false;
  int64_t waited_ = 0;
};

template <class ScheduleType, class Options>
ScheduleConfig parse_as(const TypedOptions& typed, const Locate& locate, const std::string& prefix, Options options = {}) {
  read_options(typed.options, options, locate, prefix);
  Json resolved = {{"type", typed.type}};
  resolved.update(write_options(options));
  return {typed.type, resolved, [options]() -> std::unique_ptr<Schedule> { return std::make_unique<ScheduleType>(options); }};
}

}  // namespace

ScheduleConfig parse_schedule(const Json& json, const Locate& locate, const std::string& prefix) {
  static const std::vector<std::string> kTypes = {"constant", "step", "linear", "cosine", "plateau"};
  const TypedOptions typed = split_type(json, kTypes, "constant", locate, prefix);
  if (typed.type == "step") return parse_as<Step, StepOptions>(typed, locate, prefix);
  if (typed.type == "linear") return parse_as<Linear, DecayOptions>(typed, locate, prefix);
  if (typed.type == "cosine") return parse_as<Cosine, DecayOptions>(typed, locate, prefix);
  if (typed.type == "plateau") return parse_as<Plateau, PlateauOptions>(typed, locate, prefix);
  return parse_as<Constant, ConstantOptions>(typed, locate, prefix);
}

}  // namespace danlu::optim
