// Bundles that the program trained, served by the program.
#include <gmock/gmock.h>

#include <future>

#include "danlu/base/base64.h"
#include "tests/client.h"
#include "tests/program.h"
#include "tests/samples.h"

namespace danlu::test {
namespace {

using testing::HasSubstr;

constexpr const char* kRow = R"({"x": 1.5, "y": 2, "colour": "blue"})";

// A table model and an image model, trained once.
class Serve : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    project_ = std::make_unique<Project>();
    project_->write("points.csv", points_csv(100));
    write_squares(*project_ / "squares", 40);
    const Outcome points = project_->danlu(
        {"run", "--data", "points.csv", "--target", "kind", "train.epochs=5", "train.optimizer.lr=0.02"});
    ASSERT_EQ(points.code, 0) << points;
    const Outcome squares = project_->danlu({"run", "--data", "squares", "train.epochs=5", "model=logistic"});
    ASSERT_EQ(squares.code, 0) << squares;
  }
  static void TearDownTestSuite() { project_.reset(); }

  static std::string rows(const std::string& model, const std::string& row = kRow) {
    return fmt::format(R"({{"model": "{}", "rows": [{}]}})", model, row);
  }
  static std::string label_of(const Answer& answer) {
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.status == 200 ? answer.json()["predictions"][0]["label"] : "none";
  }
  static std::string png(bool bright) { return project_->read(bright ? "squares/bright/0.png" : "squares/dark/1.png"); }

  static inline std::unique_ptr<Project> project_;
};

TEST_F(Serve, SeveralBundlesByTheirNames) {
  ServedModels server(*project_, {"points", "runs/squares", "again=runs/points/bundle"});
  const int port = server.port();
  EXPECT_EQ(label_of(post(port, rows("points"))), "far");
  EXPECT_EQ(label_of(post(port, rows("again"))), "far");
  EXPECT_EQ(label_of(post(port, rows("points", R"({"x": -2, "y": -2, "colour": null})"))), "near");
  const Answer image = post(port, png(false), "image/png", "/v1/predict?model=squares");
  EXPECT_EQ(label_of(image), "dark");
  const Json probabilities = image.json()["predictions"][0]["probabilities"];
  EXPECT_NEAR(probabilities["dark"].get<double>() + probabilities["bright"].get<double>(), 1, 1e-6);

  const Answer unnamed = post(port, R"({"rows": [{"x": 1}]})");
  EXPECT_EQ(unnamed.status, 400);
  EXPECT_THAT(unnamed.body, HasSubstr("expected one of again, points, squares"));
  EXPECT_EQ(post(port, rows("circles")).status, 404);
}

TEST_F(Serve, HealthModelsAndMetrics) {
  ServedModels server(*project_, {"points", "squares"});
  const int port = server.port();
  const Answer health = get(port, "/health");
  EXPECT_EQ(health.status, 200);
  EXPECT_EQ(health.json()["status"], "ok");

  const Json models = get(port, "/v1/models").json()["data"];
  ASSERT_EQ(models.size(), 2u);
  EXPECT_EQ(models[0]["id"], "points");
  EXPECT_EQ(models[0]["input"], "table");
  EXPECT_EQ(models[0]["columns"], Json({"x", "y", "colour"}));
  EXPECT_EQ(models[0]["classes"], Json({"far", "near"}));
  EXPECT_EQ(models[1]["id"], "squares");
  EXPECT_EQ(models[1]["input"], "image");
  EXPECT_EQ(models[1]["parameters"], 65) << "64 pixels and a bias";

  for (int i = 0; i < 3; ++i) post(port, rows("points"));
  post(port, "{");
  const std::string metrics = get(port, "/metrics").body;
  EXPECT_THAT(metrics, HasSubstr("danlu_predictions_total{model=\"points\",class=\"far\"} 3\n"));
  EXPECT_THAT(metrics, HasSubstr("danlu_http_requests_total{route=\"/v1/predict\",status=\"200\"} 3\n"));
  EXPECT_THAT(metrics, HasSubstr("danlu_http_requests_total{route=\"/v1/predict\",status=\"400\"} 1\n"));
}

