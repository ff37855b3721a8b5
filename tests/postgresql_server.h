// A PostgreSQL server of the test's own, in a temporary directory, which ends with its object and with the test.
//
//   const std::unique_ptr<PostgresqlServer> server = PostgresqlServer::start();
//   if (server == nullptr) GTEST_SKIP() << "PostgreSQL is not installed (Debian: apt-get install postgresql)";
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "danlu/base/files.h"
#include "danlu/base/format.h"
#include "danlu/base/temporary_directory.h"
#include "danlu/base/timer.h"

namespace danlu::test {

class PostgresqlServer {
 public:
  static constexpr const char* kPassword = "s3cret-word";

  // None where PostgreSQL is not installed.
  static std::unique_ptr<PostgresqlServer> start() {
    const fs::path programs = find_programs();
    if (programs.empty()) return nullptr;
    return std::unique_ptr<PostgresqlServer>(new PostgresqlServer(programs));
  }
  ~PostgresqlServer() { stop(); }

  std::string url() const { return fmt::format("postgresql://danlu:{}@127.0.0.1:{}/postgres", kPassword, port_); }
  void stop() {
    if (server_ <= 0) return;
    ::kill(server_, SIGQUIT);
    ::waitpid(server_, nullptr, 0);
    server_ = -1;
  }

 private:
  explicit PostgresqlServer(const fs::path& programs) : port_(free_port()) {
    write_file_atomic(directory_ / "password", kPassword);
    if (::geteuid() == 0) {
      for (const fs::path& path : {directory_.path(), directory_ / "password"}) {
        if (::chown(path.c_str(), kNobody, kNobody) != 0) ADD_FAILURE() << "chown " << path;
      }
    }
    const std::string data = (directory_ / "data").string();
    const pid_t initdb = spawn({programs / "initdb", "-D", data, "-U", "danlu", "-A", "scram-sha-256", "--pwfile", (directory_ / "password").string(),
                                "-E", "UTF8", "--locale=C", "--no-sync"});
    int status = 0;
    ::waitpid(initdb, &status, 0);
    if (status != 0) ADD_FAILURE() << "initdb: " << read_file(directory_ / "log");
    server_ = spawn({programs / "postgres", "-D", data, "-k", directory_.path().string(), "-p", std::to_string(port_), "-c", "listen_addresses=127.0.0.1",
                     "-c", "fsync=off"});
    wait_until_ready();
  }

  static fs::path find_programs() {
    std::error_code error;
    for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", error)) {
      if (fs::exists(version.path() / "bin/postgres")) return version.path() / "bin";
    }
    return {};
  }

  static int free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(fd);
    return ntohs(address.sin_port);
  }

  // Not as root, which PostgreSQL refuses.
  pid_t spawn(std::vector<std::string> words) const {
    const std::string log = (directory_ / "log").string();
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    if (::geteuid() == 0 && (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) ::_exit(126);
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
    const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(fd, STDOUT_FILENO);
    ::dup2(fd, STDERR_FILENO);
    if (::chdir(directory_.path().c_str()) == 0) ::execv(argv[0], argv.data());
    ::_exit(127);
  }

  void wait_until_ready() const {
    constexpr double kSeconds = 60;
    const Timer timer;
    while (read_file(directory_ / "log").find("ready to accept connections") == std::string::npos) {
      if (timer.seconds() > kSeconds) {
        ADD_FAILURE() << "the server does not come up: " << read_file(directory_ / "log");
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  static constexpr uid_t kNobody = 65534;

  TemporaryDirectory directory_;
  int port_;
  pid_t server_ = -1;
};

}  // namespace danlu::test
