// Clients that are wrong, rude or slow. The server answers each with a JSON error and goes on.
#include "tests/client.h"
#include "tests/misuse/refusal.h"
#include "tests/samples.h"

namespace danlu::test {
namespace {

using testing::HasSubstr;

constexpr const char* kGood = R"({"rows": [{"x": 1.5, "y": 2, "colour": "blue"}]})";

// One model, trained once, and its server, for all tests.
class BadRequests : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    project_ = std::make_unique<Project>();
    project_->write("points.csv", points_csv(60));
    const Outcome run = project_->danlu({"run", "--data", "points.csv", "--target", "kind", "train.epochs=2",
                                         "data.columns.colour.encode.unknown=error"});
    ASSERT_EQ(run.code, 0) << run;
    server_ = std::make_unique<ServedModels>(*project_, Words{"points"},
                                             Words{"--max-body-bytes", "20000", "--receive-timeout-ms", "1500"});
  }
  static void TearDownTestSuite() {
    server_->process().signal(SIGTERM);
    EXPECT_EQ(server_->process().wait().code, 0) << "after all of this it ends in order";
    server_.reset();
    project_.reset();
  }
  static int port() { return server_->port(); }

  static void expect_error(const Answer& answer, int status, const std::string& code, const std::string& words) {
    EXPECT_EQ(answer.status, status) << answer.header << "\n" << answer.body;
    ASSERT_THAT(answer.header, HasSubstr("application/json"));
    const Json error = answer.json()["error"];
    EXPECT_EQ(error["code"], code) << answer.body;
    EXPECT_THAT(error["message"].get<std::string>(), HasSubstr(words));
  }
  void TearDown() override { EXPECT_EQ(post(port(), kGood).status, 200) << "the server still answers"; }

  static inline std::unique_ptr<Project> project_;
  static inline std::unique_ptr<ServedModels> server_;
};

TEST_F(BadRequests, MalformedJsonNamesThePlace) {
  expect_error(post(port(), R"({"rows": [{"x": 5,)"), 400, "bad_json", "request:1:19: not valid JSON");
  expect_error(post(port(), "{\"rows\": [{\"x\": nan}]}"), 400, "bad_json", "request:1:18: not valid JSON");
  expect_error(post(port(), std::string(9000, '[')), 400, "bad_json", "");
  expect_error(post(port(), "{\"rows\": [{\"x\": \"caf\xe9\"}]}"), 400, "bad_json", "UTF-8");
}

TEST_F(BadRequests, JsonThatIsNoQuestion) {
  expect_error(post(port(), ""), 400, "bad_input", "the request body is empty");
  expect_error(post(port(), "[]"), 400, "wrong_type", "the request is array; expected an object");
  expect_error(post(port(), "{}"), 400, "bad_input", "expected one of rows, row, images, image");
  expect_error(post(port(), R"({"rows": []})"), 400, "empty", "rows is empty");
  expect_error(post(port(), R"({"rows": [{"x": [1]}]})"), 400, "wrong_type", "rows[0].x is array");
  expect_error(post(port(), R"({"model": "pints", "row": {"x": 1}})"), 404, "model_not_found",
               "did you mean \"points\"?");
}

TEST_F(BadRequests, ValuesThatTheModelCannotTake) {
  expect_error(
      post(port(), R"({"rows": [{"x": 1, "y": 2, "colour": "green"}]})"), 422, "bad_value",
      "request row 1 column \"colour\": \"green\" is not a category of the training rows; expected one of blue, red");
  expect_error(post(port(), R"({"rows": [{"x": "many", "y": 2, "colour": "red"}]})"), 422, "bad_value",
               "request row 1 column \"x\": \"many\" is not a");
  expect_error(post(port(), R"({"rows": [{"x": "nan", "y": 2, "colour": "red"}]})"), 422, "bad_value",
               "request row 1 column \"x\": \"nan\" is not a finite number");
  expect_error(post(port(), R"({"rows": [{"x": 1, "colour": "red"}]})"), 422, "bad_value", "\"y\"");
  expect_error(post(port(), "\x89PNG and no more", "image/png"), 422, "wrong_input", "the model takes table rows");
  expect_error(post(port(), "<x/>", "text/xml"), 415, "unknown_content_type", "got Content-Type text/xml");
}

TEST_F(BadRequests, ABodyOverTheLimit) {
  expect_error(post(port(), std::string(20001, ' ')), 413, "body_too_large", "20000");
  RawClient client(port());
  client.send("POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999\r\n\r\n{");
  expect_error(read_answer(client), 413, "body_too_large", "20000");
}

TEST_F(BadRequests, WhatIsNoHttp) {
  RawClient client(port());
  client.send("SSH-2.0-OpenSSH_9.2\r\n\r\n");
  expect_error(read_answer(client), 400, "bad_request", "");
  expect_error(get(port(), "/v1/nothing"), 404, "unknown_path", "/v1/nothing");
  expect_error(get(port(), "/v1/predict"), 405, "method_not_allowed", "");
}

TEST_F(BadRequests, TwoHundredSlowClientsHoldUpNobody) {
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 200; ++i) {
    slow.push_back(std::make_unique<RawClient>(port()));
    ASSERT_TRUE(slow.back()->connected()) << i;
    slow.back()->send("POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900");
  }
  for (int i = 0; i < 5; ++i) {
    const Timer timer;
    EXPECT_EQ(post(port(), kGood).status, 200);
    EXPECT_LT(timer.seconds(), 1.0);
  }
  for (auto& client : slow) EXPECT_EQ(read_answer(*client).status, 408);
}

}  // namespace
}  // namespace danlu::test
