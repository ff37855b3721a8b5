// What the registry keeps of a run: docs/formats/registry.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace danlu::registry {

// Which run: its path below the directory of runs, "medical" or "medical-tune/0007", and that directory. The store is empty in the
// database that lies in the directory itself, "host:/path/of/runs" in one that several directories share.
struct RunKey {
  std::string store, name;
  friend auto operator<=>(const RunKey&, const RunKey&) = default;
};

struct Result {
  std::string name;  // "accuracy" on the test split; "training.seconds" and other numbers of run.json
  double value = 0;
  friend bool operator==(const Result&, const Result&) = default;
};

struct Metric {
  std::string name;  // "validation_loss"
  int64_t step = 0;
  double value = 0;  // NaN is kept
};

struct Param {
  std::string name;   // "train.optimizer.lr"
  std::string value;  // 0.001, adamw; a list as JSON
  std::optional<double> number;
};

struct Artefact {
  std::string path;  // below the directory of the run
  std::string hash;  // XXH3, 128 bits
  int64_t bytes = 0;
};

// What a list shows.
struct Run {
  RunKey key;
  std::string parent;  // the name of the run that this one belongs to or came from, in the same store
  std::string kind;    // "run", "tune", "import"
  std::string status, stage, error;
  std::string started, finished;  // UTC, "2026-11-23T02:40:00Z"
  std::optional<double> seconds;  // of training
  std::string data_hash, recipe_hash, weights_hash;
  std::string danlu, git_commit;
  std::string stamp;  // of the run.json that this was read from; whoever reads decides what it is made of
  std::vector<std::string> tags;
  std::vector<Result> results;  // the most important first
};

// All of it.
struct RunRecord {
  Run run;
  std::string info;    // run.json
  std::string recipe;  // as it was given
  std::vector<Param> params;
  std::vector<Metric> metrics;
  std::vector<Artefact> artefacts;
};

}  // namespace danlu::registry
