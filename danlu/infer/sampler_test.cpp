#include "danlu/infer/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "danlu/base/error.h"
#include "danlu/base/rng.h"

namespace danlu::infer {
namespace {

using data::TokenId;
using testing::HasSubstr;

std::vector<float> random_logits(size_t size, uint64_t seed) {
  Rng rng(seed);
  std::vector<float> logits(size);
  for (float& x : logits) x = 3 * rng.normal();
  return logits;
}

// The distribution that the options stand for, word for word and by sorting everything.
std::vector<double> reference(const SamplingOptions& o, const std::vector<float>& given, const std::vector<TokenId>& prompt,
                              const std::vector<TokenId>& generated) {
  std::vector<double> logits(given.begin(), given.end());
  for (size_t id = 0; id < logits.size(); ++id) {
    const auto times = std::count(generated.begin(), generated.end(), static_cast<TokenId>(id));
    const bool seen = times > 0 || std::count(prompt.begin(), prompt.end(), static_cast<TokenId>(id)) > 0;
    if (seen) logits[id] = logits[id] > 0 ? logits[id] / o.repetition_penalty : logits[id] * o.repetition_penalty;
    if (times > 0) logits[id] -= o.presence_penalty + o.frequency_penalty * static_cast<double>(times);
  }
  for (const auto& [id, bias] : o.logit_bias) logits[static_cast<size_t>(id)] += bias;
  std::vector<size_t> order(logits.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return logits[a] > logits[b]; });

