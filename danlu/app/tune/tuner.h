// A search for better values of some keys of a recipe (docs/howto/tune-a-recipe.md).
//
//   runs/NAME-tune/
//     trials.jsonl           the journal: what was begun, and what came of it
//     0001/ 0002/ ...        a run each, up to its checkpoints; never evaluated on the test split
//     best/                  the winner, bundled and evaluated
//     tune.json, tune.html   the results, written anew after every trial
//
// A search that was interrupted goes on from its journal, and the trial under way from its checkpoint: the result is the same.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "danlu/app/recipe/pipeline.h"
#include "danlu/learn/tune/journal.h"
#include "danlu/learn/tune/search.h"

namespace danlu::app {

// Whoever watches a search. The winner's stages are told to `run`, and the updates of every trial; a stop is asked for there.
struct TuneObserver {
  Observer run;
  std::function<void(const tune::Search&)> on_resume;                     // an earlier session's trials are there
  std::function<void(const tune::Task&)> on_task;                         // a trial begins, or goes on
  std::function<void(const tune::Search&, const tune::Trial&)> on_trial;  // it ended, or pauses at a rung
};

class Tuner {
 public:
  // `recipe` with its section `tune`, `directory` of the search. Throws ConfigError for a search that makes no sense.
  Tuner(Recipe recipe, RunDirectory directory, TuneObserver observer);

  // False if it was stopped on request: then it goes on when called again, by another process too. A search of another recipe, or an
  // earlier one with `fresh`, is kept beside it as .previous/NAME-tune. Throws Error if no trial came to anything.
  bool run(bool fresh = false);

  const tune::Search& search() const { return search_; }
  const RunDirectory& directory() const { return directory_; }
  RunDirectory trial_directory(int64_t number) const;
  RunDirectory best_directory() const { return RunDirectory(directory_.path() / "best"); }

 private:
  enum class Outcome { done, stopped };

  void check_data();
  void open(bool fresh);
  bool search_to_end();
  void changed() const;  // run.json of the search
  void record(const Json& event);
  Outcome work_on(const tune::Task& task);
  Outcome train(const tune::Task& task);
  bool shares_data() const;
  void check_same_data(const RunDirectory& trial);
  bool conclude();
  bool is_concluded(int64_t best) const;
  void write_results() const;
  Json fingerprint() const;
  bool stop_requested() const { return observer_.run.stop_requested(); }

  Recipe recipe_;
  RunDirectory directory_;
  TuneObserver observer_;
  tune::Search search_;
  std::unique_ptr<RunLock> lock_;
  std::unique_ptr<tune::Journal> journal_;
};

}  // namespace danlu::app
