// The HTTP grammar is cpp-httplib's: the request line, header fields, chunked and compressed bodies, the status line.
// Sockets, threads, limits and time are ours (Listener, Connection), because the library lets a client hold them for
// ever: it bounds neither the length of a header line nor the time of a request, and drains an oversized body to its
// end.
#include "danlu/serve/http/server.h"

#include <httplib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "danlu/base/format.h"
#include "danlu/base/log.h"
#include "danlu/base/threads.h"
#include "danlu/base/timer.h"
#include "danlu/serve/error.h"
#include "danlu/serve/http/connection.h"
#include "danlu/serve/http/listener.h"

namespace danlu::serve {
namespace {

constexpr const char* kWhere = "serve.http";

// The request that this thread is answering: the library hands its callbacks no way to their connection.
struct Exchange {
  Connection& connection;
  HttpRequest request;
  bool is_head = false;
  int64_t buffered_bytes = 0;  // of the body, as counted for all connections together
  std::string route = "other";
  int status = 0;
  std::function<void(BodyWriter&)> stream = {};  // of the answer, if it has one
  bool is_header_sent = false;                   // by ourselves, as it is for streams
};
thread_local Exchange* t_exchange = nullptr;

// A Connection as the library wants to see it.
class Stream : public httplib::Stream {
 public:
  explicit Stream(const Exchange& exchange) : exchange_(exchange), connection_(exchange.connection) {}
  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* data, size_t bytes) override { return connection_.read(data, bytes); }
  ssize_t write(const char* data, size_t bytes) override {
    return exchange_.is_header_sent || connection_.write({data, bytes}) ? static_cast<ssize_t>(bytes) : -1;
  }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  // Asked only to keep select() within FD_SETSIZE; this stream uses poll().
  socket_t socket() const override { return -1; }

 private:
  const Exchange& exchange_;
  Connection& connection_;
};

// Sends the pieces of a body as chunks; to a client of HTTP/1.0, which knows none, as they are: it reads to the end of
// the connection.
class PieceWriter : public BodyWriter {
 public:
  PieceWriter(Connection& connection, bool chunked) : connection_(connection), chunked_(chunked) {}

  bool write(std::string_view piece) override {
    if (piece.empty() || broken_) return !broken_;  // an empty chunk would end the body
    if (chunked_) connection_.write(fmt::format("{:x}\r\n", piece.size()));
    connection_.write(piece);
    if (chunked_) connection_.write("\r\n");
    broken_ = !connection_.flush();
    return !broken_;
  }
  void end() {
    if (chunked_) connection_.write("0\r\n\r\n");
  }
  bool is_broken() const { return broken_; }

 private:
  Connection& connection_;
  const bool chunked_;
  bool broken_ = false;
};

std::string method_list(const std::vector<std::string>& methods) { return fmt::format("{}", fmt::join(methods, ", ")); }

bool has_body(const httplib::Request& request) {
  return request.has_header("Transfer-Encoding") ||
         (request.has_header("Content-Length") && request.get_header_value("Content-Length") != "0");
}

// An X-Request-Id that is safe to repeat in a header and a log.
bool is_clean_id(const std::string& id) {
  return !id.empty() && id.size() <= 128 &&
         std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < 127; });
}

std::string new_id() {
  static const uint32_t process = std::random_device{}();
  static std::atomic<uint32_t> counter{0};
  return fmt::format("{:08x}{:08x}", process, counter.fetch_add(1, std::memory_order_relaxed));
}

RequestError too_large(int64_t limit) {
  return RequestError(413, "body_too_large",
                      fmt::format("the request body is larger than the limit of {} bytes", limit));
}

// Errors that the library itself finds, before or beside the handlers.
RequestError protocol_error(int status) {
  switch (status) {
    case 414:
      return RequestError(414, "uri_too_long", "the request target is too long");
    case 416:
      return RequestError(416, "bad_range", "the Range header makes no sense");
    default:
      return RequestError(400, "bad_request", "the request is not valid HTTP/1.1");
  }
}

}  // namespace

