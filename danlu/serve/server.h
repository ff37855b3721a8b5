// Serves trained models over HTTP.
//
//   Server server(options);
//   server.add_model("credit", infer::Predictor("runs/credit/bundle"));
//   server.add_model("poet", infer::LanguageModel::load("runs/poet/bundle"));
//   server.start();
//   server.wait();         // until stop() is called, from another thread or a signal watcher
//
//   POST /v1/predict  (or /predict)   {"model": "credit", "rows": [{...}]}; predict_request.h has the other forms
//                                     {"model": "credit", "predictions": [{"label": "good", "probabilities": {...}}]}
//   POST /v1/completions, /v1/chat/completions, /tokenize and more, for language models: openai/text_service.h
//   POST /v1/images/generations       for models that make images: openai/image_service.h
//   POST /v1/recommend                for recommenders: recommend_service.h
//   POST /v1/forecast                 for forecasters: forecast_service.h
//   POST /v1/dialogue                 for FAQs, which answer /v1/chat/completions too: dialogue_service.h
//   GET  /v1/models                   the models: input, columns, classes; also /v1/models/NAME
//   GET  /health  (or /v1/health)     {"status": "ok"}
//   GET  /metrics                     Prometheus text
//
// Errors are the error object of error.h: 400 not a question, 404 no such model, 413 too large, 415 not a type served,
// 422 values that the model cannot take, 429 the queue is full, 503 too late or stopping.
#pragma once

#include <memory>
#include <string>

#include "danlu/infer/answerer.h"
#include "danlu/infer/forecaster.h"
#include "danlu/infer/image_generator.h"
#include "danlu/infer/language_model.h"
#include "danlu/infer/predictor.h"
#include "danlu/infer/recommender.h"
#include "danlu/serve/model.h"
#include "danlu/serve/options.h"

namespace danlu::serve {

class Server {
 public:
  explicit Server(const ServeOptions& options = {});
  ~Server();  // stops

  // Before start(). Throw ConfigError for a name that is taken or empty.
  void add_model(const std::string& name, infer::Predictor predictor);
  void add_model(const std::string& name, std::unique_ptr<Model> model);
  void add_model(const std::string& name, std::shared_ptr<infer::LanguageModel> model);
  void add_model(const std::string& name, std::unique_ptr<infer::ImageGenerator> model);
  void add_model(const std::string& name, infer::Recommender recommender);
  void add_model(const std::string& name, infer::Forecaster forecaster);
  void add_model(const std::string& name, infer::Answerer answerer);

  // Begins to answer. Throws ConfigError if there is no model, ConfigError or FileError if the address cannot be had.
  void start();
  // Refuses new requests, answers those that are in, ends. Takes at most the time that a request may take. Idempotent,
  // from any thread.
  void stop();
  // Blocks until stop() has ended.
  void wait();

  int port() const;  // after start()

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace danlu::serve
