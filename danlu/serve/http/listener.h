// Accepts TCP connections and gives each a thread, up to a limit.
//
// A thread a connection is the simple model, and threads are cheap: one that waits for a slow client costs some tens of
// kilobytes and no processor time. Threads are started when needed and used again.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace danlu::serve {

class Listener {
 public:
  // Called with a connected, non-blocking socket, which the callee owns.
  using Handler = std::function<void(int fd)>;

  // Binds and listens; the system answers connections from here on, and start() takes them. `serve` runs on a thread of
  // its own. `refuse` is for a connection over the limit; it runs on the accepting thread and must not block.
  // Throws ConfigError for a host that does not resolve, FileError when the address cannot be had.
  Listener(const std::string& host, int port, int64_t max_connections, Handler serve, Handler refuse);
  ~Listener();  // stops
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void start();
  // Closes the door and waits until the served connections have ended; their end of it is stop_fd().
  void stop();

  int port() const { return port_; }
  // A descriptor that becomes readable, and stays so, when stop() is called.
  int stop_fd() const { return stop_fd_; }
  int64_t num_connections() const;

 private:
  void accept_loop();
  void worker_loop();
  bool admit(int fd);

  const int64_t max_connections_;
  const Handler serve_;
  const Handler refuse_;
  int listen_fd_ = -1;
  int stop_fd_ = -1;
  int port_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<int> accepted_;  // sockets that no thread has taken yet
  int64_t connections_ = 0;   // accepted or served
  int64_t idle_ = 0;          // threads that wait for a socket
  bool stopping_ = false;
  std::vector<std::thread> workers_;
  std::thread acceptor_;
};

}  // namespace danlu::serve
