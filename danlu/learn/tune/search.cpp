#include "danlu/learn/tune/search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::tune {
namespace {

constexpr const char* kWhere = "learn.tune";
constexpr double kWorst = std::numeric_limits<double>::infinity();

}  // namespace

const char* name_of(Trial::State state) {
  switch (state) {
    case Trial::State::running: return "running";
    case Trial::State::paused: return "paused";
    case Trial::State::finished: return "finished";
    case Trial::State::failed: return "failed";
  }
  return "unknown";
}

Search::Search(Space space, TuneOptions options, bool maximize) : space_(std::move(space)), options_(std::move(options)), maximize_(maximize) {}

double Search::resource(int64_t rung) const {
  return options_.asha.first * std::pow(options_.asha.reduction, static_cast<double>(rung));
}

Task Search::go_on(const Trial& trial) const {
  Task task{trial.number, trial.point, false, std::nullopt};
  if (halves()) task.rung = static_cast<int64_t>(trial.rungs.size());
  return task;
}

std::optional<Task> Search::next(bool time_is_up) const {
  for (const Trial& trial : trials_) {
    if (trial.state == Trial::State::running) return go_on(trial);
  }
  const auto begun = static_cast<int64_t>(trials_.size());
  if (!time_is_up) {
    if (const Trial* trial = halves() ? promotable() : nullptr) return go_on(*trial);
    if (!options_.trials || begun < *options_.trials) {
      if (const std::optional<Point> point = suggest(begun)) {
        return Task{begun + 1, *point, true, halves() ? std::optional<int64_t>(0) : std::nullopt};
      }
    }
  }
  // Nothing is left to compare; the best one gets to its end.
  if (const Trial* trial = best(); trial != nullptr && trial->state == Trial::State::paused) return Task{trial->number, trial->point, false, std::nullopt};
  return std::nullopt;
}

std::optional<Point> Search::suggest(int64_t n) const {
  if (options_.method == "grid") return suggest_grid(space_, options_.points, n);
  std::vector<Observation> tried;
  for (const Trial& trial : trials_) {
    Observation o{trial.point, std::nullopt, halves() ? static_cast<int64_t>(trial.rungs.size()) : 0};
    if (trial.value && trial.state != Trial::State::failed) o.cost = cost(*trial.value);
    tried.push_back(std::move(o));
  }
  const bool by_chance = options_.method == "random" || (halves() && options_.asha.sampler == "random");
  return by_chance ? suggest_random(space_, options_.seed, n, tried) : suggest_tpe(space_, options_.tpe, options_.seed, n, tried);
}

// From the highest rung down: one of the best n / reduction of all that reached a rung, that has not gone on from there.
// Source: Li et al. 2020, "A system for massively parallel hyperparameter tuning", algorithm 2, with one worker.
const Trial* Search::promotable() const {
  size_t highest = 0;
  for (const Trial& trial : trials_) highest = std::max(highest, trial.rungs.size());
  for (size_t rung = highest; rung-- > 0;) {
    std::vector<const Trial*> there;
    for (const Trial& trial : trials_) {
      if (trial.rungs.size() > rung) there.push_back(&trial);
    }
    const auto cost_of = [&](const Trial* trial) { return trial->rungs[rung] ? cost(*trial->rungs[rung]) : kWorst; };
    std::stable_sort(there.begin(), there.end(), [&](const Trial* a, const Trial* b) { return cost_of(a) < cost_of(b); });
    there.resize(static_cast<size_t>(static_cast<double>(there.size()) / options_.asha.reduction));
    for (const Trial* trial : there) {
      if (trial->state == Trial::State::paused && trial->rungs.size() == rung + 1) return trial;
    }
  }
  return nullptr;
}

void Search::apply(const Json& event) {
  try {
    const auto& kind = event.at("event").get_ref<const std::string&>();
    const auto number = event.at("trial").get<int64_t>();
    if (kind == "begin") {
      const std::optional<Point> point = from_json(space_, event.at("params"));
      if (!point) throw DataError(kWhere, fmt::format("got {}; expected a point of the space", to_line(event)));
      if (number != static_cast<int64_t>(trials_.size()) + 1) throw DataError(kWhere, fmt::format("got trial {} after {}", number, trials_.size()));
      Trial trial;
      trial.number = number;
      trial.point = *point;
      trials_.push_back(std::move(trial));
      return;
    }
    if (number < 1 || number > static_cast<int64_t>(trials_.size())) throw DataError(kWhere, fmt::format("got {}; expected a trial that has begun", to_line(event)));
    Trial& trial = trials_[static_cast<size_t>(number - 1)];
    if (trial.state == Trial::State::finished || trial.state == Trial::State::failed) {
      throw DataError(kWhere, fmt::format("got {}; expected nothing more of a trial that has ended", to_line(event)));
    }
    const std::optional<double> value = event.contains("value") && event["value"].is_number() ? std::optional(event["value"].get<double>()) : std::nullopt;
    trial.seconds += event.at("seconds").get<double>();
    trial.facts = event.value("facts", Json::object());
    if (value) trial.value = value;
    if (kind == "rung") {
      trial.state = Trial::State::paused;
      trial.rungs.push_back(value);
    } else if (kind == "end") {
      const bool failed = event.at("state") == "failed";
      trial.state = failed ? Trial::State::failed : Trial::State::finished;
      trial.error = event.value("error", "");
      trial.rungs.push_back(failed ? std::nullopt : value);
    } else {
      throw DataError(kWhere, fmt::format("got event \"{}\"; expected begin, rung or end", kind));
    }
  } catch (const Json::exception& error) {
    throw DataError(kWhere, fmt::format("got {}: {}", to_line(event), error.what()));
  }
}

const Trial* Search::best() const {
  const Trial* best = nullptr;
  for (const Trial& trial : trials_) {
    if (!trial.value || trial.state == Trial::State::failed) continue;
    if (best == nullptr || cost(*trial.value) < cost(*best->value)) best = &trial;
  }
  return best;
}

std::vector<const Trial*> Search::ranking() const {
  std::vector<const Trial*> all;
  for (const Trial& trial : trials_) all.push_back(&trial);
  const auto cost_of = [&](const Trial* t) { return t->value && t->state != Trial::State::failed ? cost(*t->value) : kWorst; };
  std::stable_sort(all.begin(), all.end(), [&](const Trial* a, const Trial* b) { return cost_of(a) < cost_of(b); });
  return all;
}

double Search::seconds() const {
  double sum = 0;
  for (const Trial& trial : trials_) sum += trial.seconds;
  return sum;
}

Json Search::begin(const Task& task) const {
  return {{"event", "begin"}, {"trial", task.trial}, {"params", to_json(space_, task.point)}};
}

Json Search::rung(const Task& task, std::optional<double> value, double seconds, const Json& facts) {
  return {{"event", "rung"}, {"trial", task.trial}, {"rung", *task.rung}, {"value", value ? Json(*value) : Json(nullptr)}, {"seconds", seconds}, {"facts", facts}};
}

Json Search::finished(const Task& task, double value, double seconds, const Json& facts) {
  return {{"event", "end"}, {"trial", task.trial}, {"state", "finished"}, {"value", value}, {"seconds", seconds}, {"facts", facts}};
}

Json Search::failed(const Task& task, const std::string& error, double seconds) {
  return {{"event", "end"}, {"trial", task.trial}, {"state", "failed"}, {"error", error}, {"seconds", seconds}};
}

}  // namespace danlu::tune