class HttpServer::Impl : public httplib::Server {
 public:
  explicit Impl(const HttpOptions& options) : options_(options) {
    set_keep_alive_timeout(std::max<time_t>(1, options_.idle_timeout_ms / 1000));
    set_keep_alive_max_count(1'000'000);
    set_payload_max_length(static_cast<size_t>(options_.max_body_bytes));
    set_pre_routing_handler([this](const auto& request, auto& response) { return before_body(request, response); });
    set_expect_100_continue_handler([this](const auto& request, auto& response) {
      const auto refusal = check_body_headers(request);
      if (refusal) fill(response, error_response(*refusal));
      return refusal ? refusal->status() : 100;
    });
    set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (response.body.empty()) fill(response, error_response(protocol_error(response.status)));
    });
    set_post_routing_handler([this](const auto& request, auto& response) { before_answer(request, response); });
  }

  struct Route {
    std::string method;
    std::string path;
    HttpHandler handler;
  };

  void add_route(Route route) {
    if (route.method == "POST") {
      // Paths are plain words and slashes: the same text as a regular expression.
      Post(route.path, [this](const httplib::Request& request, httplib::Response& response,
                              const httplib::ContentReader& read) { receive_and_answer(request, response, read); });
    }
    routes_.push_back(std::move(route));
  }

  // Answers the requests of one connection until it ends.
  void serve(int fd) {
    set_num_threads(1);  // many connections at once: the compute threads belong to the models
    Connection connection(fd, listener->stop_fd(), options_);
    bool open = true;
    while (open) {
      switch (connection.wait_for_request()) {
        case Connection::Arrival::ready:
          open = answer(connection);
          break;
        case Connection::Arrival::closed:
          return;
        case Connection::Arrival::timed_out:
          open = refuse(connection, {408, "request_timeout", "the request header did not arrive in time"});
          break;
        case Connection::Arrival::too_large:
          open = refuse(connection,
                        {431, "header_too_large",
                         fmt::format("the request header is larger than {} bytes", Connection::kMaxHeaderBytes)});
          break;
      }
    }
  }

  // Tells one connection too many to come back later, without waiting for anything.
  void refuse_connection(int fd) {
    if (on_refused) on_refused();
    const std::string answer = raw_answer({503, "too_many_connections", "the server has too many open connections"});
    // Both may fail if the client is gone already: there is nobody to tell.
    static_cast<void>(::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
    ::shutdown(fd, SHUT_WR);
    ::close(fd);
  }

  std::unique_ptr<Listener> listener;
  // Takes no more requests; long answers have the time of drain_timeout_ms.
  void begin_stop() {
    if (stopping.exchange(true)) return;
    drained_by_ = Clock::now() + std::chrono::milliseconds(options_.drain_timeout_ms);
    draining_ = true;
  }

  std::atomic<bool> stopping{false};
  std::function<void(const HttpRecord&)> on_answer;
  std::function<void()> on_refused;
  const HttpOptions& options() const { return options_; }

 private:
  using Clock = std::chrono::steady_clock;

  static void fill(httplib::Response& out, const HttpResponse& response) {
    out.status = response.status;
    for (const auto& [name, value] : response.headers) out.set_header(name, value);
    out.set_content(response.body, response.content_type);
    t_exchange->stream = response.stream;
  }

  // A whole answer without the library, for connections that never got as far as a request.
  static std::string raw_answer(const RequestError& error) {
    const HttpResponse response = error_response(error);
    std::string text = fmt::format("HTTP/1.1 {} {}\r\nConnection: close\r\nContent-Type: {}\r\nContent-Length: {}\r\n",
                                   response.status, error.code(), response.content_type, response.body.size());
    for (const auto& [name, value] : response.headers) text += fmt::format("{}: {}\r\n", name, value);
    return text + "\r\n" + response.body;
  }

  bool refuse(Connection& connection, const RequestError& error) {
    connection.write(raw_answer(error));
    if (connection.flush()) connection.linger();
    record("other", error.status(), 0);
    return false;
  }

  void record(std::string_view route, int status, double seconds) {
    if (on_answer) on_answer({route, status, seconds});
  }

  // One request whose header has arrived. True if the connection stays open.
  bool answer(Connection& connection) {
    const Timer timer;
    Exchange exchange{.connection = connection, .request = {}};
    exchange.request.is_abandoned = [this, &connection] {
      return connection.is_client_gone() || (draining_ && Clock::now() > drained_by_);
    };
    t_exchange = &exchange;
    Stream stream(exchange);
    bool client_closes = false, one_zero = false;
    bool sent = process_request(stream, stopping, client_closes, [&](httplib::Request& request) {
      one_zero = request.version == "HTTP/1.0";
      take(request);
    });
    t_exchange = nullptr;
    if (exchange.is_header_sent) sent = send_stream(exchange, !one_zero) && sent;
    buffered_bytes_ -= exchange.buffered_bytes;
    const double seconds = timer.seconds();
    record(exchange.route, exchange.status, seconds);  // before sending: who has the answer finds it counted
    sent = connection.flush() && sent;
    log(LogLevel::debug, kWhere,
        fmt::format("{} {} {} {:.2f} ms {}", exchange.request.method, exchange.route, exchange.status, seconds * 1e3,
                    exchange.request.id));
    if (sent && !connection.is_request_done()) connection.linger();
    return sent && connection.is_request_done() && !client_closes && !stopping;
  }

  // The body of an answer that streams. False if it was broken off.
  static bool send_stream(Exchange& exchange, bool chunked) {
    if (exchange.is_head) return true;
    PieceWriter writer(exchange.connection, chunked);
    try {
      if (!exchange.connection.flush()) return false;
      exchange.stream(writer);
    } catch (const std::exception& error) {
      log_failure(exchange.request, error);
      return false;
    }
    if (!writer.is_broken()) writer.end();
    return !writer.is_broken();
  }

  // Moves what the routes want into our own request, and hides from the library what it would act upon: it would
  // compress or cut the answer, and take multipart bodies apart with a backtracking regular expression.
  static void take(httplib::Request& request) {
    HttpRequest& ours = t_exchange->request;
    t_exchange->is_head = request.method == "HEAD";
    ours.method = t_exchange->is_head ? "GET" : request.method;
    ours.path = request.path;
    for (const auto& [name, value] : request.params) ours.query.emplace(name, value);
    ours.content_type = request.get_header_value("Content-Type");
    ours.id = request.get_header_value("X-Request-Id");
    if (!is_clean_id(ours.id)) ours.id = new_id();
    request.headers.erase("Content-Type");
    request.headers.erase("Accept-Encoding");
    request.ranges.clear();
  }

  // Finds the route and judges the header, so that nothing is received in vain. Unhandled: the library goes on to the
  // body.
  HandlerResponse before_body(const httplib::Request& request, httplib::Response& response) {
    Exchange& exchange = *t_exchange;
    const bool body = has_body(request);
    if (!body) exchange.connection.request_done();
    std::vector<std::string> methods;
    const Route* found = find(exchange.request, methods);
    if (!methods.empty()) exchange.route = exchange.request.path;
    if (!found) {
      fill(response, no_route(exchange.request, methods));
    } else if (const auto refusal = check_body_headers(request)) {
      fill(response, error_response(*refusal));
    } else if (body && found->method == "POST") {
      return HandlerResponse::Unhandled;
    } else {
      fill(response, call(*found, exchange.request));
    }
    return HandlerResponse::Handled;
  }

  const Route* find(const HttpRequest& request, std::vector<std::string>& methods) const {
    const Route* found = nullptr;
    for (const Route& route : routes_) {
      if (route.path != request.path) continue;
      methods.push_back(route.method);
      if (route.method == request.method) found = &route;
    }
    return found;
  }

  static HttpResponse no_route(const HttpRequest& request, const std::vector<std::string>& methods) {
    if (methods.empty())
      return error_response({404, "unknown_path", fmt::format("there is nothing at {}", request.path)});
    const std::string allowed = method_list(methods);
    HttpResponse response = error_response(
        {405, "method_not_allowed", fmt::format("{} takes {}, not {}", request.path, allowed, request.method)});
    response.headers.emplace_back("Allow", allowed);
    return response;
  }

  // Whether the header declares a body that can be received. Two lengths, or a length and chunks, would leave open
  // where the request ends: another server on the way could see another request than this one does.
  std::optional<RequestError> check_body_headers(const httplib::Request& request) const {
    const std::string length = request.get_header_value("Content-Length");
    if (request.has_header("Transfer-Encoding")) {
      if (request.has_header("Content-Length")) {
        return RequestError(400, "bad_request", "got both Content-Length and Transfer-Encoding; expected one of them");
      }
      const std::string encoding = media_type(request.get_header_value("Transfer-Encoding"));
      if (encoding != "chunked" || request.get_header_value_count("Transfer-Encoding") > 1) {
        return RequestError(501, "unknown_transfer_encoding", "the only Transfer-Encoding served is chunked");
      }
    } else if (request.has_header("Content-Length")) {
      const bool digits = !length.empty() && length.find_first_not_of("0123456789") == std::string::npos;
      if (!digits || request.get_header_value_count("Content-Length") > 1) {
        return RequestError(400, "bad_request", "Content-Length must be one whole number");
      }
      if (length.size() > 18 || std::stoll(length) > options_.max_body_bytes) return too_large(options_.max_body_bytes);
    }
    const std::string coding = media_type(request.get_header_value("Content-Encoding"));
    if (!coding.empty() && coding != "identity" && coding != "gzip" && coding != "deflate" && coding != "br") {
      return RequestError(415, "unknown_content_encoding", "Content-Encoding must be gzip, deflate, br or absent");
    }
    return std::nullopt;
  }

  void receive_and_answer(const httplib::Request& request, httplib::Response& response,
                          const httplib::ContentReader& read) {
    Exchange& exchange = *t_exchange;
    std::string& body = exchange.request.body;
    bool over_limit = false, no_room = false;
    const bool received = read([&](const char* data, size_t bytes) {
      const auto count = static_cast<int64_t>(bytes);
      exchange.buffered_bytes += count;
      no_room = buffered_bytes_.fetch_add(count) + count > options_.max_buffered_bytes;
      over_limit = exchange.buffered_bytes > options_.max_body_bytes;
      if (over_limit || no_room) return false;
      body.append(data, bytes);
      return true;
    });
    if (received) {
      exchange.connection.request_done();
      std::vector<std::string> methods;
      fill(response, call(*find(exchange.request, methods), exchange.request));
    } else if (over_limit || exchange.connection.over_budget()) {
      fill(response, error_response(too_large(options_.max_body_bytes)));
    } else if (no_room) {
      fill(response,
           error_response({503, "no_memory", "the server holds too many request bodies at once; try again later"}));
    } else if (exchange.connection.timed_out()) {
      fill(response, error_response({408, "request_timeout", "the request body did not arrive in time"}));
    } else {
      const char* coding = request.has_header("Content-Encoding") ? " or does not decompress" : "";
      fill(response,
           error_response({400, "bad_body", fmt::format("the request body is cut short or malformed{}", coding)}));
    }
  }

  static HttpResponse call(const Route& route, const HttpRequest& request) {
    try {
      return route.handler(request);
    } catch (const RequestError& error) {
      return error_response(error);
    } catch (const std::exception& error) {
      log_failure(request, error);
    }
    return error_response(
        {500, "internal_error", fmt::format("internal error; the server's log has request {}", request.id)});
  }

  static void log_failure(const HttpRequest& request, const std::exception& error) {
    log(LogLevel::error, kWhere,
        fmt::format("{} {}: {} (request {})", request.method, request.path, error.what(), request.id));
  }

  // The last word on the header of an answer. A connection goes on only after a request that was read to its end.
  void before_answer(const httplib::Request& request, httplib::Response& response) {
    Exchange& exchange = *t_exchange;
    exchange.status = response.status;
    const bool one_zero = exchange.stream && request.version == "HTTP/1.0";
    if (!exchange.connection.is_request_done() || stopping || one_zero) {
      response.headers.erase("Keep-Alive");
      response.headers.erase("Connection");
      response.set_header("Connection", "close");
    }
    if (!exchange.request.id.empty()) response.set_header("X-Request-Id", exchange.request.id);
    if (exchange.stream) send_stream_header(exchange, response, one_zero);
  }

  // The library would not let us write pieces: what it still says about this answer goes nowhere.
  static void send_stream_header(Exchange& exchange, httplib::Response& response, bool one_zero) {
    response.headers.erase("Content-Length");
    if (!one_zero) response.set_header("Transfer-Encoding", "chunked");
    std::string header = fmt::format("HTTP/1.1 {} OK\r\n", response.status);
    for (const auto& [name, value] : response.headers) header += fmt::format("{}: {}\r\n", name, value);
    exchange.connection.write(header + "\r\n");
    exchange.is_header_sent = true;
  }

  const HttpOptions options_;
  std::atomic<bool> draining_{false};
  Clock::time_point drained_by_;  // once draining_
  std::vector<Route> routes_;
  std::atomic<int64_t> buffered_bytes_{0};
};

HttpServer::HttpServer(const HttpOptions& options) : impl_(std::make_unique<Impl>(options)) {}

HttpServer::~HttpServer() { stop(); }

void HttpServer::route(std::string method, std::string path, HttpHandler handler) {
  impl_->add_route({std::move(method), std::move(path), std::move(handler)});
}

void HttpServer::on_answer(std::function<void(const HttpRecord&)> observer) { impl_->on_answer = std::move(observer); }

void HttpServer::on_refused_connection(std::function<void()> observer) { impl_->on_refused = std::move(observer); }

void HttpServer::start() {
  const HttpOptions& options = impl_->options();
  impl_->listener = std::make_unique<Listener>(
      options.host, static_cast<int>(options.port), options.max_connections, [this](int fd) { impl_->serve(fd); },
      [this](int fd) { impl_->refuse_connection(fd); });
  impl_->listener->start();
}

void HttpServer::stop() {
  impl_->begin_stop();
  if (impl_->listener) impl_->listener->stop();
}

int HttpServer::port() const { return impl_->listener ? impl_->listener->port() : 0; }

int64_t HttpServer::num_connections() const { return impl_->listener ? impl_->listener->num_connections() : 0; }

}  // namespace danlu::serve
