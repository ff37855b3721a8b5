#include "danlu/serve/recommend_service.h"

#include "danlu/base/format.h"
#include "danlu/serve/error.h"
#include "danlu/serve/json_request.h"

namespace danlu::serve {
namespace {

constexpr int64_t kMostItems = 100'000;  // of a request

// Tables often have numbers for names.
std::string id_of(const Json& value, const std::string& place) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer()) return to_line(value);
  wrong_type(place, value, "a string or a whole number");
}

infer::RecommendRequest parse(const Fields& fields) {
  infer::RecommendRequest request;
  if (const Json* user = fields.find("user")) request.user = id_of(*user, "user");
  if (const Json* items = fields.array("items")) {
    if (std::ssize(*items) > kMostItems) bad_value("items", fmt::format("got {}; expected at most {}", items->size(), kMostItems));
    for (const Json& item : *items) request.items.push_back(id_of(item, fmt::format("items[{}]", request.items.size())));
  }
  request.k = fields.integer("k", 1, infer::RecommendRequest::kMost).value_or(request.k);
  request.with_met = fields.boolean("with_met").value_or(false);
  return request;
}

}  // namespace

void RecommendService::add_routes(HttpServer& http) {
  http.route("POST", "/v1/recommend", [this](const HttpRequest& request) { return answer(request); });
}

Json RecommendService::describe(const std::string& name) const {
  const infer::Recommender& model = this->model(name);
  return {{"id", name},
          {"object", "model"},
          {"owned_by", "danlu"},
          {"input", "interactions"},
          {"users", model.catalogue().num_users()},
          {"items", model.catalogue().num_items()},
          {"parameters", model.model().num_parameters()}};
}

HttpResponse RecommendService::answer(const HttpRequest& http) const {
  const Json body = parse_json_request(http);
  const Fields fields(body);
  const auto& [name, model] = find(fields.string("model").value_or(""));
  Json json = {{"model", name}};
  json.update(infer::to_json(model.recommend(parse(fields))));
  return {.body = to_line(json)};
}

}  // namespace danlu::serve
