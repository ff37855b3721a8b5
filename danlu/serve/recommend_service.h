// The recommenders of a server, and their door:
//
//   POST /v1/recommend   {"model": "movielens", "user": "7", "k": 10}
//                        {"items": ["296", "318"], "k": 5, "with_met": true}
//   ->                   {"model": "movielens", "by": "user", "items": [{"item": "50", "title": "...", "score": 4.2}, ...]}
//
// A user or an item that was never seen is named in "unknown" and left aside; of one of whom nothing is known "popularity" answers.
// Ids may be strings or whole numbers. Every request names its model, unless there is one alone.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "danlu/infer/recommender.h"
#include "danlu/serve/http/server.h"

namespace danlu::serve {

class RecommendService {
 public:
  // `refuse` throws the RequestError for a name that is none of these models, or for none ("").
  explicit RecommendService(std::function<void(const std::string& name)> refuse) : refuse_(std::move(refuse)) {}

  void add_model(const std::string& name, infer::Recommender model);
  // The routes use this object.
  void add_routes(HttpServer& http);

  bool contains(const std::string& name) const { return models_.contains(name); }
  std::vector<std::string> names() const;
  // An element of GET /v1/models.
  Json describe(const std::string& name) const;

 private:
  HttpResponse answer(const HttpRequest& http) const;

  const std::function<void(const std::string&)> refuse_;
  std::map<std::string, infer::Recommender> models_;
};

}  // namespace danlu::serve
