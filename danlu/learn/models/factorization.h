// Matrix factorisation: a vector for each user and each item, and a number for how much an item is liked by all.
//
//   score(u, i) = p_u . q_i + b_i
//
// A user that was never seen has no vector: the mean of those of the items that it met stands for it, as long as users' vectors are.
// Source    Koren, Bell, Volinsky 2009; with the loss bpr: Rendle et al. 2009, arXiv:1205.2618.
#pragma once

#include "danlu/learn/models/recommender.h"

namespace danlu::models {

struct FactorizationOptions {
  int64_t width = 64;
  double dropout = 0;
  void describe(OptionVisitor& v);
};

std::unique_ptr<Recommender> make_factorization(const FactorizationOptions& options, const Audience& audience);

}  // namespace danlu::models
