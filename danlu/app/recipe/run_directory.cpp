#include "danlu/app/recipe/run_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <sstream>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/options.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.run";

// Outside the run directory, which is moved and removed while the lock is held.
fs::path lock_path(const RunDirectory& run) {
  const fs::path path = fs::absolute(run.path());
  return path.parent_path() / ".locks" / path.filename();
}

bool is_locked(const RunDirectory& run) {
  const int fd = ::open(lock_path(run).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool locked = ::flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(fd);
  return locked;
}

void remove_tree(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) throw FileError(kWhere, fmt::format("cannot remove {}: {}", path.string(), error.message()));
}

// Nothing but what a process may leave that is killed while it makes the first run.json.
bool is_unborn(const fs::path& path) {
  if (!fs::is_directory(path)) return false;
  return std::ranges::all_of(fs::directory_iterator(path), [](const auto& entry) {
    return entry.path().filename().string().starts_with("run.json.tmp-");
  });
}

}  // namespace

void RunDirectory::start_fresh() const {
  if (exists()) {
    const fs::path previous = path_.parent_path() / ".previous" / path_.filename();
    remove_tree(previous);
    make_directories(previous.parent_path());
    rename_path(path_, previous);
  } else if (fs::exists(path_) && !is_unborn(path_)) {
    throw ConfigError(
        kWhere, fmt::format("{} is in the way and is no run; choose another name, or another --runs", path_.string()));
  }
  make_directories(path_);
  remove_abandoned_temporaries(path_);
}

void RunDirectory::remove(const std::vector<const char*>& names) const {
  for (const char* name : names) remove_tree(path_ / name);
}

void RunDirectory::remove_all() const { remove_tree(path_); }

std::string RunDirectory::text(const char* name) const { return fs::exists(file(name)) ? read_file(file(name)) : std::string(); }

Json RunDirectory::json(const char* name) const { return fs::exists(file(name)) ? read_json(file(name)) : Json::object(); }

std::vector<Json> RunDirectory::lines(const char* name) const {
  std::vector<Json> all;
  std::istringstream stream(text(name));
  for (std::string line; std::getline(stream, line);) {
    Json entry = Json::parse(line, nullptr, false);
    if (entry.is_object()) all.push_back(std::move(entry));
  }
  return all;
}

Json RunDirectory::info() const {
  Json json = read_json(path_ / "run.json");
  if (!json.is_object()) throw DataError(kWhere, fmt::format("{}: got {}; expected a JSON object", file("run.json").string(), json.type_name()));
  return json;
}

std::string RunDirectory::fact(const char* name) const {
  const Json json = info();
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

void RunDirectory::update(const Json& fields) const {
  Json all = exists() ? info() : Json::object();
  all.update(fields);
  write_json(path_ / "run.json", all);
}

std::string RunDirectory::status() const {
  const std::string said = fact("status"), status = said.empty() ? "unknown" : said;
  return status == "running" && !is_locked(*this) ? "interrupted" : status;
}

RunLock::RunLock(const RunDirectory& run) {
  const fs::path path = lock_path(run);
  make_directories(path.parent_path());
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) throw FileError(kWhere, fmt::format("cannot open {}: {}", path.string(), std::strerror(errno)));
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) {
    if (run.exists()) remove_abandoned_temporaries(run.path());
    return;
  }
  ::close(fd_);
  throw ConfigError(kWhere, fmt::format("another process is at work on {}; wait for it, or choose another name",
                                        run.path().string()));
}

RunLock::~RunLock() { ::close(fd_); }

std::vector<RunDirectory> list_runs(const fs::path& runs) {
  std::vector<std::pair<std::string, RunDirectory>> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(runs, error)) {
    const RunDirectory run(entry.path());
    if (run.name().starts_with(".") || !run.exists()) continue;
    try {
      found.emplace_back(run.fact("started"), run);
    } catch (const Error&) {
      found.emplace_back("", run);  // it cannot be read, and is there
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<RunDirectory> result;
  for (auto& [started, run] : found) result.push_back(std::move(run));
  return result;
}

RunDirectory find_run(const std::string& name_or_path, const fs::path& runs) {
  for (const fs::path& candidate : {runs / name_or_path, fs::path(name_or_path)}) {
    // "runs/medical/" is called medical all the same.
    const fs::path path = candidate.has_filename() ? candidate : candidate.parent_path();
    if (RunDirectory run(path); run.exists()) return run;
  }
  std::vector<std::string> names;
  for (const RunDirectory& run : list_runs(runs)) names.push_back(run.name());
  const std::string there =
      names.empty() ? fmt::format("there are no runs in {}", runs.string())
                    : fmt::format("there are {}{}", fmt::join(names, ", "), did_you_mean(name_or_path, names));
  throw FileError(kWhere, fmt::format("got run \"{}\"; {}", name_or_path, there));
}

std::string now_text() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text.data();
}

}  // namespace danlu::app
