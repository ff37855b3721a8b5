// The registry of runs: what was trained, from what, how well. A SQLite file beside the runs, or a PostgreSQL database for a team.
//
// It is an index. The truth is in the run directories, from which app/registry fills it; a registry that is lost is built again.
// Every call is one transaction: whoever is killed in it leaves the state before. Several processes may write at once.
//
// Errors   ConfigError   a registry of a newer version, a database that is none, a program without PostgreSQL
//          FileError, DamagedDatabase   as in database.h
// Threads  one at a time.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "danlu/learn/registry/database.h"
#include "danlu/learn/registry/query.h"
#include "danlu/learn/registry/run_record.h"

namespace danlu::registry {

class Registry {
 public:
  // Creates it where there is none, and brings one of an older version to this one.
  explicit Registry(const Location& location);
  Registry(Registry&&) = default;

  // These runs, each in the place of what was kept under its key.
  void put(std::span<const RunRecord> records);
  void set_status(const RunKey& key, const std::string& status);
  void remove(const RunKey& key);

  // Runs without their metrics, params and artefacts. `results`: the first so many of each run, and those of these names.
  std::vector<Run> list(const Query& query, int64_t results = 2, const std::vector<std::string>& names = {});
  std::optional<RunRecord> find(const RunKey& key);
  // The keys of that name, in whatever store.
  std::vector<RunKey> named(const std::string& name);

  // The names of all results and options that runs have.
  std::vector<std::string> keys();
  // Does a run have a result or an option of that name, or all of them such a column?
  bool has_key(const std::string& name);

  // What is known of the runs of a store, to see what has changed.
  struct Known {
    std::string stamp, status, kind;
  };
  std::map<std::string, Known> known(const std::string& store);

 private:
  std::optional<int64_t> id_of(const RunKey& key);
  void put_one(const RunRecord& record);
  int64_t put_run(const Run& run);
  void put_metrics(int64_t id, std::span<const Metric> metrics);
  void insert(const std::string& table, const std::vector<std::vector<Value>>& rows, const std::string& otherwise = "");

  Location location_;
  std::unique_ptr<Database> database_;
};

}  // namespace danlu::registry
