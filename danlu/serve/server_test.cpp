// The prediction service over real sockets, with two models small enough to know their answers by heart.
#include "danlu/serve/server.h"

#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <cmath>
#include <deque>
#include <functional>
#include <future>
#include <sstream>
#include <thread>

#include "danlu/base/base64.h"
#include "danlu/base/timer.h"
#include "danlu/data/image/decode.h"
#include "danlu/data/table/table.h"
#include "danlu/serve/testing.h"

namespace danlu::serve {
namespace {

using namespace std::chrono_literals;

// p(high) = 1 / (1 + exp(-(a + b))).
class SumModel : public Model {
 public:
  explicit SumModel(std::function<void()> before_run = {}) : before_run_(std::move(before_run)) {}

  infer::InputKind input_kind() const override { return infer::InputKind::table; }
  const std::vector<std::string>& class_names() const override { return classes_; }
  const std::vector<std::string>& input_columns() const override { return columns_; }
  int64_t num_parameters() const override { return 2; }

  Tensor encode_rows(const Json& rows) const override {
    const data::Table table = data::table_from_rows(rows);
    Tensor x = Tensor::empty({table.num_rows(), 2});
    for (int64_t row = 0; row < table.num_rows(); ++row) {
      for (int64_t i = 0; i < 2; ++i) {
        const int64_t column = table.column_index(columns_[static_cast<size_t>(i)]);
        const std::string cell(table.cell(row, column));
        char* end = nullptr;
        x.mutable_data()[row * 2 + i] = std::strtof(cell.c_str(), &end);
        if (end == cell.c_str())
          throw DataError("test", table.place(row, column) + ": \"" + cell + "\" is not a number");
      }
    }
    return x;
  }
  Tensor encode_images(std::span<const std::string_view>) const override {
    throw InternalError("test", "not an image model");
  }

  Tensor run(const Tensor& x) override {
    if (before_run_) before_run_();
    Tensor y = Tensor::empty({x.size(0), 2});
    for (int64_t row = 0; row < x.size(0); ++row) {
      const float sum = x.data()[row * 2] + x.data()[row * 2 + 1];
      if (sum == -77) throw std::runtime_error("the secret cause");
      y.mutable_data()[row * 2 + 1] = sum == 88 ? NAN : 1 / (1 + std::exp(-sum));
      y.mutable_data()[row * 2] = 1 - y.data()[row * 2 + 1];
    }
    return y;
  }

  std::vector<infer::Prediction> decode(const Tensor& y) const override {
    std::vector<infer::Prediction> predictions;
    for (int64_t row = 0; row < y.size(0); ++row) {
      const double low = y.data()[row * 2], high = y.data()[row * 2 + 1];
      predictions.push_back({.label = classes_[high > low], .probabilities = {low, high}});
    }
    return predictions;
  }

 private:
  std::function<void()> before_run_;
  std::vector<std::string> columns_ = {"a", "b"};
  std::vector<std::string> classes_ = {"low", "high"};
};

// The mean of the pixels, 0 to 1, as probability of "bright".
class BrightnessModel : public SumModel {
 public:
  infer::InputKind input_kind() const override { return infer::InputKind::image; }
  Tensor encode_images(std::span<const std::string_view> files) const override {
    Tensor x = Tensor::empty({static_cast<int64_t>(files.size()), 2});
    for (size_t i = 0; i < files.size(); ++i) {
      const data::Image image = data::decode_image(files[i], "image");
      double sum = 0;
      for (const uint8_t pixel : image.pixels) sum += pixel;
      const auto mean = static_cast<float>(sum / static_cast<double>(image.pixels.size()) / 255);
      x.mutable_data()[2 * i] = 1 - mean;
      x.mutable_data()[2 * i + 1] = mean;
    }
    return x;
  }
  Tensor run(const Tensor& x) override { return x.clone(); }
};

std::string png(uint8_t gray) {
  return data::encode_png({.height = 4, .width = 4, .channels = 1, .pixels = std::vector<uint8_t>(16, gray)});
}

class ServerTest : public testing::Test {
 protected:
  void start(ServeOptions options = {}, std::function<void()> before_run = {}) {
    options.http.port = 0;
    server_ = std::make_unique<Server>(options);
    server_->add_model("sum", std::make_unique<SumModel>(std::move(before_run)));
    server_->add_model("brightness", std::make_unique<BrightnessModel>());
    server_->start();
  }

