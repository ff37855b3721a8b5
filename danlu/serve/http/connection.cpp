#include "danlu/serve/http/connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace danlu::serve {
namespace {

constexpr size_t kReadBytes = 16 * 1024;
constexpr size_t kFlushBytes = 256 * 1024;
constexpr std::chrono::milliseconds kLinger{2000};

// What chunked encoding, multipart delimiters and the header may add to a body within its limit.
int64_t request_budget(int64_t max_body_bytes) {
  return max_body_bytes + max_body_bytes / 8 + static_cast<int64_t>(Connection::kMaxHeaderBytes);
}

// poll() until the deadline. The number of ready descriptors; 0 after the deadline.
template <class Clock, size_t N>
int poll_until(std::array<pollfd, N>& fds, nfds_t count, std::chrono::time_point<Clock> deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    const int ready = ::poll(fds.data(), count, static_cast<int>(std::clamp<int64_t>(left, 0, 1 << 30)));
    if (ready >= 0 || errno != EINTR) return ready;
  }
}

}  // namespace

Connection::Connection(int fd, int stop_fd, const HttpOptions& options)
    : fd_(fd), stop_fd_(stop_fd), options_(options) {}

Connection::~Connection() { ::close(fd_); }

// Waits for input and appends it. Tries the socket first: under load the bytes are there already and poll() is saved.
Connection::Fill Connection::fill(Clock::time_point deadline, bool heed_stop) {
  if (begin_ > 0) {
    input_.erase(0, begin_);
    begin_ = 0;
  }
  std::array<char, kReadBytes> bytes;
  for (;;) {
    const ssize_t received = ::recv(fd_, bytes.data(), bytes.size(), 0);
    if (received > 0) {
      input_.append(bytes.data(), static_cast<size_t>(received));
      return Fill::more;
    }
    if (received == 0) return Fill::closed;
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return Fill::failed;
    std::array<pollfd, 2> fds{pollfd{fd_, POLLIN, 0}, pollfd{stop_fd_, POLLIN, 0}};
    const int ready = poll_until(fds, heed_stop ? 2 : 1, deadline);
    if (ready < 0) return Fill::failed;
    if (ready == 0) return Fill::timed_out;
    if (fds[0].revents == 0) return Fill::stopping;
  }
}

Connection::Arrival Connection::wait_for_request() {
  request_done_ = false;
  timed_out_ = false;
  budget_ = request_budget(options_.max_body_bytes);
  const std::chrono::milliseconds receive{options_.receive_timeout_ms}, idle{options_.idle_timeout_ms};
  // A new connection is there to ask something: it gets no more time than a request that has begun.
  deadline_ = Clock::now() + (first_ || !buffered().empty() ? receive : idle);
  first_ = false;

  size_t scanned = 0;
  for (;;) {
    const size_t end = buffered().find("\r\n\r\n", scanned);
    if (end != std::string_view::npos) return Arrival::ready;
    if (buffered().size() > kMaxHeaderBytes) return Arrival::too_large;
    const bool begun = !buffered().empty();
    scanned = buffered().size() < 3 ? 0 : buffered().size() - 3;
    switch (fill(deadline_, /*heed_stop=*/true)) {
      case Fill::more:
        break;
      case Fill::timed_out:
        return begun ? Arrival::timed_out : Arrival::closed;
      case Fill::closed:
      case Fill::stopping:
      case Fill::failed:
        return Arrival::closed;
    }
    if (!begun) deadline_ = Clock::now() + receive;
  }
}

ssize_t Connection::read(char* data, size_t bytes) {
  if (bytes == 0) return 0;
  if (budget_ <= 0) return -1;
  if (buffered().empty()) {
    if (!output_.empty() && !flush()) return -1;  // "100 Continue", which the client waits for
    // A client that sends without a pause never lets poll() see the deadline.
    const Fill result = Clock::now() >= deadline_ ? Fill::timed_out : fill(deadline_, /*heed_stop=*/false);
    if (result == Fill::closed) return 0;
    timed_out_ = result == Fill::timed_out;
    if (result != Fill::more) return -1;
  }
  const size_t count = std::min(bytes, buffered().size());
  std::memcpy(data, buffered().data(), count);
  begin_ += count;
  budget_ -= static_cast<int64_t>(count);
  return static_cast<ssize_t>(count);
}

bool Connection::write(std::string_view data) {
  output_ += data;
  return output_.size() < kFlushBytes || flush();
}

bool Connection::flush() {
  const Clock::time_point deadline = Clock::now() + std::chrono::milliseconds(options_.send_timeout_ms);
  std::string_view rest = output_;
  while (!rest.empty()) {
    const ssize_t sent = ::send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      rest.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      std::array<pollfd, 1> fds{pollfd{fd_, POLLOUT, 0}};
      if (Clock::now() >= deadline || poll_until(fds, 1, deadline) <= 0) break;
    } else if (errno != EINTR) {
      break;
    }
  }
  const bool sent_all = rest.empty();
  output_.clear();
  return sent_all;
}

bool Connection::is_client_gone() const {
  pollfd end{fd_, POLLRDHUP, 0};
  return ::poll(&end, 1, 0) > 0;  // POLLRDHUP, POLLHUP, POLLERR
}

void Connection::linger() {
  ::shutdown(fd_, SHUT_WR);
  const Clock::time_point deadline = Clock::now() + kLinger;
  do {
    input_.clear();
    begin_ = 0;
  } while (Clock::now() < deadline && fill(deadline, /*heed_stop=*/true) == Fill::more);
}

}  // namespace danlu::serve
