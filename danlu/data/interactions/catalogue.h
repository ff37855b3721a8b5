// The items that a recommender knows and the users that it has seen: what stands between its numbers and the names in requests.
// catalogue.json of a bundle.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu::data {

class Catalogue {
 public:
  struct Item {
    std::string id, title;
    int64_t count = 0;               // interactions with it, of training
    std::vector<int64_t> features = {};
  };
  struct User {
    std::string id;
    std::vector<int64_t> history = {};  // items met, the earliest first
    std::vector<int64_t> features = {};
  };

  Catalogue() = default;
  Catalogue(std::vector<Item> items, std::vector<User> users, std::vector<std::string> item_features, std::vector<std::string> user_features);

  const std::vector<Item>& items() const { return items_; }
  const std::vector<User>& users() const { return users_; }
  int64_t num_items() const { return static_cast<int64_t>(items_.size()); }
  int64_t num_users() const { return static_cast<int64_t>(users_.size()); }
  const std::vector<std::string>& item_feature_names() const { return item_features_; }
  const std::vector<std::string>& user_feature_names() const { return user_features_; }

  std::optional<int64_t> find_item(const std::string& id) const;
  std::optional<int64_t> find_user(const std::string& id) const;

  Json to_json() const;
  // Throws DataError naming `source` for anything that does not fit: a type, an index out of range, two items of one id.
  static Catalogue from_json(const Json& json, const std::string& source);

 private:
  std::vector<Item> items_;
  std::vector<User> users_;
  std::vector<std::string> item_features_, user_features_;
  std::unordered_map<std::string, int64_t> item_index_, user_index_;
};

}  // namespace danlu::data
