// Two towers: a network for users and one for items, that meet in a product.
//
//   user   vector of its own + mean of its features' + mean of those of the items that it met   -> layers
//   item   vector of its own + mean of its features'                                            -> layers, and a number of its own
//
// What is known of a user that was never seen, its items and features, makes a query all the same: in training some users are taken
// for strangers, so that the model learns to do without.
// Source    Covington, Adams, Sargin 2016 (YouTube); Yi et al. 2019 (two towers, sampled softmax).
#pragma once

#include "danlu/learn/models/recommender.h"

namespace danlu::models {

struct TwoTowerOptions {
  int64_t width = 64;
  std::vector<int64_t> hidden = {};
  int64_t length = 50;
  double strangers = 0.1;
  double dropout = 0;
  void describe(OptionVisitor& v);
};

std::unique_ptr<Recommender> make_two_tower(const TwoTowerOptions& options, const Audience& audience);

}  // namespace danlu::models