  httplib::Client client() const {
    httplib::Client client("127.0.0.1", server_->port());
    client.set_tcp_nodelay(true);
    client.set_keep_alive(true);
    return client;
  }

  httplib::Result post(const std::string& body, const std::string& path = "/v1/predict",
                       const std::string& type = "application/json") const {
    return client().Post(path, body, type);
  }

  // Until GET /metrics has this line.
  void wait_for_metric(const std::string& line) const {
    const Timer timer;
    httplib::Client http = client();
    std::string text;
    do {
      text = http.Get("/metrics")->body;
      if (text.find("\n" + line + "\n") != std::string::npos) return;
      std::this_thread::sleep_for(5ms);
    } while (timer.seconds() < 10);
    ADD_FAILURE() << "waited for " << line << "\n" << text;
  }

  void expect_error(const httplib::Result& result, int status, const std::string& code,
                    const std::string& words) const {
    ASSERT_TRUE(result);
    EXPECT_EQ(result->status, status) << result->body;
    const Json error = parse_json(result->body, "answer")["error"];
    EXPECT_EQ(error["code"], code) << result->body;
    EXPECT_NE(error["message"].get<std::string>().find(words), std::string::npos) << result->body;
  }

  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, PredictsRowsWithClassNamesAndProbabilities) {
  start();
  const auto answer = post(R"({"model": "sum", "rows": [{"a": 1, "b": 2}, {"b": -5, "a": 0.5}]})");
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->status, 200) << answer->body;
  EXPECT_EQ(answer->get_header_value("Content-Type"), "application/json");
  const Json json = parse_json(answer->body, "answer");
  EXPECT_EQ(json["model"], "sum");
  ASSERT_EQ(json["predictions"].size(), 2u);
  EXPECT_EQ(json["predictions"][0]["label"], "high");
  EXPECT_NEAR(json["predictions"][0]["probabilities"]["high"].get<double>(), 1 / (1 + std::exp(-3.0)), 1e-6);
  EXPECT_EQ(json["predictions"][1]["label"], "low");
  EXPECT_EQ(post(R"({"row": {"a": 1, "b": 2}})", "/predict?model=sum")->status, 200);
}

TEST_F(ServerTest, PredictsImagesAsBodyFormAndBase64) {
  start();
  const std::string file = png(204);
  httplib::Client http = client();
  std::vector<std::string> bodies;
  bodies.push_back(http.Post("/v1/predict?model=brightness", file, "image/png")->body);
  bodies.push_back(post("{\"model\": \"brightness\", \"image\": \"" + base64_encode(file) + "\"}")->body);
  bodies.push_back(http.Post("/v1/predict", httplib::MultipartFormDataItems{{"model", "brightness", "", ""},
                                                                            {"image", file, "x.png", "image/png"}})
                       ->body);
  for (const std::string& body : bodies) {
    EXPECT_EQ(body, bodies.front());
    const Json json = parse_json(body, "answer");
    EXPECT_EQ(json["predictions"][0]["label"], "high") << body;
    EXPECT_NEAR(json["predictions"][0]["probabilities"]["high"].get<double>(), 0.8, 1e-6);
  }
  const std::string two = "{\"model\": \"brightness\", \"images\": [\"" + base64_encode(png(0)) + "\", \"" +
                          base64_encode(png(255)) + "\"]}";
  const Json json = parse_json(post(two)->body, "answer");
  EXPECT_EQ(json["predictions"][0]["label"], "low");
  EXPECT_EQ(json["predictions"][1]["label"], "high");
}

TEST_F(ServerTest, RefusesWhatItCannotAnswer) {
  start();
  expect_error(post("{\"rows\": [\n{\"a\" 1}]}"), 400, "bad_json", "request:2:6");
  expect_error(post(R"({"model": "sum", "rows": [{"a": 1, "b": {}}]})"), 400, "wrong_type",
               "rows[0].b is object; expected a number");
  expect_error(post(R"({"rows": [{"a": 1, "b": 2}]})"), 400, "model_missing", "expected one of brightness, sum");
  expect_error(post(R"({"model": "sun", "rows": [{"a": 1, "b": 2}]})"), 404, "model_not_found",
               "did you mean \"sum\"?");
  expect_error(post(R"({"model": "sum", "rows": [{"a": 1, "c": 2}]})"), 422, "bad_value", "\"b\"");
  expect_error(post(R"({"model": "sum", "rows": [{"a": 1, "b": 2}, {"a": 1, "b": "red"}]})"), 422, "bad_value",
               "\"red\" is not a number");
  expect_error(post(R"({"model": "sum", "image": "aGVsbG8="})"), 422, "wrong_input",
               "the model takes table rows; got an image");
  expect_error(post(R"({"model": "brightness", "row": {"a": 1}})"), 422, "wrong_input",
               "the model takes images; got rows");
  expect_error(post(R"({"model": "brightness", "image": "aGVsbG8="})"), 422, "bad_value", "image");
  expect_error(post(R"({"model": "sum", "row": {"a": 80, "b": 8}})"), 422, "no_finite_answer", "input 0");
  expect_error(post(R"({"model": "sum", "row": {"a": -70, "b": -7}})"), 500, "internal_error", "internal error");
  EXPECT_EQ(post(R"({"model": "sum", "row": {"a": -70, "b": -7}})")->body.find("secret"), std::string::npos);
  expect_error(post("a,b", "/v1/predict", "text/csv"), 415, "unknown_content_type", "text/csv");
}

TEST_F(ServerTest, RefusesATruncatedImageWhereverItIsCut) {
  start();
  const std::string file = png(99);
  for (size_t size = 1; size < file.size(); size += 7) {
    expect_error(post(file.substr(0, size), "/v1/predict?model=brightness", "image/png"), 422, "bad_value", "image");
  }
}

TEST_F(ServerTest, RefusesABodyOverTheLimit) {
  start({.http = {.max_body_bytes = 100}});
  expect_error(post("{\"rows\": \"" + std::string(200, 'x') + "\"}"), 413, "body_too_large", "limit of 100 bytes");
}

TEST_F(ServerTest, ListsModelsAndHealth) {
  start();
  const Json models = parse_json(client().Get("/v1/models")->body, "answer");
  EXPECT_EQ(models["object"], "list");
  ASSERT_EQ(models["data"].size(), 2u);
  const Json& sum = models["data"][1];
  EXPECT_EQ(sum["id"], "sum");
  EXPECT_EQ(sum["object"], "model");
  EXPECT_EQ(sum["input"], "table");
  EXPECT_EQ(sum["columns"].dump(), R"(["a","b"])");
  EXPECT_EQ(sum["classes"].dump(), R"(["low","high"])");
  EXPECT_EQ(client().Get("/health")->body, R"({"status":"ok"})");
  EXPECT_EQ(client().Get("/v1/health")->status, 200);
}

TEST_F(ServerTest, GivesEveryClientItsOwnAnswer) {
  start({.batch = {.max_batch = 8}});
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      httplib::Client http = client();
      for (int i = 0; i < 100; ++i) {
        const double a = t - 4 + i * 0.01;
        const auto answer =
            http.Post("/v1/predict", "{\"model\": \"sum\", \"row\": {\"b\": 0, \"a\": " + std::to_string(a) + "}}",
                      "application/json");
        if (!answer || answer->status != 200) {
          ++wrong;
          continue;
        }
        const double high = parse_json(answer->body, "answer")["predictions"][0]["probabilities"]["high"].get<double>();
        wrong += std::abs(high - 1 / (1 + std::exp(-a))) > 1e-5;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(ServerTest, RefusesWhenTheQueueIsFullAndRecovers) {
  std::promise<void> open;
  std::shared_future<void> gate(open.get_future());
  start({.batch = {.max_batch = 1, .queue_capacity = 2}}, [gate] { gate.wait(); });
  const std::string body = R"({"model": "sum", "row": {"a": 1, "b": 2}})";
  std::vector<std::future<int>> answers;
  for (int i = 0; i < 3; ++i) {
    answers.push_back(std::async(std::launch::async, [&] { return post(body)->status; }));
    wait_for_metric("danlu_batch_rows_count{model=\"sum\"} 1");
  }
  wait_for_metric("danlu_queue_rows{model=\"sum\"} 2");
  for (int i = 0; i < 7; ++i) answers.push_back(std::async(std::launch::async, [&] { return post(body)->status; }));
  const auto refused = post(body);
  expect_error(refused, 429, "queue_full", "try again later");
  EXPECT_EQ(refused->get_header_value("Retry-After"), "1");
  EXPECT_EQ(client().Get("/health")->status, 200);
  wait_for_metric("danlu_rejected_total{reason=\"queue_full\"} 8");
  open.set_value();
  int ok = 0, busy = 0;
  for (auto& answer : answers) {
    const int status = answer.get();
    ok += status == 200;
    busy += status == 429;
  }
  EXPECT_EQ(ok, 3);  // one running, two waiting
  EXPECT_EQ(busy, 7);
  EXPECT_EQ(post(body)->status, 200);
  expect_error(post(R"({"model": "sum", "rows": [{"a": 1, "b": 1}, {"a": 1, "b": 1}, {"a": 1, "b": 1}]})"), 413,
               "too_many_rows", "got 3 rows");
}

TEST_F(ServerTest, AnswersALateRequestWith503) {
  start({.batch = {.deadline_ms = 100}}, [] { std::this_thread::sleep_for(400ms); });
  const Timer timer;
  const auto answer = post(R"({"model": "sum", "row": {"a": 1, "b": 2}})");
  EXPECT_LT(timer.seconds(), 0.35);
  expect_error(answer, 503, "deadline_passed", "no answer within 100 ms");
  EXPECT_EQ(answer->get_header_value("Retry-After"), "1");
}

TEST_F(ServerTest, StopAnswersTheRequestsThatAreIn) {
  std::promise<void> open;
  std::shared_future<void> gate(open.get_future());
  start({.batch = {.max_batch = 1}}, [gate] { gate.wait(); });
  std::vector<std::future<int>> answers;
  for (int i = 0; i < 6; ++i) {
    answers.push_back(std::async(std::launch::async, [&] {
      const auto result = post(R"({"model": "sum", "row": {"a": 1, "b": 2}})");
      return result ? result->status : -1;
    }));
  }
  wait_for_metric("danlu_queue_rows{model=\"sum\"} 5");
  auto waiting = std::async(std::launch::async, [&] { server_->wait(); });
  auto stopping = std::async(std::launch::async, [&] { server_->stop(); });
  EXPECT_EQ(stopping.wait_for(100ms), std::future_status::timeout);
  open.set_value();
  for (auto& answer : answers) EXPECT_EQ(answer.get(), 200);
  EXPECT_EQ(stopping.wait_for(5s), std::future_status::ready);
  EXPECT_EQ(waiting.wait_for(5s), std::future_status::ready);
  EXPECT_FALSE(client().Get("/health"));
}

// Lines of the Prometheus text: a comment, or a name with optional labels, and a number.
void expect_prometheus(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ") || line.starts_with("# TYPE ")) continue;
    const size_t space = line.rfind(' ');
    ASSERT_NE(space, std::string::npos) << line;
    const std::string name = line.substr(0, line.find_first_of("{ "));
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos) << line;
    EXPECT_EQ(line[name.size()] == '{', line[space - 1] == '}') << line;
    char* end = nullptr;
    std::strtod(line.c_str() + space + 1, &end);
    EXPECT_EQ(*end, '\0') << line;
  }
}

TEST_F(ServerTest, CountsForPrometheus) {
  start();
  post(R"({"model": "sum", "rows": [{"a": 1, "b": 2}, {"a": 1, "b": 2}, {"a": -9, "b": 2}]})");
  post("{");
  client().Get("/nothing/here");
  const auto answer = client().Get("/metrics");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->get_header_value("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  expect_prometheus(answer->body);
  for (const char* line : {"danlu_http_requests_total{route=\"/v1/predict\",status=\"200\"} 1\n",
                           "danlu_http_requests_total{route=\"/v1/predict\",status=\"400\"} 1\n",
                           "danlu_http_requests_total{route=\"other\",status=\"404\"} 1\n",
                           "danlu_http_request_duration_seconds_count{route=\"/v1/predict\"} 2\n",
                           "danlu_predictions_total{model=\"sum\",class=\"high\"} 2\n",
                           "danlu_predictions_total{model=\"sum\",class=\"low\"} 1\n",
                           "danlu_batch_rows_sum{model=\"sum\"} 3\n", "danlu_queue_rows{model=\"sum\"} 0\n"}) {
    EXPECT_NE(answer->body.find(line), std::string::npos) << line << answer->body;
  }
  server_->stop();
  start({.metrics = false});
  EXPECT_EQ(client().Get("/metrics")->status, 404);
}

TEST_F(ServerTest, StaysQuickBesideSlowClients) {
  start({.http = {.receive_timeout_ms = 3000}});
  constexpr size_t kSlow = 200;
  std::deque<RawClient> slow;
  for (size_t i = 0; i < kSlow; ++i) ASSERT_TRUE(slow.emplace_back(server_->port()).connected());
  // Half of them trickle a header, half a body, ten bytes a second each.
  std::atomic<bool> done{false};
  std::thread trickle([&] {
    const std::string header = "POST /v1/predict HTTP/1.1\r\nContent-Length: 1000\r\n";
    for (size_t i = 0; i < kSlow; ++i) {
      slow[i].send(i % 2 == 0 ? header : header + "\r\n{");
    }
    while (!done) {
      for (RawClient& slow_client : slow) slow_client.send("x");
      std::this_thread::sleep_for(100ms);
    }
  });
  std::this_thread::sleep_for(200ms);

  httplib::Client http = client();
  double slowest = 0;
  for (int i = 0; i < 100; ++i) {
    const Timer timer;
    EXPECT_EQ(http.Get("/health")->status, 200);
    EXPECT_EQ(http.Post("/v1/predict", R"({"model": "sum", "row": {"a": 1, "b": 2}})", "application/json")->status,
              200);
    EXPECT_EQ(post(R"({"model": "sum", "row": {"a": 1, "b": 2}})")->status, 200);  // on a connection of its own
    slowest = std::max(slowest, timer.seconds());
  }
  RecordProperty("slowest_ms", static_cast<int>(slowest * 1000));
  EXPECT_LT(slowest, 1);

  // All of them are told that their time is over, and their threads are free again.
  http.stop();
  wait_for_metric("danlu_connections 1");  // the one that asks
  done = true;
  trickle.join();
}

TEST_F(ServerTest, RefusesToServeNothingOrOneNameTwice) {
  Server server;
  EXPECT_THROW(server.start(), ConfigError);
  server.add_model("m", std::make_unique<SumModel>());
  EXPECT_THROW(server.add_model("m", std::make_unique<SumModel>()), ConfigError);
  EXPECT_THROW(server.add_model("", std::make_unique<SumModel>()), ConfigError);
}

}  // namespace
}  // namespace danlu::serve
