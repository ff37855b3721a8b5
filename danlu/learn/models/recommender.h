// Recommenders: two maps into one space, of users (or what they met) and of items. How well an item suits is the product of the two.
//
//   score(user, item) = query(user) . vector(item)
//
// so that all items are scored by one product, and any loss over scores trains any of the models.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "danlu/base/options.h"
#include "danlu/learn/nn/module.h"

namespace danlu::models {

// Of what a recommender is made besides its options.
struct Audience {
  int64_t users = 0, items = 0;
  int64_t user_features = 0, item_features = 0;  // kinds of them
  std::vector<std::vector<int64_t>> features_of_user = {}, features_of_item = {};  // empty where there are none
};

class Recommender : public nn::Module {
 public:
  // x: i64 (N, 1 + T), the user counted from 1, 0 for one that was never seen; then the items met before, counted from 1, the earliest
  // first, and 0 behind them. (N, P, D): one query, or one after each item for a model that foretells_every_position().
  virtual Tensor queries(const Tensor& x) = 0;
  // (items, D)
  virtual Tensor items() = 0;
  // Items before that it looks at, at most.
  virtual int64_t length() const { return 0; }
  virtual bool foretells_every_position() const { return false; }

  // The query behind the last item: (N, D).
  Tensor last_query(const Tensor& x);
  // The scores of all items: (N, items).
  Tensor forward(const Tensor& x) override;
};

// The types that recipes name: factorization, two_tower, sequential.
const std::vector<std::string>& recommender_types();
bool is_recommender(const std::string& type);

struct RecommenderConfig {
  std::string type;
  Json resolved;  // every option, defaults included
};
// Throws ConfigError for an unknown type or option; `prefix` is the key path for the message.
RecommenderConfig parse_recommender(const Json& json, const Locate& locate = {}, const std::string& prefix = "model");
// Weights from the generator of manual_seed.
std::unique_ptr<Recommender> make_recommender(const Json& json, const Audience& audience);

}  // namespace danlu::models
