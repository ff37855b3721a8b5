// One TCP connection whose other end is not trusted to be quick, honest or even there.
//
// Every wait has an end: the header and body of a request must arrive whole within receive_timeout of their first byte,
// however they trickle, and take no more memory than the limits allow. Not for use by several threads at once.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "danlu/serve/http/options.h"

namespace danlu::serve {

class Connection {
 public:
  static constexpr size_t kMaxHeaderBytes = 32 * 1024;

  enum class Arrival {
    ready,      // a whole header is in the buffer
    closed,     // the client left, was idle for too long, or the server stops: nothing to answer
    timed_out,  // part of a header, then nothing more in time
    too_large,  // more than kMaxHeaderBytes
  };

  // Takes the socket, which must be non-blocking, and closes it at the end. `stop_fd` becomes readable when the server
  // stops, which ends the wait for further requests; a request that has begun to arrive has its time.
  Connection(int fd, int stop_fd, const HttpOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Waits for the header of the next request.
  Arrival wait_for_request();
  // The next bytes of the request: at most `bytes`; 0 if the client closed; -1 after the deadline, on an error, or when
  // the request has taken more bytes than any within the limits could.
  ssize_t read(char* data, size_t bytes);
  // Why read() gave -1.
  bool timed_out() const { return timed_out_; }
  bool over_budget() const { return budget_ <= 0; }

  // Collects output; flush() sends it. False when the client does not take it in time or is gone.
  bool write(std::string_view data);
  bool flush();

  // Whether the client has closed its end or the connection is broken. Data that it sent before are not looked at.
  bool is_client_gone() const;

  // Says that the request was read to its end, so that what comes next on the connection is another request.
  void request_done() { request_done_ = true; }
  bool is_request_done() const { return request_done_; }

  // Ends the output, then throws away what the client still sends, for a while: closing with unread input would reset
  // the connection and could take the answer away from a client that is still sending.
  void linger();

 private:
  using Clock = std::chrono::steady_clock;
  enum class Fill { more, closed, timed_out, stopping, failed };

  Fill fill(Clock::time_point deadline, bool heed_stop);
  std::string_view buffered() const { return std::string_view(input_).substr(begin_); }

  int fd_;
  int stop_fd_;
  const HttpOptions& options_;
  std::string input_;  // received and, from begin_ on, not yet read
  size_t begin_ = 0;
  std::string output_;
  Clock::time_point deadline_;
  int64_t budget_ = 0;  // bytes that the request may still take
  bool first_ = true;
  bool timed_out_ = false;
  bool request_done_ = false;
};

}  // namespace danlu::serve
