// The run directory, runs/NAME: everything that a run reads, decides and finds out.
//
//   recipe.yaml           as given           resolved.yaml   every option, with the reason of automatic ones
//   run.json              status, times, version, commit, data hash, weights hash
//   data_report.{json,txt}                   split.json      indexes of train, validation and test
//   config.json           what the model is  preprocess.json the fitted transforms
//   metrics.jsonl         a line a validation
//   checkpoints/{best,last}.safetensors
//   report.{json,txt}     the test split, read once, on weights reloaded from disk
//   bundle/               what serving needs (infer/bundle.h)
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
  fs::path file(const char* name) const { return path_ / name; }
  fs::path bundle() const { return path_ / "bundle"; }
  fs::path checkpoints() const { return path_ / "checkpoints"; }
  bool exists() const { return fs::exists(path_ / "run.json"); }

  // An empty directory for a new run. An earlier run of the same name is kept, once, under .previous/NAME beside it; a run is
  // never mixed with another. Throws ConfigError if that earlier run is still at work.
  void start_fresh() const;

  // run.json with these fields set over what is there.
  Json update(const Json& fields) const;
  Json info() const;
  // "finished", "failed", "running", or "interrupted": it says running, but its process is gone.
  std::string status() const;

 private:
  fs::path path_;
};

// The run of that name or path. Throws FileError naming the runs that there are.
RunDirectory find_run(const std::string& name_or_path, const fs::path& runs);

// Those below a directory, newest first.
std::vector<RunDirectory> list_runs(const fs::path& runs);

// The commit that the working directory's repository is at, with "+" if files have changed since; empty outside one.
std::string git_commit();
// UTC, "2026-11-23T02:40:00Z".
std::string now_text();

}  // namespace danlu::app
