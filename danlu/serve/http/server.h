// An HTTP/1.1 server for exact paths.
//
//   HttpServer http(options);
//   http.route("GET", "/health", [](const HttpRequest&) { return HttpResponse{.body = "{}"}; });
//   http.start();
//
// An answer is whole, or streams: HttpResponse::stream writes it in pieces, which are chunks of HTTP/1.1.
//
// A handler gets a request whose body has arrived whole and within the limits, and runs on the connection's thread,
// many at once. Everything else is answered here, with the error object of error.h: unknown paths and methods, bodies
// too large, too slow or malformed, too many connections. A handler may throw RequestError; any other exception becomes
// a 500 that says nothing of its cause, which goes to the log.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "danlu/serve/http/message.h"
#include "danlu/serve/http/options.h"

namespace danlu::serve {

using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

// One answered request, for metrics. `route` is the path of a route, or "other".
struct HttpRecord {
  std::string_view route;
  int status = 0;
  double seconds = 0;  // from the arrival of the header until the answer is ready to send
};

class HttpServer {
 public:
  explicit HttpServer(const HttpOptions& options);
  ~HttpServer();  // stops

  // Before start().
  void route(std::string method, std::string path, HttpHandler handler);
  void on_answer(std::function<void(const HttpRecord&)> observer);
  void on_refused_connection(std::function<void()> observer);

  // Binds the address and begins to answer. Throws ConfigError or FileError if it cannot be had.
  void start();
  // Takes no more connections, ends idle ones, lets requests that are being received or answered finish; after
  // drain_timeout_ms those that ask are told that they are abandoned. Idempotent.
  void stop();

  int port() const;  // after start()
  int64_t num_connections() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace danlu::serve
