#include "danlu/serve/server.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>

#include "danlu/base/format.h"
#include "danlu/base/log.h"
#include "danlu/serve/dialogue_service.h"
#include "danlu/serve/error.h"
#include "danlu/serve/forecast_service.h"
#include "danlu/serve/http/server.h"
#include "danlu/serve/metrics.h"
#include "danlu/serve/openai/image_service.h"
#include "danlu/serve/openai/text_service.h"
#include "danlu/serve/predict_request.h"
#include "danlu/serve/recommend_service.h"

namespace danlu::serve {
namespace {

constexpr const char* kWhere = "serve";

// Seconds: from a cached keep-alive request to a client that has given up.
const std::vector<double> kLatencyBounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                            0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};
const std::vector<double> kBatchBounds = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};

constexpr size_t kMostExplained = 16;  // inputs of one request

HttpResponse json_response(const Json& body) { return {.body = to_line(body)}; }

}  // namespace

class Server::Impl {
 public:
  explicit Impl(const ServeOptions& options) : options_(options), http_(options.http) {
    http_.on_answer([this](const HttpRecord& record) {
      requests_.add({record.route, std::to_string(record.status)});
      latency_.observe({record.route}, record.seconds);
    });
    http_.on_refused_connection([this] { rejected_.add({"connections"}); });
    const auto health = [](const HttpRequest&) { return json_response(Json{{"status", "ok"}}); };
    const auto predict = [this](const HttpRequest& request) { return answer_predict(request); };
    http_.route("GET", "/health", health);
    http_.route("GET", "/v1/health", health);
    http_.route("GET", "/v1/models", [this](const HttpRequest&) { return answer_models(); });
    http_.route("POST", "/predict", predict);
    http_.route("POST", "/v1/predict", predict);
    texts_.add_routes(http_);
    pictures_.add_routes(http_);
    recommenders_.add_routes(http_);
    forecasters_.add_routes(http_);
    dialogues_.add_routes(http_);
    http_.route("POST", "/v1/chat/completions", [this](const HttpRequest& request) { return answer_chat(request); });
    if (options_.metrics) http_.route("GET", "/metrics", [this](const HttpRequest&) { return answer_metrics(); });
  }

  ~Impl() { stop(); }

  void add_model(const std::string& name, std::shared_ptr<infer::LanguageModel> model) {
    claim_name(name);
    infer::GeneratorOptions options = options_.generation;
    options.queue_capacity = options_.batch.queue_capacity;
    options.threads = options_.batch.threads;
    texts_.add_model(name, std::move(model), options);
  }

  void add_model(const std::string& name, infer::Recommender recommender) {
    claim_name(name);
    recommenders_.add_model(name, std::move(recommender));
  }

  void add_model(const std::string& name, infer::Forecaster forecaster) {
    claim_name(name);
    forecasters_.add_model(name, std::move(forecaster));
  }

  void add_model(const std::string& name, infer::Answerer answerer) {
    claim_name(name);
    dialogues_.add_model(name, std::move(answerer));
  }

  void add_model(const std::string& name, std::unique_ptr<Model> model) {
    claim_name(name);
    models_.try_emplace(name, std::move(model), options_.batch,
                        [this, name](int64_t rows) { batch_rows_.observe({name}, static_cast<double>(rows)); });
  }

  void add_model(const std::string& name, std::unique_ptr<infer::ImageGenerator> model) {
    claim_name(name);
    pictures_.add_model(name, std::move(model));
  }

  void start() {
    if (model_names().empty()) throw ConfigError(kWhere, "got no model to serve; expected at least one");
    http_.start();
    log_info(kWhere, fmt::format("serving {} at http://{}:{}", fmt::join(model_names(), ", "), options_.http.host,
                                 http_.port()));
  }

