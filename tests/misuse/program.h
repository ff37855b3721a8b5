// The program as its users start it: arguments in, exit code and words out. For the tests of this folder.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "danlu/base/temporary_directory.h"

namespace danlu {

struct Outcome {
  int code = -1;  // the exit code; 128 + the signal if one ended it
  std::string out, err;
};

// A process in a working directory, its output in files there.
class Program {
 public:
  Program(const fs::path& directory, const std::vector<std::string>& arguments)
      : out_(directory / "stdout.txt"), err_(directory / "stderr.txt") {
    std::vector<std::string> words = {DANLU_PROGRAM};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (::posix_spawn(&pid_, DANLU_PROGRAM, &actions, nullptr, argv.data(), environ) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
  }
  ~Program() {
    if (pid_ > 0) end(SIGKILL);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  std::string out() const { return read_file(out_); }

  Outcome wait() {
    if (pid_ <= 0) return {};
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read_file(out_), read_file(err_)};
  }
  Outcome end(int signal) {
    if (pid_ > 0) ::kill(pid_, signal);
    return wait();
  }

 private:
  fs::path out_, err_;
  pid_t pid_ = -1;
};

// A directory to work in and a program that is run there.
class Workplace {
 public:
  Outcome danlu(const std::vector<std::string>& arguments) const {
    return Program(directory_.path(), arguments).wait();
  }
  void write(const fs::path& name, std::string_view text) const { write_file_atomic(directory_ / name, text); }
  fs::path operator/(const fs::path& name) const { return directory_ / name; }
  const fs::path& path() const { return directory_.path(); }

  // Every file of the runs, the program's locks aside: what a failed command may not leave.
  std::vector<std::string> files_of_runs() const {
    std::vector<std::string> found;
    if (!fs::exists(directory_ / "runs")) return found;
    for (const fs::path& file : list_files(directory_ / "runs", true)) {
      if (file.parent_path().filename() != ".locks") found.push_back(fs::relative(file, directory_.path()).string());
    }
    return found;
  }

 private:
  TemporaryDirectory directory_;
};

// "a,b,kind" with two classes that one number tells apart.
inline std::string small_csv(int rows = 120) {
  std::string text = "size,colour,kind\n";
  for (int i = 0; i < rows; ++i) {
    const bool big = i % 2 == 0;
    text += std::to_string(big ? 50 + i % 17 : 5 + i % 13) + "." + std::to_string(i) +
            (i % 3 == 0 ? ",red," : ",blue,") + (big ? "big\n" : "small\n");
  }
  return text;
}

}  // namespace danlu
