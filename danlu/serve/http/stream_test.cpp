// Answers in pieces over real sockets: to clients that read to the end, leave in the middle or do not read at all.
#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "danlu/base/timer.h"
#include "danlu/serve/http/event_stream.h"
#include "danlu/serve/http/server.h"
#include "danlu/serve/testing.h"

namespace danlu::serve {
namespace {

using namespace std::chrono_literals;

class HttpStreamTest : public testing::Test {
 protected:
  void start(HttpOptions options = {}) {
    options.port = 0;
    server_ = std::make_unique<HttpServer>(options);
    server_->route("POST", "/count", [](const HttpRequest&) {
      return event_stream([](EventStream& events) {
        for (const char* word : {"one", "two\nlines", "three"}) events.send(word);
        events.ping();
      });
    });
    server_->route("POST", "/forever", [this](const HttpRequest& request) {
      return event_stream([this, is_abandoned = request.is_abandoned](EventStream& events) {
        began_ = true;
        while (events.send("again") && !is_abandoned()) std::this_thread::sleep_for(5ms);
        ended_ = true;
      });
    });
    server_->route("POST", "/flood", [this](const HttpRequest&) {
      return event_stream([this](EventStream& events) {
        while (events.send(std::string(100'000, 'x'))) began_ = true;
        ended_ = true;
      });
    });
    server_->route("POST", "/silent", [this](const HttpRequest& request) {
      began_ = true;
      while (!request.is_abandoned()) std::this_thread::sleep_for(5ms);
      ended_ = true;
      return HttpResponse{.body = "nobody"};
    });
    server_->route("POST", "/break", [](const HttpRequest&) {
      return event_stream([](EventStream& events) {
        events.send("half");
        throw std::runtime_error("the secret cause");
      });
    });
    server_->route("GET", "/feed",
                   [](const HttpRequest&) { return event_stream([](EventStream& events) { events.send("news"); }); });
    server_->on_answer([this](const HttpRecord& record) { statuses_.push_back(record.status); });
    server_->start();
  }

  static std::string request(const std::string& path, const std::string& version = "1.1") {
    return "POST " + path + " HTTP/" + version + "\r\nContent-Length: 1\r\n\r\nx";
  }
  void wait_for(const std::atomic<bool>& flag) const {
    const Timer timer;
    while (!flag && timer.seconds() < 10) std::this_thread::sleep_for(2ms);
    EXPECT_TRUE(flag);
  }

  std::atomic<bool> began_{false}, ended_{false};
  std::vector<int> statuses_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpStreamTest, PiecesAreChunksAndTheConnectionGoesOn) {
  start();
  httplib::Client client("127.0.0.1", server_->port());
  client.set_keep_alive(true);
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.Post("/count", "x", "text/plain");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->get_header_value("Content-Type"), "text/event-stream");
    EXPECT_EQ(answer->get_header_value("Cache-Control"), "no-cache");
    EXPECT_EQ(answer->body, "data: one\n\ndata: two\ndata: lines\n\ndata: three\n\n: ping\n\n");
  }
  EXPECT_EQ(server_->num_connections(), 1);
  EXPECT_EQ(statuses_, (std::vector<int>{200, 200, 200}));
}

TEST_F(HttpStreamTest, AnHttp10ClientReadsToTheEndOfTheConnection) {
  start();
  RawClient client(server_->port());
  client.send(request("/count", "1.0"));
  const std::string answer = client.read_all();
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos) << answer;
  EXPECT_EQ(answer.find("chunked"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\ndata: one\n\ndata: two\ndata: lines\n\ndata: three\n\n: ping\n\n")) << answer;
}

TEST_F(HttpStreamTest, HeadOfAStreamIsItsHeaderAlone) {
  start();
  RawClient client(server_->port());
  client.send("HEAD /feed HTTP/1.1\r\n\r\nGET /feed HTTP/1.1\r\nConnection: close\r\n\r\n");
  const std::string answer = client.read_all();
  EXPECT_NE(answer.find("\r\n\r\nHTTP/1.1 200"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\nc\r\ndata: news\n\n\r\n0\r\n\r\n")) << answer;
}

TEST_F(HttpStreamTest, AClientThatLeavesEndsTheWork) {
  start();
  for (const char* path : {"/forever", "/silent"}) {
    began_ = ended_ = false;
    {
      RawClient client(server_->port());
      client.send(request(path));
      wait_for(began_);
      EXPECT_FALSE(ended_);
    }
    wait_for(ended_);
  }
}

TEST_F(HttpStreamTest, AClientThatDoesNotReadEndsTheWork) {
  start({.send_timeout_ms = 200});
  RawClient client(server_->port());
  client.send(request("/flood"));
  wait_for(ended_);
  EXPECT_TRUE(began_);
}

TEST_F(HttpStreamTest, AnErrorBreaksTheStreamOff) {
  start();
  RawClient client(server_->port());
  client.send(request("/break"));
  const std::string answer = client.read_all();
  EXPECT_TRUE(answer.ends_with("\r\n\r\nc\r\ndata: half\n\n\r\n")) << "without the chunk that ends a body\n" << answer;
  EXPECT_EQ(answer.find("secret"), std::string::npos);
}

TEST_F(HttpStreamTest, StopGivesStreamsTheirTimeAndNoMore) {
  start({.drain_timeout_ms = 300});
  RawClient client(server_->port());
  client.send(request("/forever"));
  wait_for(began_);
  const Timer timer;
  server_->stop();
  EXPECT_GE(timer.seconds(), 0.25);
  EXPECT_LT(timer.seconds(), 5);
  EXPECT_TRUE(ended_);
  EXPECT_TRUE(client.read_all().ends_with("0\r\n\r\n")) << "what was made has arrived";
}

}  // namespace
}  // namespace danlu::serve
