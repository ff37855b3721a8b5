// The served model and clients that are wrong, rude or slow.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <memory>
#include <thread>

#include "danlu/base/json.h"
#include "tests/misuse/program.h"

namespace danlu {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// A TCP connection that sends what it is told to, when it is told to.
class Client {
 public:
  explicit Client(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    const timeval limit{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  bool connected() const { return connected_; }
  bool send(std::string_view text) {
    return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  std::string read_all() {
    std::string all;
    char buffer[4096];
    for (ssize_t n; (n = ::recv(fd_, buffer, sizeof buffer, 0)) > 0;) all.append(buffer, static_cast<size_t>(n));
    return all;
  }

 private:
  int fd_;
  bool connected_ = false;
};

// One small model, trained once and served for all tests of this file.
class BadRequests : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    work_ = new Workplace;
    work_->write("t.csv", small_csv());
    const Outcome run = work_->danlu(
        {"run", "--data", "t.csv", "--target", "kind", "train.epochs=5", "data.columns.colour.encode.unknown=error"});
    ASSERT_EQ(run.code, 0) << run.err;
    make_directories(*work_ / "server");
    server_ = new Program(*work_ / "server", {"serve", "../runs/t", "--port", "0", "--max-body-bytes", "20000",
                                              "--receive-timeout-ms", "2000"});
    for (int i = 0; i < 200 && port_ == 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      const std::string out = server_->out();
      const size_t at = out.find("http://127.0.0.1:");
      if (at != std::string::npos && out.find('\n', at) != std::string::npos) port_ = std::stoi(out.substr(at + 17));
    }
    ASSERT_GT(port_, 0) << server_->out();
  }
  static void TearDownTestSuite() {
    EXPECT_EQ(server_->end(SIGTERM).code, 0) << "an orderly end";
    delete server_;
    delete work_;
  }

  static std::string post(const std::string& body, const std::string& type = "application/json") {
    Client client(port_);
    client.send("POST /v1/predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: " + type +
                "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return client.read_all();
  }
  static Json answer(const std::string& response) {
    return parse_json(response.substr(response.find("\r\n\r\n") + 4), "answer");
  }

  static inline Workplace* work_ = nullptr;
  static inline Program* server_ = nullptr;
  static inline int port_ = 0;
};

constexpr const char* kGood = R"({"model": "t", "rows": [{"size": 55, "colour": "blue"}]})";

TEST_F(BadRequests, AGoodOneIsAnsweredAsPredictDoes) {
  const std::string response = post(kGood);
  EXPECT_THAT(response, StartsWith("HTTP/1.1 200"));
  work_->write("one.csv", "size,colour\n55,blue\n");
  Json from_file = parse_json(work_->danlu({"predict", "t", "one.csv"}).out, "line");
  from_file.erase("line");
  EXPECT_EQ(answer(response)["predictions"][0], from_file);
}

TEST_F(BadRequests, TheExampleOfTheRunIsAnswered) {
  EXPECT_THAT(post(read_file(*work_ / "runs/t/example_request.json")), StartsWith("HTTP/1.1 200"));
}

TEST_F(BadRequests, MalformedJson) {
  const std::string response = post("{\"rows\": [{\"size\": 5,");
  EXPECT_THAT(response, StartsWith("HTTP/1.1 400"));
  EXPECT_TRUE(answer(response).contains("error"));
  EXPECT_THAT(post("[]"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(post(""), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(post("{\"rows\": []}"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(post(std::string(9000, '[')), StartsWith("HTTP/1.1 400"));
}

TEST_F(BadRequests, ValuesThatTheModelCannotTake) {
  EXPECT_THAT(post(R"({"rows": [{"size": 55, "colour": "purple"}]})"), HasSubstr("purple"));
  EXPECT_THAT(post(R"({"rows": [{"size": "much", "colour": "blue"}]})"), StartsWith("HTTP/1.1 422"));
  EXPECT_THAT(post(R"({"rows": [{"colour": "blue"}]})"), HasSubstr("size"));
  EXPECT_THAT(post(R"({"model": "s", "rows": [{"size": 55, "colour": "blue"}]})"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(post("not an image", "image/png"), StartsWith("HTTP/1.1 422"));
}

TEST_F(BadRequests, BodyOverTheLimit) {
  EXPECT_THAT(post(std::string(20001, ' ')), StartsWith("HTTP/1.1 413"));
  Client client(port_);
  client.send("POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999\r\n\r\n{");
  EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 413"));
}

TEST_F(BadRequests, TwoHundredSlowClientsHoldUpNobody) {
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < 200; ++i) {
    slow.push_back(std::make_unique<Client>(port_));
    ASSERT_TRUE(slow.back()->connected());
    slow.back()->send("POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{");
  }
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(post(kGood), StartsWith("HTTP/1.1 200"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
  // They are told off in time, and the server still answers.
  EXPECT_THAT(slow.front()->read_all(), HasSubstr("408"));
  slow.clear();
  EXPECT_THAT(post(kGood), StartsWith("HTTP/1.1 200"));
}

}  // namespace
}  // namespace danlu
