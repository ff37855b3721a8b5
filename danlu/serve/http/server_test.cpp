// The HTTP server over real sockets: what a browser would send, and what nobody should.
#include "danlu/serve/http/server.h"

#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <future>
#include <thread>

#include "danlu/base/json.h"
#include "danlu/base/rng.h"
#include "danlu/base/timer.h"
#include "danlu/serve/error.h"
#include "danlu/serve/http/connection.h"
#include "danlu/serve/testing.h"

namespace danlu::serve {
namespace {

using namespace std::chrono_literals;

class HttpServerTest : public testing::Test {
 protected:
  void start(HttpOptions options = {}) {
    options.port = 0;
    server_ = std::make_unique<HttpServer>(options);
    server_->route("GET", "/ping", [](const HttpRequest& request) { return HttpResponse{.body = request.id}; });
    server_->route("POST", "/echo", [](const HttpRequest& request) { return HttpResponse{.body = request.body}; });
    server_->route("POST", "/throw",
                   [](const HttpRequest&) -> HttpResponse { throw std::runtime_error("the secret cause"); });
    server_->route("POST", "/refuse",
                   [](const HttpRequest&) -> HttpResponse { throw RequestError(422, "odd", "too odd", "rows[0]"); });
    server_->route("POST", "/sleep", [](const HttpRequest&) {
      std::this_thread::sleep_for(300ms);
      return HttpResponse{.body = "awake"};
    });
    server_->on_refused_connection([this] { ++refused_; });
    server_->start();
  }

  httplib::Client client() {
    httplib::Client client("127.0.0.1", server_->port());
    client.set_tcp_nodelay(true);
    return client;
  }

  // The answer to one raw exchange, read until the server closes.
  std::string exchange(std::string_view text) {
    RawClient raw(server_->port());
    EXPECT_TRUE(raw.send(text));
    return raw.read_all();
  }

  static void expect_error(const std::string& body, const std::string& code) {
    const Json json = parse_json(body, "answer");
    EXPECT_EQ(json["error"]["code"], code) << body;
    EXPECT_TRUE(json["error"]["message"].is_string());
    EXPECT_TRUE(json["error"]["type"].is_string());
    EXPECT_TRUE(json["error"].contains("param"));
  }

  std::atomic<int> refused_{0};
  std::unique_ptr<HttpServer> server_;
};

std::string status_line(const std::string& answer) { return answer.substr(0, answer.find("\r\n")); }
std::string body_of(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

TEST_F(HttpServerTest, AnswersManyRequestsOnOneConnection) {
  start();
  httplib::Client http = client();
  http.set_keep_alive(true);
  for (int i = 0; i < 50; ++i) {
    const std::string body = "body " + std::to_string(i);
    const auto answer = http.Post("/echo", body, "text/plain");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, body);
  }
  EXPECT_EQ(server_->num_connections(), 1);
  const auto head = http.Head("/ping");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->get_header_value("Content-Length"), "16");
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  start();
  const std::string answers = exchange(
      "POST /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\noneGET /ping HTTP/1.1\r\nX-Request-Id: two\r\n\r\n"
      "POST /echo HTTP/1.1\r\nContent-Length: 5\r\nConnection: close\r\n\r\nthree");
  const size_t one = answers.find("\r\n\r\none"), two = answers.find("\r\n\r\ntwo"),
               three = answers.find("\r\n\r\nthree");
  EXPECT_LT(one, two);
  EXPECT_LT(two, three);
  EXPECT_NE(three, std::string::npos) << answers;
}

TEST_F(HttpServerTest, RefusesUnknownPathAndMethod) {
  start();
  httplib::Client http = client();
  auto answer = http.Get("/nothing");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 404);
  expect_error(answer->body, "unknown_path");
  answer = http.Post("/nothing", "x", "text/plain");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 404);
  answer = http.Get("/echo");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 405);
  EXPECT_EQ(answer->get_header_value("Allow"), "POST");
  expect_error(answer->body, "method_not_allowed");
  answer = http.Delete("/ping");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 405);
}

TEST_F(HttpServerTest, HidesTheCauseOfAnInternalErrorAndShowsARequestError) {
  start();
  httplib::Client http = client();
  auto answer = http.Post("/throw", "x", "text/plain");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 500);
  EXPECT_EQ(answer->body.find("secret"), std::string::npos);
  expect_error(answer->body, "internal_error");
  answer = http.Post("/refuse", "x", "text/plain");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 422);
  EXPECT_EQ(answer->body,
            R"({"error":{"message":"too odd","type":"invalid_request_error","param":"rows[0]","code":"odd"}})");
}

TEST_F(HttpServerTest, RepeatsACleanRequestIdAndMakesOneOtherwise) {
  start();
  httplib::Client http = client();
  EXPECT_EQ(http.Get("/ping", {{"X-Request-Id", "abc-1"}})->get_header_value("X-Request-Id"), "abc-1");
  const std::string made = http.Get("/ping")->get_header_value("X-Request-Id");
  EXPECT_EQ(made.size(), 16u);
  EXPECT_NE(http.Get("/ping", {{"X-Request-Id", std::string(200, 'x')}})->get_header_value("X-Request-Id").size(),
            200u);
}

