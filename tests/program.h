// The program as its users have it: a child process in a directory of its own, with its output and its exit code.
//
//   const Project project;
//   project.write("points.csv", points_csv(200));
//   const Outcome run = project.danlu({"run", "--data", "points.csv", "--target", "kind"});
//   EXPECT_EQ(run.code, 0) << run;
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <memory>
#include <ostream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "danlu/app/recipe/run_directory.h"
#include "danlu/base/files.h"
#include "danlu/base/format.h"
#include "danlu/base/json.h"
#include "danlu/base/temporary_directory.h"
#include "danlu/base/timer.h"

namespace danlu::test {

using Words = std::vector<std::string>;

constexpr double kPatience_s = 60;  // more than anything here takes, on a busy machine too

// How a process ended.
struct Outcome {
  int code = 0;  // of exit; less than 0: the signal that killed it
  std::string out, err;

  friend std::ostream& operator<<(std::ostream& stream, const Outcome& o) {
    return stream << "code " << o.code << "\nstandard output:\n" << o.out << "\nstandard error:\n" << o.err;
  }
};

inline Words lines_of(const std::string& text) {
  Words lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// What a program says that answers in lines of JSON.
inline std::vector<Json> json_lines(const std::string& text) {
  std::vector<Json> lines;
  for (const std::string& line : lines_of(text)) lines.push_back(parse_json(line, "line"));
  return lines;
}

// `PROGRAM ARGUMENTS` at work. It ends with its object, and with the test, whatever happens.
class Process {
 public:
  // In `directory`, with the environment of the test less its DANLU_ variables, one thread, and `environment`
  // ("NAME=VALUE") over it. Standard output goes to a file unless `output` names another place.
  Process(const std::string& program, const Words& arguments, const fs::path& directory, const Words& environment = {},
          const fs::path& output = {}) {
    const fs::path out = output.empty() ? directory_ / "out" : output, err = directory_ / "err";
    Words words = {program}, variables = {"OMP_NUM_THREADS=1"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string variable = *entry;
      if (!variable.starts_with("DANLU_") && !variable.starts_with("OMP_")) variables.push_back(variable);
    }
    // A name given twice would mean one value or the other.
    for (const std::string& given : environment) {
      const std::string name = given.substr(0, given.find('=') + 1);
      std::erase_if(variables, [&](const std::string& variable) { return variable.starts_with(name); });
      variables.push_back(given);
    }
    const std::vector<char*> argv = pointers(words), envp = pointers(variables);
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    redirect(out, STDOUT_FILENO);
    redirect(err, STDERR_FILENO);
    if (::chdir(directory.c_str()) == 0) ::execve(program.c_str(), argv.data(), envp.data());
    ::_exit(127);
  }
  ~Process() {
    if (is_running()) end();
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number) {
    if (is_running()) ::kill(pid_, number);
  }
  bool is_running() {
    if (!ended_) ended_ = ::waitpid(pid_, &status_, WNOHANG) == pid_;
    return !ended_;
  }
  // Until it has ended by itself; one that does not is killed and fails the test.
  Outcome wait(double seconds = kPatience_s) {
    const Timer timer;
    while (is_running() && timer.seconds() < seconds) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    if (is_running()) {
      end();
      ADD_FAILURE() << "still running after " << seconds << " s\n" << outcome();
    }
    return outcome();
  }
  std::string out() const { return text(directory_ / "out"); }

 private:
  static std::vector<char*> pointers(Words& words) {
    std::vector<char*> result;
    for (std::string& word : words) result.push_back(word.data());
    result.push_back(nullptr);
    return result;
  }
  static void redirect(const fs::path& path, int to) {
    ::dup2(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), to);
  }
  static std::string text(const fs::path& path) { return fs::exists(path) ? read_file(path) : ""; }

  void end() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status_, 0);
    ended_ = true;
  }
  Outcome outcome() const {
    return {WIFEXITED(status_) ? WEXITSTATUS(status_) : -WTERMSIG(status_), out(), text(directory_ / "err")};
  }

  TemporaryDirectory directory_;  // of the output
  pid_t pid_ = -1;
  int status_ = 0;
  bool ended_ = false;
};

// A directory with raw data, where the program is run and keeps its runs.
class Project {
 public:
  fs::path operator/(const fs::path& name) const { return directory_ / name; }
  void write(const fs::path& name, std::string_view bytes) const { write_file_atomic(directory_ / name, bytes); }
  std::string read(const fs::path& name) const { return read_file(directory_ / name); }

  Outcome danlu(const Words& arguments, const Words& environment = {}) const {
    return start(arguments, environment)->wait();
  }
  std::unique_ptr<Process> start(const Words& arguments, const Words& environment = {},
                                 const fs::path& output = {}) const {
    return std::make_unique<Process>(DANLU_PROGRAM, arguments, directory_.path(), environment, output);
  }

  app::RunDirectory run(const std::string& name) const { return app::RunDirectory(directory_ / "runs" / name); }

  // Every file below `part`, by its path from there, with its bytes. Locks are left out: they hold nothing.
  std::map<std::string, std::string> files(const fs::path& part = "") const {
    std::map<std::string, std::string> found;
    const fs::path root = directory_ / part;
    for (const fs::path& path : list_files(root, true)) {
      const std::string name = path.lexically_relative(root).generic_string();
      if (name.find(".locks/") == std::string::npos) found[name] = read_file(path);
    }
    return found;
  }

 private:
  TemporaryDirectory directory_;
};

// `danlu serve` on a free port.
class ServedModels {
 public:
  ServedModels(const Project& project, const Words& runs, const Words& options = {}) {
    Words words = {"serve"};
    words.insert(words.end(), runs.begin(), runs.end());
    words.insert(words.end(), {"--port", "0"});
    words.insert(words.end(), options.begin(), options.end());
    process_ = project.start(words);
    const std::string before = "http://127.0.0.1:";
    const Timer timer;
    while (process_->is_running() && timer.seconds() < kPatience_s) {
      const std::string text = process_->out();
      const size_t at = text.find(before);
      if (at != std::string::npos && text.find('\n', at) != std::string::npos) {
        port_ = std::stoi(text.substr(at + before.size()));
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    ADD_FAILURE() << "danlu serve says no port\n" << process_->wait(0);
  }

  int port() const { return port_; }
  Process& process() { return *process_; }

 private:
  std::unique_ptr<Process> process_;
  int port_ = 0;
};

}  // namespace danlu::test
