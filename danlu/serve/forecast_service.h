// The forecasters of a server, and their door:
//
//   POST /v1/forecast   {"model": "co2", "rows": [{"date": "2001-12-22", "co2": 370.9}, ...], "horizon": 12}
//   ->                  {"model": "co2", "forecasts": [{"series": "co2", "forecast": [{"time": "2002-01-05", "value": 371.2,
//                        "intervals": [{"share": 0.8, "low": 370.7, "high": 371.8}]}, ...]}]}
//
// The rows are the history, as the training data have it; null is a gap. Every request names its model, unless there is one alone.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "danlu/infer/forecaster.h"
#include "danlu/serve/http/server.h"

namespace danlu::serve {

class ForecastService {
 public:
  // `refuse` throws the RequestError for a name that is none of these models, or for none ("").
  explicit ForecastService(std::function<void(const std::string& name)> refuse) : refuse_(std::move(refuse)) {}

  void add_model(const std::string& name, infer::Forecaster model);
  // The routes use this object.
  void add_routes(HttpServer& http);

  bool contains(const std::string& name) const { return models_.contains(name); }
  std::vector<std::string> names() const;
  // An element of GET /v1/models.
  Json describe(const std::string& name) const;

 private:
  HttpResponse answer(const HttpRequest& http) const;

  const std::function<void(const std::string&)> refuse_;
  std::map<std::string, infer::Forecaster> models_;
};

}  // namespace danlu::serve
