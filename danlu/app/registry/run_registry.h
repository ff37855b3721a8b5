// The registry of a directory of runs, kept in step with it: RUNS/danlu.db, or a place that several share.
//
// The run directories are the truth. What is in the registry and no longer there is forgotten, what is new is read; a SQLite file
// that is damaged is set aside and built again.
//
// Errors   as of learn/registry/registry.h
// Threads  one at a time; any number of processes.
#pragma once

#include <functional>
#include <string>

#include "danlu/app/recipe/run_directory.h"
#include "danlu/learn/registry/registry.h"

namespace danlu::app {

class RunRegistry {
 public:
  // `location` as in learn/registry/location.h; empty: danlu.db in `runs`.
  RunRegistry(fs::path runs, const std::string& location);

  // Brings in what has changed in the run directories, searches and their trials among them.
  void refresh();
  // This run as it is now. It lies below the directory of runs, or is not kept.
  void record(const RunDirectory& run);
  // Of a run that lies in this directory.
  registry::RunKey key_of(const RunDirectory& run) const;
  bool is_here(const registry::RunKey& key) const { return key.store == store_; }
  RunDirectory directory(const registry::RunKey& key) const { return RunDirectory(runs_ / key.name); }

  // A name as list() shows it. Throws FileError naming similar ones.
  registry::RunRecord find(const std::string& name);
  std::vector<registry::Run> list(const registry::Query& query, int64_t results, const std::vector<std::string>& names);
  void forget(const registry::RunKey& key);
  // Throws ConfigError naming a similar one unless some run has a result, an option or a column of that name, or there are no runs.
  void check_key(const std::string& name);
  // What a user calls it: its name here, STORE/NAME elsewhere.
  std::string shown(const registry::RunKey& key) const;

 private:
  void open();
  void replace(const std::string& reason);
  void set_aside();
  void refresh_once();
  // Runs `work`, and again on a registry that was built anew if this one proves to be damaged.
  void repairing(const std::function<void()>& work);

  fs::path runs_;
  registry::Location location_;
  bool is_own_;        // danlu.db in the directory itself
  std::string store_;  // of registry::RunKey
  std::optional<registry::Registry> registry_;
  uint64_t inode_ = 0;  // of the file that it has open; 0: none
};

}  // namespace danlu::app
