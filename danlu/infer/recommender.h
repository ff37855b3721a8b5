// A recommender as it lies on disk, ready to answer: model, catalogue, what each user has met.
//
//   Recommender recommender("runs/movielens");
//   Recommendations r = recommender.recommend({.user = "7", .k = 10});
//
// The bundle: model.safetensors, config.json ("format": "danlu-recommender"), catalogue.json (data::Catalogue).
// Threads: all but construction by any number at once.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "danlu/base/files.h"
#include "danlu/base/json.h"
#include "danlu/data/interactions/catalogue.h"
#include "danlu/learn/models/recommender.h"

namespace danlu::infer {

struct RecommendRequest {
  static constexpr int64_t kMost = 10'000;  // for k

  std::optional<std::string> user;
  std::vector<std::string> items;  // met besides what is known of the user, the earliest first
  int64_t k = 10;
  bool with_met = false;           // items that the user has met may be recommended too
};

struct Recommendations {
  // What they rest on: "user", "items" for one that was never seen and says what it met, "popularity" if nothing is known.
  std::string by;
  struct Item {
    std::string id, title;
    double score = 0;
  };
  std::vector<Item> items;           // the best first; fewer than k if there are no more
  std::vector<std::string> unknown;  // of the request: a user or items that were never seen, and so left aside
  std::string notice = {};           // what the bundle says beside every answer; may be empty
};

class Recommender {
 public:
  // Opens a bundle, or that of a run directory. Throws FileError, or DataError naming the file.
  explicit Recommender(const fs::path& directory);

  const std::string& name() const { return name_; }
  const data::Catalogue& catalogue() const { return catalogue_; }
  models::Recommender& model() const { return *model_; }
  const Json& config() const { return config_; }
  const std::string& user_column() const { return user_column_; }  // what the training data call it

  // Throws DataError for a k below 1 or above kMost.
  Recommendations recommend(const RecommendRequest& request) const;

  // Scores of all items (N, items), for users by their numbers (-1: never seen) with what they have met.
  struct Asker {
    int64_t user = -1;
    std::span<const int64_t> met = {};
  };
  Tensor scores(std::span<const Asker> askers) const;
  // How often each item was met in training: what is recommended to one of whom nothing is known. (items)
  Tensor popularity() const;

 private:
  std::string name_;
  std::unique_ptr<models::Recommender> model_;  // in evaluation mode
  data::Catalogue catalogue_;
  Json config_ = Json::object();
  std::string user_column_ = "user";
  Tensor items_;  // of the model, made once
};

// {"by": "user", "items": [{"item": "296", "title": "Pulp Fiction", "score": 3.1}, ...]}, and "unknown" and "notice" where there are some.
Json to_json(const Recommendations& recommendations);

// Does the directory, or the bundle/ in it, hold a recommender? Reads config.json alone.
bool is_recommender(const fs::path& directory);

// What a model is made for: the numbers and features of a catalogue.
models::Audience audience_of(const data::Catalogue& catalogue);

// `model`: RecommenderConfig::resolved. config.json is written last. Throws FileError if a file cannot be written.
struct RecommenderBundle {
  std::string name;
  std::string notice;
  std::string user_column;
  Json model;
  Json training = Json::object();
};
void write_recommender(const fs::path& directory, const RecommenderBundle& config, const models::Recommender& model, const data::Catalogue& catalogue);

}  // namespace danlu::infer
