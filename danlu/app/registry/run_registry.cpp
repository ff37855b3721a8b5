#include "danlu/app/registry/run_registry.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "danlu/app/recipe/file_lock.h"
#include "danlu/app/registry/record.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/log.h"
#include "danlu/base/options.h"

namespace danlu::app {
namespace {

using registry::Run;
using registry::RunKey;
using registry::RunRecord;

constexpr const char* kWhere = "app.registry";

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

// 0: no such file.
uint64_t inode_of(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

// Of a directory that need not be there yet.
fs::path absolute_path(const fs::path& path) { return path.empty() ? path : fs::weakly_canonical(fs::absolute(path)); }

// The names of the directories in `path`, but for hidden ones.
std::vector<std::string> directories_in(const fs::path& path) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path, error)) {
    std::string name = entry.path().filename().string();
    if (!name.starts_with(".") && entry.is_directory(error)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

RunRegistry::RunRegistry(fs::path runs, const std::string& location)
    : runs_(std::move(runs)),
      location_(location.empty() ? (runs_ / "danlu.db").string() : location),
      is_own_(location.empty()),
      store_(is_own_ ? "" : fmt::format("{}:{}", host_name(), absolute_path(runs_).string())) {
  if (runs_.empty()) throw ConfigError(kWhere, "--runs: got an empty text; expected a directory");
  open();
}

void RunRegistry::open() {
  inode_ = inode_of(location_.secret_text());
  try {
    registry_.emplace(location_);
  } catch (const registry::DamagedDatabase& error) {
    if (!is_own_) throw;
    replace(error.what());
  }
  inode_ = inode_of(location_.secret_text());
}

// Of several processes that find it damaged one sets it aside; the others find a new one.
void RunRegistry::replace(const std::string& reason) {
  registry_.reset();
  const FileLock lock(runs_ / ".locks" / "danlu.db");
  if (inode_of(location_.secret_text()) == inode_) {
    log_warning(kWhere, reason);
    set_aside();
  }
  registry_.emplace(location_);
  inode_ = inode_of(location_.secret_text());
}

// Kept for whoever wants to look: nothing that the run directories do not hold.
void RunRegistry::set_aside() {
  const std::string path = location_.secret_text();
  rename_path(path, path + ".damaged");
  for (const char* suffix : {"-wal", "-shm"}) {
    std::error_code error;
    fs::remove(path + suffix, error);
  }
  log_warning(kWhere, fmt::format("{0} was damaged: it is kept as {0}.damaged, and built again from the runs", path));
}

void RunRegistry::repairing(const std::function<void()>& work) {
  try {
    work();
  } catch (const registry::DamagedDatabase& error) {
    if (!is_own_) throw;
    replace(error.what());
    refresh_once();
    work();
  }
}

void RunRegistry::refresh() {
  repairing([&] { refresh_once(); });
}

void RunRegistry::refresh_once() {
  constexpr size_t kAtOnce = 64;
  auto known = registry_->known(store_);
  std::vector<RunRecord> changed;
  const auto flush = [&] {
    registry_->put(changed);
    changed.clear();
  };
  const auto look = [&](const std::string& name) {
    const RunDirectory run(runs_ / name);
    const std::string stamp = stamp_of(run);
    if (stamp.empty()) return std::string();  // no run.json, or no longer
    const auto before = known.find(name);
    if (before != known.end() && before->second.stamp == stamp) {
      // A process that was killed says nothing.
      if (before->second.status == "running" && run.status() == "interrupted") registry_->set_status({store_, name}, "interrupted");
      std::string kind = before->second.kind;
      known.erase(before);
      return kind;
    }
    try {
      changed.push_back(read_record(run, {store_, name}));
    } catch (const std::exception& error) {
      if (stamp_of(run).empty()) return std::string();  // removed while it was read
      log_warning(kWhere, fmt::format("{} is passed over: {}", run.path().string(), error.what()));
      if (before != known.end()) known.erase(before);
      return std::string();
    }
    if (before != known.end()) known.erase(before);
    std::string kind = changed.back().run.kind;
    if (changed.size() == kAtOnce) flush();
    return kind;
  };
  for (const std::string& name : directories_in(runs_)) {
    if (look(name) != "tune") continue;
    for (const std::string& trial : directories_in(runs_ / name)) look(name + "/" + trial);
  }
  flush();
  if (!fs::exists(runs_)) return;  // a disk that is not there has not lost its runs
  for (const auto& [name, gone] : known) registry_->remove({store_, name});
}

void RunRegistry::record(const RunDirectory& run) {
  const RunKey key = key_of(run);
  if (key.name.empty() || !run.exists()) return;
  repairing([&] { registry_->put({{read_record(run, key)}}); });
}

registry::RunKey RunRegistry::key_of(const RunDirectory& run) const {
  const fs::path path = absolute_path(run.path()).lexically_relative(absolute_path(runs_));
  const std::string name = path.generic_string();
  return {store_, name.starts_with("..") || name == "." ? "" : name};
}

registry::RunRecord RunRegistry::find(const std::string& name) {
  if (name.empty()) throw ConfigError(kWhere, "got an empty name; expected that of a run");
  std::optional<RunRecord> found;
  std::vector<RunKey> keys;
  repairing([&] {
    // "runs/medical/" and "runs/medical" are called medical all the same.
    std::vector<RunKey> candidates = {{store_, name}, key_of(RunDirectory(name.ends_with('/') ? name.substr(0, name.size() - 1) : name))};
    for (const RunKey& key : candidates) {
      if (!found && !key.name.empty()) found = registry_->find(key);
    }
    if (found) return;
    keys = registry_->named(name);
    const size_t slash = name.find('/', name.find(":/") + 2);
    for (size_t at = slash; keys.empty() && at != std::string::npos && name.find(":/") != std::string::npos; at = name.find('/', at + 1)) {
      const RunKey key{name.substr(0, at), name.substr(at + 1)};
      if (registry_->find(key)) keys = {key};
    }
    if (keys.size() == 1) found = registry_->find(keys[0]);
  });
  if (found) return *std::move(found);
  std::vector<std::string> names;
  for (const RunKey& key : keys) names.push_back(shown(key));
  if (!names.empty()) throw FileError(kWhere, fmt::format("got run \"{}\", of which there are {}; say which", name, fmt::join(names, ", ")));
  for (const Run& run : list({}, 0, {})) names.push_back(shown(run.key));
  constexpr size_t kNamed = 20;
  const std::string hint = did_you_mean(name, names);
  const size_t count = names.size();
  if (count > kNamed) names.resize(kNamed);
  throw FileError(kWhere, count == 0 ? fmt::format("got run \"{}\"; there are no runs in {}", name, runs_.string())
                                     : fmt::format("got run \"{}\"; there are {}{}{}", name, fmt::join(names, ", "),
                                                   count > kNamed ? fmt::format(" and {} more", count - kNamed) : "", hint));
}

std::vector<registry::Run> RunRegistry::list(const registry::Query& query, int64_t results, const std::vector<std::string>& names) {
  std::vector<Run> runs;
  repairing([&] { runs = registry_->list(query, results, names); });
  return runs;
}

void RunRegistry::check_key(const std::string& name) {
  std::vector<std::string> keys;
  bool found = false;
  repairing([&] {
    found = registry_->has_key(name) || registry_->list({.limit = 1}, 0, {}).empty();
    if (!found) keys = registry_->keys();
  });
  if (!found) throw ConfigError(kWhere, fmt::format("got \"{}\"; no run has a result or an option of that name{}", name, did_you_mean(name, keys)));
}

void RunRegistry::forget(const RunKey& key) {
  repairing([&] { registry_->remove(key); });
}

std::string RunRegistry::shown(const RunKey& key) const { return is_here(key) ? key.name : key.store + "/" + key.name; }

}  // namespace danlu::app
