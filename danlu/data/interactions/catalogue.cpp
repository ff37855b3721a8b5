#include "danlu/data/interactions/catalogue.h"

#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.catalogue";
constexpr size_t kMostFeatures = 1000;  // of one user or item: all have room for as many as the one with most

void check_number(const std::vector<int64_t>& features, const std::string& owner) {
  if (features.size() > kMostFeatures) throw DataError(kWhere, fmt::format("{}: got {} features; expected at most {}", owner, features.size(), kMostFeatures));
}

void check_indexes(const std::vector<int64_t>& indexes, size_t size, const char* what, const std::string& owner) {
  for (const int64_t i : indexes) {
    if (i < 0 || i >= static_cast<int64_t>(size)) throw DataError(kWhere, fmt::format("{}: got {} {} of {}", owner, what, i, size));
  }
}

std::optional<int64_t> find(const std::unordered_map<std::string, int64_t>& index, const std::string& id) {
  const auto found = index.find(id);
  return found == index.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

Catalogue::Catalogue(std::vector<Item> items, std::vector<User> users, std::vector<std::string> item_features, std::vector<std::string> user_features)
    : items_(std::move(items)), users_(std::move(users)), item_features_(std::move(item_features)), user_features_(std::move(user_features)) {
  for (const Item& item : items_) {
    const std::string owner = fmt::format("item \"{}\"", item.id);
    check_number(item.features, owner);
    check_indexes(item.features, item_features_.size(), "feature", owner);
    if (!item_index_.try_emplace(item.id, static_cast<int64_t>(item_index_.size())).second) throw DataError(kWhere, fmt::format("got two items \"{}\"", item.id));
  }
  for (const User& user : users_) {
    const std::string owner = fmt::format("user \"{}\"", user.id);
    check_number(user.features, owner);
    check_indexes(user.features, user_features_.size(), "feature", owner);
    check_indexes(user.history, items_.size(), "item", owner);
    if (!user_index_.try_emplace(user.id, static_cast<int64_t>(user_index_.size())).second) throw DataError(kWhere, fmt::format("got two users \"{}\"", user.id));
  }
  if (items_.empty()) throw DataError(kWhere, "got no item; expected at least one");
}

std::optional<int64_t> Catalogue::find_item(const std::string& id) const { return find(item_index_, id); }
std::optional<int64_t> Catalogue::find_user(const std::string& id) const { return find(user_index_, id); }

Json Catalogue::to_json() const {
  Json items = Json::array(), users = Json::array();
  for (const Item& i : items_) items.push_back({{"id", i.id}, {"title", i.title}, {"count", i.count}, {"features", i.features}});
  for (const User& u : users_) users.push_back({{"id", u.id}, {"history", u.history}, {"features", u.features}});
  return {{"item_features", item_features_}, {"user_features", user_features_}, {"items", std::move(items)}, {"users", std::move(users)}};
}

Catalogue Catalogue::from_json(const Json& json, const std::string& source) {
  try {
    for (const char* list : {"items", "users"}) {
      if (!json.at(list).is_array()) throw DataError(kWhere, fmt::format("{}: got {}; expected a list", list, json.at(list).type_name()));
    }
    std::vector<Item> items;
    for (const Json& i : json.at("items")) {
      items.push_back({i.at("id").get<std::string>(), i.at("title").get<std::string>(), i.at("count").get<int64_t>(), i.at("features").get<std::vector<int64_t>>()});
    }
    std::vector<User> users;
    for (const Json& u : json.at("users")) {
      users.push_back({u.at("id").get<std::string>(), u.at("history").get<std::vector<int64_t>>(), u.at("features").get<std::vector<int64_t>>()});
    }
    return Catalogue(std::move(items), std::move(users), json.at("item_features").get<std::vector<std::string>>(), json.at("user_features").get<std::vector<std::string>>());
  } catch (const Json::exception& error) {
    throw DataError(kWhere, fmt::format("{}: {}", source, error.what()));
  } catch (const DataError& error) {
    throw DataError(kWhere, fmt::format("{}: {}", source, error.message()));
  }
}

}  // namespace danlu::data