TEST_F(Serve, AnImageInEveryFormOfARequest) {
  ServedModels server(*project_, {"squares"});
  const int port = server.port();
  for (const bool bright : {false, true}) {
    const std::string bytes = png(bright);
    const Json expected = post(port, bytes, "image/png").json()["predictions"];
    EXPECT_EQ(expected[0]["label"], bright ? "bright" : "dark");
    const std::string base64 = base64_encode(bytes);
    EXPECT_EQ(post(port, bytes, "application/octet-stream").json()["predictions"], expected);
    EXPECT_EQ(post(port, Json{{"image", base64}}.dump()).json()["predictions"], expected);
    EXPECT_EQ(post(port, Json{{"image", "data:image/png;base64," + base64}}.dump()).json()["predictions"], expected);
    const std::string form =
        "--cut\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nsquares\r\n"
        "--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n"
        "Content-Type: image/png\r\n\r\n" +
        bytes + "\r\n--cut--\r\n";
    EXPECT_EQ(post(port, form, "multipart/form-data; boundary=cut").json()["predictions"], expected);
  }
  const Answer several = post(port, Json{{"images", {base64_encode(png(true)), base64_encode(png(false))}}}.dump());
  EXPECT_EQ(several.json()["predictions"][0]["label"], "bright");
  EXPECT_EQ(several.json()["predictions"][1]["label"], "dark");
}

TEST_F(Serve, DamagedImagesAreErrors) {
  ServedModels server(*project_, {"squares"});
  const std::string bytes = png(true);
  const Answer cut = post(server.port(), bytes.substr(0, bytes.size() / 2), "image/png");
  EXPECT_EQ(cut.status, 422);
  EXPECT_THAT(cut.json()["error"]["message"].get<std::string>(), HasSubstr("truncated PNG"));
  const Answer text = post(server.port(), "no pixels", "image/png");
  EXPECT_EQ(text.status, 422);
  EXPECT_THAT(text.json()["error"]["message"].get<std::string>(), HasSubstr("expected a PNG or JPEG image"));
  EXPECT_EQ(post(server.port(), R"({"image": "!!!"})").status, 400);
  EXPECT_EQ(post(server.port(), rows("squares")).status, 422);
}

TEST_F(Serve, ManyClientsGetTheirOwnAnswers) {
  ServedModels server(*project_, {"points"});
  const auto ask = [&](int i) {
    const bool far = i % 3 == 0;
    const double at = far ? 2 + 0.01 * i : -2 - 0.01 * i;
    const std::string row = fmt::format(R"({{"x": {}, "y": {}, "colour": "red"}})", at, at);
    return post(server.port(), rows("points", row)).body;
  };
  std::vector<std::string> alone;
  for (int i = 0; i < 40; ++i) alone.push_back(ask(i));
  std::vector<std::future<bool>> clients;
  for (int client = 0; client < 8; ++client) {
    clients.push_back(std::async(std::launch::async, [&, client] {
      bool same = true;
      for (int i = 0; i < 40; ++i)
        same = ask((i * 7 + client) % 40) == alone[static_cast<size_t>((i * 7 + client) % 40)] && same;
      return same;
    }));
  }
  for (auto& client : clients) EXPECT_TRUE(client.get()) << "batched with others, the answer is the same to the bit";
}

TEST_F(Serve, ASignalEndsItAfterTheRequestThatIsIn) {
  for (const int number : {SIGTERM, SIGINT}) {
    ServedModels server(*project_, {"points"});
    const std::string body = rows("points");
    RawClient client(server.port());
    client.send(fmt::format("POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.size()));
    EXPECT_EQ(get(server.port(), "/health").status, 200) << "by now the other request has begun";
    server.process().signal(number);
    const Timer timer;
    while (RawClient(server.port()).connected() && timer.seconds() < kPatience_s) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_TRUE(server.process().is_running()) << "it waits for the request";
    client.send(body);
    EXPECT_EQ(label_of(read_answer(client)), "far");
    EXPECT_EQ(server.process().wait().code, 0);
  }
}

TEST_F(Serve, APortThatIsTakenIsNamed) {
  ServedModels server(*project_, {"points"});
  const Outcome second = project_->danlu({"serve", "points", "--port", std::to_string(server.port())});
  EXPECT_EQ(second.code, 1) << second;
  EXPECT_THAT(second.err, HasSubstr(std::to_string(server.port())));
  const Outcome twice = project_->danlu({"serve", "points", "points", "--port", "0"});
  EXPECT_EQ(twice.code, 2) << twice;
  EXPECT_THAT(twice.err, HasSubstr("\"points\""));
}

}  // namespace
}  // namespace danlu::test
