// The recommenders of a server, and their door:
//
//   POST /v1/recommend   {"model": "movielens", "user": "7", "k": 10}
//                        {"items": ["296", "318"], "k": 5, "with_met": true}
//   ->                   {"model": "movielens", "by": "user", "items": [{"item": "50", "title": "...", "score": 4.2}, ...]}
//
// A user or an item that was never seen is named in "unknown" and left aside; of one of whom nothing is known "popularity" answers.
// Ids may be strings or whole numbers. Every request names its model, unless there is one alone.
#pragma once

#include <string>

#include "danlu/infer/recommender.h"
#include "danlu/serve/http/server.h"
#include "danlu/serve/named_models.h"

namespace danlu::serve {

class RecommendService : public NamedModels<infer::Recommender> {
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
