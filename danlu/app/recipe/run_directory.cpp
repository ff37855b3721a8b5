#include "danlu/app/recipe/run_directory.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <memory>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/options.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.run";

std::string output_of(const char* command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command, "r"), ::pclose);
  std::string text;
  std::array<char, 256> buffer;
  while (pipe && std::fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr) text += buffer.data();
  return text;
}

void move(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) throw FileError(kWhere, fmt::format("cannot move {} to {}: {}", from.string(), to.string(), error.message()));
}

}  // namespace

void RunDirectory::start_fresh() const {
  if (fs::exists(path_)) {
    if (exists() && status() == "running") {
      throw ConfigError(kWhere, fmt::format("run {} is at work in process {}; wait for it, or choose another name=", path_.string(), to_line(info()["pid"])));
    }
    const fs::path previous = path_.parent_path() / ".previous" / path_.filename();
    std::error_code ignored;
    fs::remove_all(previous, ignored);
    make_directories(previous.parent_path());
    move(path_, previous);
  }
  make_directories(path_);
}

Json RunDirectory::update(const Json& fields) const {
  Json all = exists() ? info() : Json::object();
  all.update(fields);
  write_json(path_ / "run.json", all);
  return all;
}

Json RunDirectory::info() const { return read_json(path_ / "run.json"); }

std::string RunDirectory::status() const {
  const Json json = info();
  const std::string status = json.value("status", std::string("unknown"));
  if (status != "running") return status;
  const auto pid = json.value("pid", int64_t{0});
  return pid > 0 && ::kill(static_cast<pid_t>(pid), 0) == 0 ? "running" : "interrupted";
}

std::vector<RunDirectory> list_runs(const fs::path& runs) {
  std::vector<std::pair<std::string, RunDirectory>> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(runs, error)) {
    RunDirectory run(entry.path());
    if (entry.path().filename().string().front() == '.' || !entry.is_directory() || !run.exists()) continue;
    found.emplace_back(run.info().value("started", std::string()), run);
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<RunDirectory> result;
  for (auto& [started, run] : found) result.push_back(std::move(run));
  return result;
}

RunDirectory find_run(const std::string& name_or_path, const fs::path& runs) {
  for (const fs::path& candidate : {runs / name_or_path, fs::path(name_or_path)}) {
    if (RunDirectory run(candidate); run.exists()) return run;
  }
  std::vector<std::string> names;
  for (const RunDirectory& run : list_runs(runs)) names.push_back(run.path().filename().string());
  throw FileError(kWhere, fmt::format("got run \"{}\"; {}{}", name_or_path,
                                      names.empty() ? fmt::format("there are no runs in {}", runs.string()) : fmt::format("there are {}", fmt::join(names, ", ")),
                                      did_you_mean(name_or_path, names)));
}

std::string git_commit() {
  std::string commit = output_of("git rev-parse HEAD 2>/dev/null");
  if (commit.empty()) return "";
  commit.resize(std::min<size_t>(commit.find('\n'), 40));
  return output_of("git status --porcelain --untracked-files=no 2>/dev/null").empty() ? commit : commit + "+";
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