TEST_F(HttpServerTest, RefusesABodyOverTheLimitBeforeItArrives) {
  start({.max_body_bytes = 1000});
  httplib::Client http = client();
  EXPECT_EQ(http.Post("/echo", std::string(1000, 'x'), "text/plain")->status, 200);
  for (const size_t size : {size_t{1001}, size_t{20'000'000}}) {
    const auto answer = http.Post("/echo", std::string(size, 'x'), "text/plain");
    ASSERT_TRUE(answer) << size << " " << httplib::to_string(answer.error());
    EXPECT_EQ(answer->status, 413);
    expect_error(answer->body, "body_too_large");
  }
  const Timer timer;
  const std::string answer = exchange("POST /echo HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n");
  EXPECT_EQ(status_line(answer), "HTTP/1.1 413 Payload Too Large");
  EXPECT_LT(timer.seconds(), 5);
  // curl asks first.
  const std::string asked = exchange("POST /echo HTTP/1.1\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(status_line(asked), "HTTP/1.1 413 Payload Too Large");
}

TEST_F(HttpServerTest, RefusesAChunkedBodyOverTheLimit) {
  start({.max_body_bytes = 1000});
  httplib::Client http = client();
  const auto post = [&](size_t size) {
    return http.Post(
        "/echo",
        [size](size_t, httplib::DataSink& sink) {
          for (size_t sent = 0; sent < size; sent += 100) sink.write(std::string(100, 'x').data(), 100);
          sink.done();
          return true;
        },
        "text/plain");
  };
  EXPECT_EQ(post(1000)->body.size(), 1000u);
  for (const size_t size : {size_t{1100}, size_t{1'000'000}}) {
    const auto answer = post(size);
    ASSERT_TRUE(answer) << size << " " << httplib::to_string(answer.error());
    EXPECT_EQ(answer->status, 413);
    expect_error(answer->body, "body_too_large");
  }
  // A chunk size that never ends takes no memory either.
  EXPECT_EQ(
      status_line(exchange("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(100'000, '0'))),
      "HTTP/1.1 413 Payload Too Large");
}

TEST_F(HttpServerTest, LimitsTheDecompressedBody) {
  start({.max_body_bytes = 100'000});
  httplib::Client http = client();
  http.set_compress(true);
  EXPECT_EQ(http.Post("/echo", std::string(100'000, 'x'), "text/plain")->status, 200);
  const auto answer = http.Post("/echo", std::string(50'000'000, 'x'), "text/plain");  // some 50 kB on the way
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
}

TEST_F(HttpServerTest, BoundsTheBodiesOfAllConnectionsTogether) {
  start({.max_body_bytes = 1000, .max_buffered_bytes = 1500});
  RawClient first(server_->port());
  first.send("POST /echo HTTP/1.1\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n" + std::string(999, 'x'));
  std::this_thread::sleep_for(100ms);
  const auto answer = client().Post("/echo", std::string(800, 'x'), "text/plain");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 503);
  expect_error(answer->body, "no_memory");
  first.send("x");
  EXPECT_EQ(body_of(first.read_all()).size(), 1000u);
  EXPECT_EQ(client().Post("/echo", std::string(800, 'x'), "text/plain")->status, 200);
}

TEST_F(HttpServerTest, SurvivesNoise) {
  start({.receive_timeout_ms = 300});
  Rng rng(7);
  const std::string seeds[] = {"POST /echo HTTP/1.1\r\nContent-Length: 20\r\n\r\n0123456789",
                               "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
                               "GET /ping?a=%41&b HTTP/1.1\r\nRange: bytes=1-2\r\nX-Request-Id: q\r\n\r\n"};
  for (int i = 0; i < 300; ++i) {
    std::string text = seeds[i % 3];
    for (int edits = 0; edits < 1 + i % 4; ++edits) {
      text[static_cast<size_t>(rng.below(static_cast<int64_t>(text.size())))] = static_cast<char>(rng.next_u32());
    }
    RawClient raw(server_->port());
    raw.send(text);
    raw.finish_sending();
    const std::string answer = raw.read_all();
    EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.1 ")) << text;
  }
  EXPECT_EQ(client().Get("/ping")->status, 200);
}

TEST_F(HttpServerTest, RefusesMalformedRequests) {
  start({.receive_timeout_ms = 2000});
  const auto expect_status = [&](std::string_view request, int status) {
    const std::string answer = exchange(request);
    EXPECT_EQ(status_line(answer).substr(0, 12), "HTTP/1.1 " + std::to_string(status)) << request.substr(0, 100) << "\n"
                                                                                       << answer;
    EXPECT_NE(answer.find("Connection: close"), std::string::npos) << answer;
    EXPECT_TRUE(Json::accept(body_of(answer))) << answer;
  };
  expect_status("NONSENSE\r\n\r\n", 400);
  expect_status("\r\n\r\n", 400);
  expect_status("\x16\x03\x01\x02\r\n\r\n", 400);  // the start of a TLS handshake, more or less
  expect_status("GET /ping HTTP/3.0\r\n\r\n", 400);
  expect_status("POST /echo HTTP/1.1\r\nContent-Length: abc\r\n\r\n", 400);
  expect_status("POST /echo HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 400);
  expect_status("POST /echo HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400);
  expect_status("POST /echo HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
  expect_status("POST /echo HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501);
  expect_status("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", 400);
  expect_status("POST /echo HTTP/1.1\r\nContent-Encoding: zstd\r\nContent-Length: 2\r\n\r\nxx", 415);
  expect_status("POST /echo HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxx", 400);
  expect_status("GET /" + std::string(10'000, 'a') + " HTTP/1.1\r\n\r\n", 414);
  expect_status("GET /ping HTTP/1.1\r\nX: " + std::string(Connection::kMaxHeaderBytes + 1, 'a'), 431);
}

TEST_F(HttpServerTest, TakesAPostWithoutABodyAsEmpty) {
  start();
  const std::string answer = exchange("POST /echo HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(status_line(answer), "HTTP/1.1 200 OK");
  EXPECT_EQ(body_of(answer), "");
}

TEST_F(HttpServerTest, EndsRequestsThatTrickle) {
  start({.receive_timeout_ms = 400});
  const Timer timer;
  auto header = std::async(std::launch::async, [&] {
    RawClient raw(server_->port());
    for (const char c : std::string_view("GET /ping HTTP/1.1\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")) {
      if (!raw.send({&c, 1})) break;
      std::this_thread::sleep_for(20ms);
    }
    return raw.read_all();
  });
  RawClient raw(server_->port());
  raw.send("POST /echo HTTP/1.1\r\nContent-Length: 1000\r\n\r\n");
  for (int i = 0; i < 50; ++i) {
    if (!raw.send("x")) break;
    std::this_thread::sleep_for(20ms);
  }
  const std::string body_answer = raw.read_all();
  EXPECT_EQ(status_line(body_answer), "HTTP/1.1 408 Request Timeout");
  expect_error(body_of(body_answer), "request_timeout");
  const std::string header_answer = header.get();
  EXPECT_EQ(status_line(header_answer).substr(0, 12), "HTTP/1.1 408");
  EXPECT_LT(timer.seconds(), 5);
}

TEST_F(HttpServerTest, SaysThatABodyWasCutShort) {
  start();
  RawClient raw(server_->port());
  raw.send("POST /echo HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
  raw.finish_sending();
  const std::string answer = raw.read_all();
  EXPECT_EQ(status_line(answer), "HTTP/1.1 400 Bad Request");
  expect_error(body_of(answer), "bad_body");
}

TEST_F(HttpServerTest, ClosesIdleConnections) {
  start({.idle_timeout_ms = 200});
  RawClient raw(server_->port());
  raw.send("GET /ping HTTP/1.1\r\n\r\n");
  const Timer timer;
  EXPECT_EQ(status_line(raw.read_all()), "HTTP/1.1 200 OK");  // and then the end
  EXPECT_LT(timer.seconds(), 3);
}

TEST_F(HttpServerTest, RefusesConnectionsOverTheLimitAndRecovers) {
  start({.max_connections = 2, .receive_timeout_ms = 1000});
  {
    RawClient first(server_->port()), second(server_->port());
    while (server_->num_connections() < 2) std::this_thread::sleep_for(1ms);
    RawClient third(server_->port());
    const std::string answer = third.read_all();
    EXPECT_EQ(status_line(answer).substr(0, 12), "HTTP/1.1 503");
    EXPECT_NE(answer.find("Retry-After: 1\r\n"), std::string::npos);
    expect_error(body_of(answer), "too_many_connections");
    EXPECT_EQ(refused_, 1);
  }
  while (server_->num_connections() > 0) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(client().Get("/ping")->status, 200);
}

TEST_F(HttpServerTest, StopLetsRequestsFinishAndEndsIdleConnections) {
  start({.idle_timeout_ms = 60'000});
  httplib::Client idle = client();
  idle.set_keep_alive(true);
  ASSERT_TRUE(idle.Get("/ping"));
  auto answer = std::async(std::launch::async, [&] { return client().Post("/sleep", "x", "text/plain"); });
  std::this_thread::sleep_for(100ms);
  const Timer timer;
  server_->stop();
  EXPECT_LT(timer.seconds(), 2);
  const auto result = answer.get();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->body, "awake");
  EXPECT_EQ(result->get_header_value("Connection"), "close");
  EXPECT_FALSE(client().Get("/ping"));
}

TEST_F(HttpServerTest, SaysWhyAnAddressCannotBeHad) {
  start();
  HttpOptions options;
  options.port = server_->port();
  HttpServer second(options);
  try {
    second.start();
    FAIL() << "expected FileError";
  } catch (const FileError& error) {
    EXPECT_NE(error.message().find("Address already in use; another program listens there"), std::string::npos)
        << error.message();
  }
  options.host = "no such host";
  HttpServer third(options);
  EXPECT_THROW(third.start(), ConfigError);
}

}  // namespace
}  // namespace danlu::serve
