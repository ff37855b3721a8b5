#include "danlu/serve/forecast_service.h"

#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/serve/error.h"
#include "danlu/serve/json_request.h"

namespace danlu::serve {
namespace {

constexpr int64_t kMostRows = 1'000'000;  // of a request

}  // namespace

void ForecastService::add_routes(HttpServer& http) {
  http.route("POST", "/v1/forecast", [this](const HttpRequest& request) { return answer(request); });
}

Json ForecastService::describe(const std::string& name) const {
  const infer::Forecaster& model = this->model(name);
  const data::SeriesOptions& options = model.preprocess().options();
  std::vector<std::string> columns;
  for (const std::string& column : {options.time, options.id}) {
    if (!column.empty()) columns.push_back(column);
  }
  columns.insert(columns.end(), options.values.begin(), options.values.end());
  columns.insert(columns.end(), options.known.begin(), options.known.end());
  return {{"id", name},
          {"object", "model"},
          {"owned_by", "danlu"},
          {"input", "series"},
          {"columns", columns},
          {"frequency", options.frequency},
          {"horizon", model.preprocess().horizon()},
          {"history", model.preprocess().history()},
          {"parameters", model.num_parameters()}};
}

HttpResponse ForecastService::answer(const HttpRequest& http) const {
  const Json body = parse_json_request(http);
  const Fields fields(body);
  const auto& [name, model] = find(fields.string("model").value_or(""));
  const Json* rows = fields.array("rows");
  if (rows == nullptr || rows->empty()) bad_value("rows", "got none; expected the history, a row for each time");
  if (std::ssize(*rows) > kMostRows) throw RequestError(413, "too_many_rows", fmt::format("got {} rows in one request; expected at most {}", rows->size(), kMostRows), "rows");
  const auto horizon = fields.integer("horizon", 1, model.preprocess().horizon());
  Json json = {{"model", name}, {"forecasts", Json::array()}};
  try {
    for (const infer::Forecast& forecast : model.forecast(data::table_from_rows(*rows, "request", model.missing()), horizon)) json["forecasts"].push_back(infer::to_json(forecast));
  } catch (const DataError& error) {
    throw RequestError(422, "bad_value", error.message());
  }
  return {.body = to_line(json)};
}

}  // namespace danlu::serve