  void stop() {
    std::lock_guard one(stop_mutex_);
    http_.stop();  // returns when every request has its answer, so that the batchers are idle
    for (auto& [name, served] : models_) served.batcher.stop();
    {
      std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    stopped_changed_.notify_all();
  }

  void wait() {
    std::unique_lock lock(mutex_);
    stopped_changed_.wait(lock, [&] { return stopped_; });
  }

  int port() const { return http_.port(); }

 private:
  struct Served {
    Served(std::unique_ptr<Model> the_model, const BatchOptions& options, Batcher::Observer on_batch)
        : model(std::move(the_model)),
          batcher(
              options, [this](const Tensor& x) { return model->run(x); }, std::move(on_batch)) {}

    std::unique_ptr<Model> model;
    Batcher batcher;
    int64_t created =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  };

  std::vector<std::string> model_names() const {
    std::vector<std::string> names;
    for (const auto& [name, served] : models_) names.push_back(name);
    for (const std::string& name : texts_.names()) names.push_back(name);
    for (const std::string& name : pictures_.names()) names.push_back(name);
    for (const std::string& name : recommenders_.names()) names.push_back(name);
    for (const std::string& name : forecasters_.names()) names.push_back(name);
    for (const std::string& name : dialogues_.names()) names.push_back(name);
    std::sort(names.begin(), names.end());
    return names;
  }

  bool is_taken(const std::string& name) const {
    return models_.contains(name) || texts_.contains(name) || pictures_.contains(name) || recommenders_.contains(name) || forecasters_.contains(name) || dialogues_.contains(name);
  }

  // Takes a name for a model that is added.
  void claim_name(const std::string& name) {
    if (name.empty()) throw ConfigError(kWhere, "got a model without a name; expected one that requests can give");
    if (is_taken(name)) {
      throw ConfigError(kWhere, fmt::format("got two models named \"{}\"; give one of them another name", name));
    }
    http_.route("GET", "/v1/models/" + name,
                [this, name](const HttpRequest&) { return json_response(describe(name)); });
  }

  // No model of the kind that was asked has this name.
  [[noreturn]] void refuse_model(const std::string& name) const {
    if (name.empty()) {
      throw RequestError(400, "model_missing",
                         fmt::format("the request names no model; expected one of {}", fmt::join(model_names(), ", ")),
                         "model");
    }
    if (is_taken(name)) {
      const char* does = pictures_.contains(name)       ? "one that makes images, asked by /v1/images/generations"
                         : recommenders_.contains(name) ? "a recommender, asked by /v1/recommend"
                         : forecasters_.contains(name)  ? "a forecaster, asked by /v1/forecast"
                         : dialogues_.contains(name)    ? "a FAQ, asked by /v1/dialogue and /v1/chat/completions"
                         : texts_.contains(name)        ? "a language model, asked by /v1/completions and /v1/chat/completions"
                                                        : "not a language model; it is asked by /v1/predict";
      throw RequestError(400, "wrong_model", fmt::format("the model \"{}\" is {}", name, does), "model");
    }
    throw RequestError(404, "model_not_found",
                       fmt::format("there is no model \"{}\"; served are {}{}", name, fmt::join(model_names(), ", "),
                                   did_you_mean(name, model_names())),
                       "model");
  }

  std::pair<const std::string, Served>& find_model(const std::string& name) {
    if (name.empty() && models_.size() == 1) return *models_.begin();
    const auto found = models_.find(name);
    if (found == models_.end()) refuse_model(name);
    return *found;
  }

  static Tensor encode(const Model& model, const PredictRequest& request) {
    const bool has_rows = !request.rows.empty();
    if (has_rows == (model.input_kind() == infer::InputKind::image)) {
      throw RequestError(422, "wrong_input",
                         fmt::format("the model takes {}; got {}", has_rows ? "images" : "table rows",
                                     has_rows ? "rows" : "an image"));
    }
    try {
      if (has_rows) return model.encode_rows(request.rows);
      const std::vector<std::string_view> files(request.images.begin(), request.images.end());
      return model.encode_images(files);
    } catch (const DataError& error) {
      throw RequestError(422, "bad_value", error.message());
    }
  }

  Tensor run(Served& served, Tensor x) {
    const int64_t rows = x.size(0), limit = options_.batch.queue_capacity;
    if (rows > limit) {
      throw RequestError(413, "too_many_rows",
                         fmt::format("got {} rows in one request; expected at most {}", rows, limit));
    }
    try {
      return served.batcher.run(std::move(x));
    } catch (const QueueFull& error) {
      rejected_.add({"queue_full"});
      throw RequestError(429, "queue_full", error.message());
    } catch (const DeadlinePassed& error) {
      rejected_.add({"deadline"});
      throw RequestError(503, "deadline_passed", error.message());
    } catch (const Stopped& error) {
      rejected_.add({"stopping"});
      throw RequestError(503, "stopping", error.message());
    }
  }

  // An input so far outside of what was trained on that the numbers overflow has no answer.
  static void check_finite(const Tensor& y) {
    const auto values = y.span();
    const size_t per_row = values.size() / static_cast<size_t>(y.size(0));
    for (size_t i = 0; i < values.size(); ++i) {
      if (!std::isfinite(values[i])) {
        throw RequestError(422, "no_finite_answer",
                           fmt::format("the model has no finite answer for input {}", i / per_row));
      }
    }
  }

  // Takes hundreds to thousands of answers for each input. They go through the queue like those of everybody else, a batch at a time, so
  // that others are answered in between.
  std::vector<infer::Explanation> explain(Served& served, const PredictRequest& request) {
    const size_t inputs = std::max(request.rows.size(), request.images.size());
    if (inputs > kMostExplained) {
      throw RequestError(413, "too_many_to_explain", fmt::format("got {} inputs to explain in one request; expected at most {}", inputs, kMostExplained));
    }
    const auto in_batches = [&](const Tensor& x) {
      Tensor y;
      const int64_t most = std::min(options_.batch.max_batch, options_.batch.queue_capacity);
      for (int64_t row = 0; row < x.size(0); row += most) {
        const Tensor part = run(served, x.rows(row, std::min(x.size(0), row + most)).clone());
        if (row == 0) y = Tensor::empty(part.shape().with(0, x.size(0)));
        y.rows(row, row + part.size(0)).copy_from(part);
      }
      return y;
    };
    try {
      if (!request.rows.empty()) return served.model->explain_rows(request.rows, in_batches);
      const std::vector<std::string_view> files(request.images.begin(), request.images.end());
      return served.model->explain_images(files, in_batches);
    } catch (const DataError& error) {
      throw RequestError(422, "no_explanation", error.message());
    } catch (const FileError& error) {
      throw RequestError(422, "no_explanation", error.message());
    }
  }

  // Of language models and FAQs, by the name of the model.
  HttpResponse answer_chat(const HttpRequest& http) {
    const Json body = parse_json_request(http);
    const Fields fields(body);
    std::string name = fields.string("model").value_or("");
    if (const auto given = http.query.find("model"); name.empty() && given != http.query.end()) name = given->second;
    const bool only_faqs = name.empty() && texts_.names().empty() && dialogues_.names().size() == 1;
    return only_faqs || dialogues_.contains(name) ? dialogues_.chat(name, http, fields) : texts_.chat(http, fields);
  }

  HttpResponse answer_predict(const HttpRequest& http) {
    const PredictRequest request = parse_predict_request(http);
    auto& [name, served] = find_model(request.model);
    const Tensor y = run(served, encode(*served.model, request));
    check_finite(y);
    const std::vector<infer::Explanation> explanations = request.explain ? explain(served, request) : std::vector<infer::Explanation>();
    Json body{{"model", name}, {"predictions", Json::array()}};
    for (const infer::Prediction& prediction : served.model->decode(y)) {
      const size_t i = body["predictions"].size();
      body["predictions"].push_back(infer::to_json(prediction, served.model->class_names()));
      if (request.explain) body["predictions"].back()["explanation"] = infer::to_json(explanations.at(i));
      if (!prediction.several_labels) predictions_.add({name, prediction.label});
      for (const std::string& label : prediction.labels) predictions_.add({name, label});
    }
    return json_response(body);
  }

  Json describe(const std::string& name) const {
    if (texts_.contains(name)) return texts_.describe(name);
    if (pictures_.contains(name)) return pictures_.describe(name);
    if (recommenders_.contains(name)) return recommenders_.describe(name);
    if (forecasters_.contains(name)) return forecasters_.describe(name);
    if (dialogues_.contains(name)) return dialogues_.describe(name);
    const Served& served = models_.at(name);
    return {{"id", name},
            {"object", "model"},
            {"created", served.created},
            {"owned_by", "danlu"},
            {"input", name_of(served.model->input_kind())},
            {"columns", served.model->input_columns()},
            {"classes", served.model->class_names()},
            {"parameters", served.model->num_parameters()}};
  }

  HttpResponse answer_models() const {
    Json list = Json::array();
    for (const std::string& name : model_names()) list.push_back(describe(name));
    return json_response(Json{{"object", "list"}, {"data", std::move(list)}});
  }

  HttpResponse answer_metrics() {
    std::string text;
    requests_.render(text);
    latency_.render(text);
    rejected_.render(text);
    predictions_.render(text);
    batch_rows_.render(text);
    texts_.render_metrics(text);
    dialogues_.render_metrics(text);
    std::vector<std::pair<std::string, double>> queued;
    for (const auto& [name, served] : models_) {
      queued.emplace_back(render_labels({"model"}, {name}), static_cast<double>(served.batcher.queued_rows()));
    }
    render_gauge(text, "danlu_queue_rows", "Rows that wait for the model.", queued);
    render_gauge(text, "danlu_connections", "Open connections.", {{"", static_cast<double>(http_.num_connections())}});
    return {.body = std::move(text), .content_type = "text/plain; version=0.0.4; charset=utf-8"};
  }

  const ServeOptions options_;
  Counter requests_{"danlu_http_requests_total", "Answered requests.", {"route", "status"}};
  Histogram latency_{"danlu_http_request_duration_seconds",
                     "Time from the request's header to its answer.",
                     {"route"},
                     kLatencyBounds};
  Counter rejected_{"danlu_rejected_total", "Requests and connections refused for lack of room or time.", {"reason"}};
  Counter predictions_{"danlu_predictions_total", "Answers by predicted class.", {"model", "class"}};
  Histogram batch_rows_{"danlu_batch_rows", "Rows of each run of a model.", {"model"}, kBatchBounds};
  std::map<std::string, Served> models_;
  TextService texts_{[this](const std::string& name) { refuse_model(name); }};
  ImageService pictures_{[this](const std::string& name) { refuse_model(name); }};
  RecommendService recommenders_{[this](const std::string& name) { refuse_model(name); }};
  ForecastService forecasters_{[this](const std::string& name) { refuse_model(name); }};
  DialogueService dialogues_{options_.conversations, [this](const std::string& name) { refuse_model(name); }};
  std::mutex stop_mutex_;
  std::mutex mutex_;
  std::condition_variable stopped_changed_;
  bool stopped_ = false;
  HttpServer http_;  // last: its threads use all of the above
};

Server::Server(const ServeOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Server::~Server() = default;

void Server::add_model(const std::string& name, infer::Predictor predictor) {
  impl_->add_model(name, make_model(std::move(predictor)));
}

void Server::add_model(const std::string& name, std::unique_ptr<Model> model) {
  impl_->add_model(name, std::move(model));
}

void Server::add_model(const std::string& name, std::shared_ptr<infer::LanguageModel> model) {
  impl_->add_model(name, std::move(model));
}

void Server::add_model(const std::string& name, std::unique_ptr<infer::ImageGenerator> model) {
  impl_->add_model(name, std::move(model));
}

void Server::add_model(const std::string& name, infer::Recommender recommender) { impl_->add_model(name, std::move(recommender)); }
void Server::add_model(const std::string& name, infer::Forecaster forecaster) { impl_->add_model(name, std::move(forecaster)); }
void Server::add_model(const std::string& name, infer::Answerer answerer) { impl_->add_model(name, std::move(answerer)); }

void Server::start() { impl_->start(); }
void Server::stop() { impl_->stop(); }
void Server::wait() { impl_->wait(); }
int Server::port() const { return impl_->port(); }

}  // namespace danlu::serve
