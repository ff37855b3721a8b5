// The forecasters of a server, and their door:
//
//   POST /v1/forecast   {"model": "co2", "rows": [{"date": "2001-12-22", "co2": 370.9}, ...], "horizon": 12}
//   ->                  {"model": "co2", "forecasts": [{"series": "co2", "forecast": [{"time": "2002-01-05", "value": 371.2,
//                        "intervals": [{"share": 0.8, "low": 370.7, "high": 371.8}]}, ...]}]}
//
// The rows are the history, as the training data have it; null is a gap. Every request names its model, unless there is one alone.
#pragma once

#include <string>

#include "danlu/infer/forecaster.h"
#include "danlu/serve/http/server.h"
#include "danlu/serve/named_models.h"

namespace danlu::serve {

class ForecastService : public NamedModels<infer::Forecaster> {
 public:
  using NamedModels::NamedModels;

  // The routes use this object.
  void add_routes(HttpServer& http);
  // An element of GET /v1/models.
  Json describe(const std::string& name) const;

 private:
  HttpResponse answer(const HttpRequest& http) const;
};

}  // namespace danlu::serve
