// What comes next: a recurrent network or a causal Transformer over the items that somebody met last, in their order. The same vectors
// of items are read and foretold. Nothing is kept of users, so that one who was never seen is served like any other as soon as there is
// an item.
//
//   items met -> vectors (+ positions) -> gru, lstm or transformer -> query behind each item
//
// Source    GRU4Rec: Hidasi et al. 2016, arXiv:1511.06939; SASRec: Kang, McAuley 2018, arXiv:1808.09781.
#pragma once

#include "danlu/learn/models/recommender.h"

namespace danlu::models {

struct SequentialOptions {
  std::string layer = "transformer";
  int64_t width = 64;
  int64_t layers = 1;
  int64_t heads = 2;
  int64_t length = 50;
  double dropout = 0.2;
  void describe(OptionVisitor& v);
};

// Throws ConfigError for sizes that do not divide.
void check_sequential(const SequentialOptions& options, const Locate& locate = {}, const std::string& prefix = "model");
std::unique_ptr<Recommender> make_sequential(const SequentialOptions& options, const Audience& audience);

}  // namespace danlu::models
