#include "danlu/serve/http/listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::serve {
namespace {

constexpr const char* kWhere = "serve.http";
constexpr int kBacklog = 1024;  // connections that the system completes while the accepting thread is busy

[[noreturn]] void fail(const std::string& host, int port, int error) {
  const char* hint = error == EADDRINUSE ? "; another program listens there: choose another port, or 0 for any free one"
                     : error == EACCES   ? "; ports below 1024 need special rights: choose a higher one"
                     : error == EADDRNOTAVAIL ? "; the host must be an address of this machine, 127.0.0.1 or 0.0.0.0"
                                              : "";
  throw FileError(kWhere, fmt::format("cannot listen on {}:{}: {}{}", host, port, std::strerror(error), hint));
}

// A listening socket on the first address of the host that can be had.
int listen_on(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int result = ::getaddrinfo(host.empty() ? nullptr : host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (result != 0) {
    throw ConfigError(kWhere, fmt::format("got host \"{}\": {}; expected a name or address of this machine", host,
                                          ::gai_strerror(result)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  int error = EADDRNOTAVAIL;
  for (const addrinfo* address = found; address; address = address->ai_next) {
    const int fd = ::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, address->ai_protocol);
    if (fd < 0) {
      error = errno;
      continue;
    }
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(fd, address->ai_addr, address->ai_addrlen) == 0 && ::listen(fd, kBacklog) == 0) return fd;
    error = errno;
    ::close(fd);
  }
  fail(host, port, error);
}

int port_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                                             : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

}  // namespace

Listener::Listener(const std::string& host, int port, int64_t max_connections, Handler serve, Handler refuse)
    : max_connections_(max_connections),
      serve_(std::move(serve)),
      refuse_(std::move(refuse)),
      listen_fd_(listen_on(host, port)),
      stop_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      port_(port_of(listen_fd_)) {
  if (stop_fd_ < 0) {
    const int error = errno;
    ::close(listen_fd_);
    fail(host, port, error);
  }
}

Listener::~Listener() {
  stop();
  ::close(stop_fd_);
}

void Listener::start() {
  acceptor_ = std::thread([this] { accept_loop(); });
}

void Listener::stop() {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  const uint64_t one = 1;
  // Cannot fail: the counter of an eventfd holds more than this single one.
  if (::write(stop_fd_, &one, sizeof one) < 0) {
  }
  wake_.notify_all();
  if (acceptor_.joinable()) acceptor_.join();
  ::close(listen_fd_);
  for (std::thread& worker : workers_) worker.join();
}

int64_t Listener::num_connections() const {
  std::lock_guard lock(mutex_);
  return connections_;
}

void Listener::accept_loop() {
  for (;;) {
    std::array<pollfd, 2> fds{pollfd{listen_fd_, POLLIN, 0}, pollfd{stop_fd_, POLLIN, 0}};
    ::poll(fds.data(), fds.size(), -1);
    if (fds[1].revents != 0) return;
    const int fd = ::accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
      // Out of descriptors or memory: the connection stays in the backlog until there are some.
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
      continue;
    }
    // Answers are written whole: waiting to fill a packet would only add the delayed acknowledgement to the latency.
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!admit(fd)) refuse_(fd);
  }
}

// Hands the socket to a thread. False at the limit of connections, or of threads that the system grants.
bool Listener::admit(int fd) {
  std::lock_guard lock(mutex_);
  if (connections_ >= max_connections_) return false;
  if (idle_ <= static_cast<int64_t>(accepted_.size())) {
    try {
      workers_.emplace_back([this] { worker_loop(); });
    } catch (const std::system_error&) {
      return false;
    }
  }
  ++connections_;
  accepted_.push_back(fd);
  wake_.notify_one();
  return true;
}

void Listener::worker_loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    wake_.wait(lock, [&] { return stopping_ || !accepted_.empty(); });
    --idle_;
    if (accepted_.empty()) return;
    const int fd = accepted_.front();
    accepted_.pop_front();
    lock.unlock();
    serve_(fd);
    lock.lock();
    --connections_;
  }
}

}  // namespace danlu::serve
