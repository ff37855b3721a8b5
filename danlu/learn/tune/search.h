// What a search has done, and what it does next. Both are functions of the events of its journal: a search that was killed reads
// them back and goes on as if nothing had been.
//
//   {"event": "begin", "trial": 1, "params": {"train.optimizer.lr": 0.003}}
//   {"event": "rung", "trial": 1, "rung": 0, "value": 0.41, "seconds": 2.5}         successive halving: it waits here
//   {"event": "end", "trial": 1, "state": "finished", "value": 0.35, "seconds": 9}  or "failed", with "error"
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "danlu/learn/tune/suggest.h"

namespace danlu::tune {

struct Trial {
  enum class State { running, paused, finished, failed };

  int64_t number = 0;  // from 1
  Point point;
  State state = State::running;
  std::optional<double> value;                // of the metric, at its best checkpoint so far
  std::vector<std::optional<double>> rungs;   // its value at each; none: it failed on the way
  std::string error;
  double seconds = 0;
  Json facts = Json::object();                // what the last event said besides
};

const char* name_of(Trial::State state);

// Begin a trial, or go on with one.
struct Task {
  int64_t trial = 0;
  Point point;
  bool begins = false;
  std::optional<int64_t> rung;  // where it shall pause; none: at its end
};

class Search {
 public:
  Search(Space space, TuneOptions options, bool maximize);

  const Space& space() const { return space_; }
  const TuneOptions& options() const { return options_; }
  const std::vector<Trial>& trials() const { return trials_; }
  bool maximizes() const { return maximize_; }

  // Nothing: the search is over. With `time_is_up` no trial begins or is promoted, and what is under way is ended.
  std::optional<Task> next(bool time_is_up = false) const;
  // Throws DataError for an event that cannot follow those before it.
  void apply(const Json& event);

  // How far a trial goes to reach a rung, in the unit of the options.
  double resource(int64_t rung) const;

  // Of those with a value the best; null while there is none. The earlier one of equals.
  const Trial* best() const;
  // All, the best first; those without a value last.
  std::vector<const Trial*> ranking() const;
  double seconds() const;

  // The events, for the journal.
  Json begin(const Task& task) const;
  static Json rung(const Task& task, std::optional<double> value, double seconds, const Json& facts);
  static Json finished(const Task& task, double value, double seconds, const Json& facts);
  static Json failed(const Task& task, const std::string& error, double seconds);

 private:
  double cost(double value) const { return maximize_ ? -value : value; }
  bool halves() const { return options_.method == "asha"; }
  std::optional<Point> suggest(int64_t n) const;
  const Trial* promotable() const;
  Task go_on(const Trial& trial) const;

  Space space_;
  TuneOptions options_;
  bool maximize_;
  std::vector<Trial> trials_;
};

}  // namespace danlu::tune