  if (o.top_k > 0 && o.top_k < static_cast<int64_t>(order.size())) order.resize(static_cast<size_t>(o.top_k));
  const auto normalize = [&](std::vector<double>& p) {
    const double sum = std::accumulate(p.begin(), p.end(), 0.0);
    for (double& x : p) x /= sum;
  };
  std::vector<double> p;
  for (const size_t id : order) p.push_back(std::exp((logits[id] - logits[order[0]]) / o.temperature));
  normalize(p);
  size_t kept = 0;
  for (double held = 0; kept < p.size() && (kept == 0 || held < o.top_p); ++kept) held += p[kept];
  if (o.top_p < 1) p.resize(kept);
  while (p.back() < o.min_p * p[0]) p.pop_back();
  normalize(p);
  std::vector<double> by_id(logits.size(), 0.0);
  for (size_t i = 0; i < p.size(); ++i) by_id[order[i]] = p[i];
  return by_id;
}

// Draws many tokens and holds their frequencies against the reference: Pearson's chi-square, with rare tokens thrown together.
void expect_distribution(SamplingOptions options, size_t vocabulary, const std::string& what) {
  constexpr int kDraws = 20000;
  const std::vector<float> logits = random_logits(vocabulary, 7);
  const std::vector<TokenId> prompt = {1, 4, 4, 6}, generated = {2, 4, 4, 9};
  const std::vector<double> expected = reference(options, logits, prompt, generated);
  std::vector<int64_t> drawn(vocabulary, 0);
  options.seed = 11;
  Sampler sampler(options);
  for (int i = 0; i < kDraws; ++i) {
    std::vector<float> copy = logits;
    ++drawn[static_cast<size_t>(sampler.next(copy, prompt, generated))];
  }
  double chi_square = 0, rare_expected = 0, rare_drawn = 0;
  int cells = 0;
  const auto add_cell = [&](double e, double n) {
    chi_square += (n - e) * (n - e) / e;
    ++cells;
  };
  for (size_t id = 0; id < vocabulary; ++id) {
    const double e = expected[id] * kDraws;
    if (e == 0) {
      ASSERT_EQ(drawn[id], 0) << what << ": token " << id << " was cut";
    } else if (e < 10) {
      rare_expected += e;
      rare_drawn += static_cast<double>(drawn[id]);
    } else {
      add_cell(e, static_cast<double>(drawn[id]));
    }
  }
  if (rare_expected > 0) add_cell(std::max(rare_expected, 1.0), rare_drawn);
  const double freedom = std::max(1, cells - 1);
  EXPECT_LT(chi_square, freedom + 4 * std::sqrt(2 * freedom) + 4) << what << " with " << cells << " cells";
}

TEST(Sampler, DrawsFromTheDistributionThatTheOptionsSay) {
  expect_distribution({}, 50, "plain");
  expect_distribution({.temperature = 0.7}, 50, "temperature 0.7");
  expect_distribution({.temperature = 3}, 50, "temperature 3");
  expect_distribution({.top_k = 5}, 50, "top-k");
  expect_distribution({.top_k = 1}, 50, "top-k 1");
  expect_distribution({.top_k = 500}, 50, "top-k above the vocabulary");
  expect_distribution({.top_p = 0.8}, 50, "top-p");
  expect_distribution({.top_p = 0}, 50, "top-p 0");
  expect_distribution({.temperature = 2, .top_p = 0.99}, 1000, "top-p of many");
  expect_distribution({.min_p = 0.1}, 50, "min-p");
  expect_distribution({.repetition_penalty = 1.8}, 50, "repetition");
  expect_distribution({.presence_penalty = 1.5}, 50, "presence");
  expect_distribution({.frequency_penalty = -1.2}, 50, "frequency");
  expect_distribution({.logit_bias = {{3, 2.5}, {8, -100}}}, 50, "bias");
  expect_distribution({.temperature = 1.4, .top_k = 20, .top_p = 0.9, .min_p = 0.05, .repetition_penalty = 1.2, .presence_penalty = 0.5,
                       .frequency_penalty = 0.3, .logit_bias = {{4, 3}}},
                      200, "everything");
}

TEST(Sampler, GreedyTakesTheSmallestIdOfTheMostProbable) {
  Sampler sampler({.temperature = 0});
  std::vector<float> logits = {0.5f, 2, -1, 2};
  EXPECT_EQ(sampler.next(logits, {}, {}), 1);
  Sampler penalised({.temperature = 0, .repetition_penalty = 1.5});
  EXPECT_EQ(penalised.next(logits, std::vector<TokenId>{1}, {}), 3);
}

TEST(Sampler, RepeatsItselfWithASeed) {
  const auto choose = [](std::optional<uint64_t> seed) {
    Sampler sampler({.seed = seed});
    std::vector<TokenId> tokens;
    for (int i = 0; i < 20; ++i) {
      std::vector<float> logits = random_logits(300, static_cast<uint64_t>(i));
      tokens.push_back(sampler.next(logits, {}, tokens));
    }
    return tokens;
  };
  EXPECT_EQ(choose(5), choose(5));
  EXPECT_NE(choose(5), choose(6));
  EXPECT_NE(choose({}), choose({}));
}

TEST(Sampler, RefusesLogitsThatAreNoNumbers) {
  Sampler sampler({});
  for (const float bad : {NAN, INFINITY}) {
    std::vector<float> logits = {1, bad, 2};
    EXPECT_THROW(sampler.next(logits, {}, {}), NumericError);
  }
  std::vector<float> none = {-INFINITY, -INFINITY};
  EXPECT_THROW(sampler.next(none, {}, {}), NumericError);
  std::vector<float> one = {-INFINITY, 3, -INFINITY};
  EXPECT_EQ(sampler.next(one, {}, {}), 1);
}

TEST(SamplingOptions, NamesWhatIsOutOfRange) {
  const auto message = [](const SamplingOptions& options) {
    try {
      check(options);
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(message({}), "");
  EXPECT_EQ(message({.seed = UINT64_MAX}), "");
  EXPECT_THAT(message({.temperature = -1}), HasSubstr("temperature: got -1.0; expected a number in [0, 100]"));
  EXPECT_THAT(message({.temperature = NAN}), HasSubstr("temperature"));
  EXPECT_THAT(message({.top_k = -2}), HasSubstr("top_k: got -2"));
  EXPECT_THAT(message({.top_p = 1.5}), HasSubstr("top_p: got 1.5"));
  EXPECT_THAT(message({.repetition_penalty = 0}), HasSubstr("repetition_penalty"));
  EXPECT_THAT(message({.logit_bias = {{3, 101}}}), HasSubstr("logit_bias of token 3: got 101"));
}

}  // namespace
}  // namespace danlu::infer
