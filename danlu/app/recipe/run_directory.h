// The run directory, runs/NAME: everything that a run reads, decides and finds out (docs/formats/run-directory.md).
#pragma once

#include <string>
#include <vector>

#include "danlu/base/files.h"
#include "danlu/base/json.h"

namespace danlu::app {

class RunDirectory {
 public:
  explicit RunDirectory(fs::path path) : path_(std::move(path)) {}
  const fs::path& path() const { return path_; }
  std::string name() const { return path_.filename().string(); }
  fs::path file(const char* name) const { return path_ / name; }
  fs::path bundle() const { return path_ / "bundle"; }
  fs::path checkpoints() const { return path_ / "checkpoints"; }
  bool exists() const { return fs::exists(path_ / "run.json"); }
  // What stands in one of its files: empty, an empty object and an empty list where there is no such file. Of a log with a line of JSON
  // for each entry, lines that are no object are left out: a crash may have cut one off. Throw FileError or DataError naming the file.
  std::string text(const char* name) const;
  Json json(const char* name) const;
  std::vector<Json> lines(const char* name) const;

  // Makes this an empty directory for a new run. An earlier run of the same name is kept, once, as .previous/NAME
  // beside it; one run is never mixed with another. Throws ConfigError if something that is no run is in the way. The
  // caller holds the lock.
  void start_fresh() const;
  // Removes what later stages made, so that a stage that is run again leaves nothing stale behind it.
  void remove(const std::vector<const char*>& names) const;
  // The whole run. The caller holds the lock.
  void remove_all() const;

  // run.json, and these fields over it. Throw DataError naming it if it is no JSON object.
  Json info() const;
  void update(const Json& fields) const;
  // A text in it; empty if there is none of that name.
  std::string fact(const char* name) const;
  // What the last stage said: "prepared", "trained", "finished", "stopped", "failed"; "running" while a process is at
  // work and "interrupted" if that process ended without a word.
  std::string status() const;

 private:
  fs::path path_;
};

// Held by the process that works on a run, beside which no other may. The system takes it back when the process ends,
// however it ends; what a killed one left half-written is removed by the next. Throws ConfigError if another process holds it.
class RunLock {
 public:
  explicit RunLock(const RunDirectory& run);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  int fd_ = -1;
};

// The run of that name or path. Throws FileError naming the runs that there are.
RunDirectory find_run(const std::string& name_or_path, const fs::path& runs);

// Those below a directory, newest first.
std::vector<RunDirectory> list_runs(const fs::path& runs);

// UTC, "2026-11-23T02:40:00Z".
std::string now_text();

}  // namespace danlu::app
