// How well a list of recommendations holds what was chosen then: recall@k, NDCG@k, mean average precision, and how much of the
// catalogue is recommended at all.
//
//   RankedUser user = rank(scores, relevant, excluded, 10);
//   RankingReport report = summarize(users, catalogue_size, 10);
//
// All items that a user has not met are ranked, the best score first and of equal scores the earlier item: no sample of them stands for
// the rest, which would change who is best (Krichene, Rendle 2020, doi 10.1145/3394486.3403226).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/eval/bootstrap.h"

namespace danlu::eval {

// What became of one user.
struct RankedUser {
  std::vector<int64_t> ranks;  // of the relevant items that are ranked, from 1, ascending
  int64_t relevant = 0;        // all of them; more than there are ranks if some are not in the catalogue
  std::vector<int64_t> top;    // the first k items
};

// The k best items that are not `excluded` (ascending or not), the best first; fewer if there are not so many.
std::vector<int64_t> top_items(std::span<const float> scores, std::span<const int64_t> excluded, int64_t k);

// scores: one an item. `relevant`: what was chosen, negative for what is not in the catalogue. Throws ShapeError for an item outside the
// scores, or one that is both relevant and excluded.
RankedUser rank(std::span<const float> scores, std::span<const int64_t> relevant, std::span<const int64_t> excluded, int64_t k);

// Of one user.
double recall_at(const RankedUser& user, int64_t k);  // part of the relevant items among the first k
double ndcg_at(const RankedUser& user, int64_t k);    // sum of 1 / log2(1 + rank) within k, over that of the best list
double average_precision(const RankedUser& user);     // mean over the relevant items of the precision at their ranks

struct RankingReport {
  struct Metric {
    std::string name;  // "ndcg@10"
    double value = 0;
    Interval interval;  // over users
  };
  std::vector<Metric> metrics;  // ndcg@k, recall@k, map, coverage@k (which has no interval)
  int64_t users = 0;
};

// The names of the metrics, in their order.
std::vector<std::string> ranking_metrics(int64_t k);
// Means over users, with bootstrap intervals. Throws DataError for no users.
RankingReport summarize(std::span<const RankedUser> users, int64_t catalogue_size, int64_t k, const BootstrapOptions& options = {});

// a - b in NDCG@k of the same users.
PairedComparison compare_ndcg(std::span<const RankedUser> a, std::span<const RankedUser> b, int64_t k, const BootstrapOptions& options = {});

// {"ndcg@10": {"value", "better", "interval"}, ...}
Json to_json(const RankingReport& report);

}  // namespace danlu::eval
