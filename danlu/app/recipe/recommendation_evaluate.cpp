// From bundle to numbers: what each user met last is read here alone, by weights that come from disk.
#include <algorithm>
#include <cmath>

#include "danlu/app/recipe/interval_name.h"
#include "danlu/app/recipe/latency.h"
#include "danlu/app/recipe/recommendation_pipeline.h"
#include "danlu/base/format.h"
#include "danlu/base/timer.h"
#include "danlu/eval/measure_json.h"
#include "danlu/eval/text_table.h"

namespace danlu::app {
namespace {

constexpr size_t kUsersAtOnce = 64;
constexpr size_t kExamples = 6;       // users
constexpr size_t kExampleItems = 5;   // of each list

std::string interval_text(const eval::Interval& i) { return std::isfinite(i.low) ? fmt::format("{:.4f} to {:.4f}", i.low, i.high) : ""; }

std::string page_of(const eval::RankingReport& model, const eval::RankingReport& popularity, const eval::RankingReport& strangers, const eval::PairedComparison& gain, int64_t unlearnt,
                    const std::string& interval) {
  using enum eval::TextTable::Align;
  eval::TextTable table({left, right, left, right, right});
  table.add_row({"", "model", interval, "popularity", "as strangers"});
  for (size_t i = 0; i < model.metrics.size(); ++i) {
    const auto& m = model.metrics[i];
    table.add_row({m.name, fmt::format("{:.4f}", m.value), interval_text(m.interval), fmt::format("{:.4f}", popularity.metrics[i].value), fmt::format("{:.4f}", strangers.metrics[i].value)});
  }
  return table.str() + fmt::format("{} over popularity: {:+.4f}, {} {:+.4f} to {:+.4f}\n"
                                   "{} users, the item that each met last, ranked among all that it had not met; {} of these items are in no training row and count as missed\n"
                                   "as strangers: the same users, of whom nothing is known but the items that they met\n",
                                   model.metrics.front().name, gain.difference, interval, gain.interval.low, gain.interval.high, model.users, unlearnt);
}

// Of each user the rank of the item that it met last; null for an item that is in no catalogue. What another recommender of the same split is
// compared with, user by user.
Json ranks_of(const std::vector<eval::RankedUser>& ranked) {
  Json ranks = Json::array();
  for (const eval::RankedUser& user : ranked) ranks.push_back(user.ranks.empty() ? Json(nullptr) : Json(user.ranks.front()));
  return ranks;
}

Json describe(const data::Catalogue::Item& item) { return {{"item", item.id}, {"title", item.title}}; }

}  // namespace

std::vector<int64_t> RecommendationPipeline::tested_users() {
  std::vector<int64_t> users;
  const std::vector<int64_t>& held_out = source().split.test;
  for (size_t user = 0; user < held_out.size(); ++user) {
    if (held_out[user] != data::LeaveLastOut::kNone) users.push_back(static_cast<int64_t>(user));
  }
  return users;
}

std::vector<eval::RankedUser> RecommendationPipeline::rank_users(const infer::Recommender& recommender, bool as_strangers) {
  const data::LeaveLastOut& split = source().split;
  const std::vector<int64_t> users = tested_users();
  std::vector<eval::RankedUser> ranked;
  for (size_t begin = 0; begin < users.size(); begin += kUsersAtOnce) {
    std::vector<std::vector<int64_t>> met;
    std::vector<infer::Recommender::Asker> askers;
    for (size_t i = begin; i < std::min(users.size(), begin + kUsersAtOnce); ++i) met.push_back(split.before_test(users[i]));
    for (size_t i = 0; i < met.size(); ++i) askers.push_back({as_strangers ? -1 : users[begin + i], met[i]});
    const Tensor scores = recommender.scores(askers);
    for (size_t i = 0; i < met.size(); ++i) {
      const auto row = static_cast<int64_t>(i);
      ranked.push_back(eval::rank(scores.rows(row, row + 1).span(), {&split.test[static_cast<size_t>(users[begin + i])], 1}, met[i], recipe_.evaluate.top));
    }
  }
  return ranked;
}

std::vector<eval::RankedUser> RecommendationPipeline::rank_by_popularity(const infer::Recommender& recommender) {
  const data::LeaveLastOut& split = source().split;
  const Tensor scores = recommender.popularity();
  std::vector<eval::RankedUser> ranked;
  for (const int64_t user : tested_users()) {
    ranked.push_back(eval::rank(scores.span(), {&split.test[static_cast<size_t>(user)], 1}, split.before_test(user), recipe_.evaluate.top));
  }
  return ranked;
}

Json RecommendationPipeline::examples(const infer::Recommender& recommender) {
  const data::LeaveLastOut& split = source().split;
  const std::vector<int64_t> users = tested_users();
  Json list = Json::array();
  for (size_t i = 0; i < std::min(kExamples, users.size()); ++i) {
    const int64_t user = users[i * users.size() / std::min(kExamples, users.size())];
    const std::vector<int64_t> met = split.before_test(user);
    const infer::Recommender::Asker asker{user, met};
    const Tensor scores = recommender.scores({&asker, 1});
    Json last = Json::array(), recommended = Json::array();
    for (size_t t = met.size() - std::min(met.size(), kExampleItems); t < met.size(); ++t) last.push_back(describe(split.catalogue.items()[static_cast<size_t>(met[t])]));
    for (const int64_t item : eval::top_items(scores.span(), met, static_cast<int64_t>(kExampleItems))) {
      recommended.push_back(describe(split.catalogue.items()[static_cast<size_t>(item)]));
      recommended.back()["score"] = scores.data()[item];
      recommended.back()["chosen"] = item == split.test[static_cast<size_t>(user)];
    }
    const int64_t target = split.test[static_cast<size_t>(user)];
    Json chosen = nullptr;
    if (data::LeaveLastOut::is_item(target)) {
      chosen = describe(split.catalogue.items()[static_cast<size_t>(target)]);
      chosen["rank"] = eval::rank(scores.span(), {&target, 1}, met, 1).ranks.front();
    }
    list.push_back({{"user", split.catalogue.users()[static_cast<size_t>(user)].id}, {"met", last}, {"recommended", recommended}, {"chosen", chosen}});
  }
  return list;
}

Evaluation RecommendationPipeline::measure() {
  const infer::Recommender recommender(directory_.bundle());
  const int64_t k = recipe_.evaluate.top, catalogue = recommender.catalogue().num_items();
  const eval::BootstrapOptions& bootstrap = recipe_.evaluate.report.bootstrap;
  const Timer timer;
  const CpuTimer cpu;
  const std::vector<eval::RankedUser> ranked = rank_users(recommender, false);
  const Effort batches{timer.seconds(), cpu.seconds()};
  const std::vector<eval::RankedUser> popular = rank_by_popularity(recommender);
  const eval::RankingReport quality = eval::summarize(ranked, catalogue, k, bootstrap);
  const eval::RankingReport popularity = eval::summarize(popular, catalogue, k, bootstrap);
  const eval::RankingReport strangers = eval::summarize(rank_users(recommender, true), catalogue, k, bootstrap);
  const eval::PairedComparison gain = eval::compare_ndcg(ranked, popular, k, bootstrap);
  const std::vector<int64_t>& held_out = source().split.test;
  const int64_t unlearnt = std::count(held_out.begin(), held_out.end(), data::LeaveLastOut::kUnlearnt);

  Json json = {{"task", "recommendation"}, {"samples", quality.users}, {"confidence", bootstrap.confidence}, {"metrics", eval::to_json(quality)}};
  json["baselines"] = {{"popularity", {{"metrics", eval::to_json(popularity)}, {"gain", eval::to_json(gain)}}}};
  json["strangers"] = {{"metrics", eval::to_json(strangers)}};
  json["unlearnt"] = unlearnt;
  json["weights_hash"] = recommender.config().value("training", Json::object()).value("weights_hash", Json(nullptr));
  json["samples_per_second"] = static_cast<double>(quality.users) / batches.seconds;
  const std::string page = page_of(quality, popularity, strangers, gain, unlearnt, interval_name(json));

  const std::vector<int64_t> tested = tested_users();
  SingleAnswers single = time_single_answers(tested.size(), [&](size_t i) {
    recommender.recommend({.user = recommender.catalogue().users()[static_cast<size_t>(tested[i])].id, .items = {}, .k = k});
  });
  Json details;
  const std::optional<double>& price = recipe_.evaluate.price_per_hour;
  details["cost"] = {{"rankings in batches", per_thousand(static_cast<double>(quality.users), batches, price)},
                   {"recommendations one by one", per_thousand(static_cast<double>(single.seconds.size()), single.effort, price)}};
  details["latency"] = {{"one user", percentiles(std::move(single.seconds))}};
  details["recommendations"] = examples(recommender);
  Json users = Json::array();
  for (const int64_t user : tested) users.push_back(source().split.catalogue.users()[static_cast<size_t>(user)].id);
  write_json(directory_.file("ranks.json"), {{"users", std::move(users)}, {"ranks", ranks_of(ranked)}});
  return {.measured = std::move(json), .text = page, .details = std::move(details),
          .example_request = {{"model", recommender.name()}, {"user", recommender.catalogue().users().front().id}, {"k", k}}};
}

}  // namespace danlu::app
