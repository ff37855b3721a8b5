#include "danlu/data/interactions/leave_last_out.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::data {
namespace {

using Events = std::vector<Interactions::Event>;

// How many events of a user are held out for validation and test.
struct HeldOut {
  size_t validation, test;
};
HeldOut held_out(const Events& events, bool with_validation) { return {with_validation && events.size() > 2 ? 1u : 0u, events.size() > 1 ? 1u : 0u}; }

std::vector<int64_t> first(const std::vector<int64_t>& history, int64_t count) { return {history.begin(), history.begin() + count}; }

}  // namespace

std::vector<int64_t> LeaveLastOut::before_validation(int64_t user) const {
  return first(catalogue.users()[static_cast<size_t>(user)].history, training[static_cast<size_t>(user)]);
}

std::vector<int64_t> LeaveLastOut::before_test(int64_t user) const {
  const auto u = static_cast<size_t>(user);
  return first(catalogue.users()[u].history, training[u] + (is_item(validation[u]) ? 1 : 0));
}

LeaveLastOut leave_last_out(const Interactions& interactions, bool with_validation) {
  LeaveLastOut split;
  std::vector<int64_t> count(interactions.items.size(), 0);
  for (const Events& events : interactions.events) {
    const HeldOut held = held_out(events, with_validation);
    const size_t training = events.size() - held.validation - held.test;
    for (size_t i = 0; i < events.size(); ++i) {
      (i < training ? split.training_rows : i < training + held.validation ? split.validation_rows : split.test_rows).push_back(events[i].row);
      count[static_cast<size_t>(events[i].item)] += i < training;
    }
  }
  for (auto* rows : {&split.training_rows, &split.validation_rows, &split.test_rows}) std::sort(rows->begin(), rows->end());
  if (split.test_rows.empty()) throw DataError("data.interactions", "no user has two interactions; expected some with a last one to test on and an earlier one to learn from");

  std::vector<int64_t> number(interactions.items.size(), LeaveLastOut::kUnlearnt);
  std::vector<Catalogue::Item> items;
  for (size_t item = 0; item < number.size(); ++item) {
    if (count[item] == 0) continue;
    number[item] = static_cast<int64_t>(items.size());
    items.push_back({interactions.items[item], interactions.titles[item], count[item], interactions.item_features.of[item]});
  }
  std::vector<Catalogue::User> users;
  for (size_t user = 0; user < interactions.users.size(); ++user) {
    const Events& events = interactions.events[user];
    const HeldOut held = held_out(events, with_validation);
    const auto item_at = [&](size_t back) { return number[static_cast<size_t>(events[events.size() - back].item)]; };
    split.training.push_back(static_cast<int64_t>(events.size() - held.validation - held.test));
    split.validation.push_back(held.validation ? item_at(2) : LeaveLastOut::kNone);
    split.test.push_back(held.test ? item_at(1) : LeaveLastOut::kNone);
    users.push_back({interactions.users[user], {}, interactions.user_features.of[user]});
    for (const Interactions::Event& e : events) {
      if (LeaveLastOut::is_item(number[static_cast<size_t>(e.item)])) users.back().history.push_back(number[static_cast<size_t>(e.item)]);
    }
  }
  split.catalogue = Catalogue(std::move(items), std::move(users), interactions.item_features.names, interactions.user_features.names);
  return split;
}

}  // namespace danlu::data
