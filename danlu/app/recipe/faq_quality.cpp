#include "danlu/app/recipe/faq_quality.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/eval/measure_json.h"

namespace danlu::app {
namespace {

// The mean of `values` over the samples that `counted` holds for.
eval::Statistic share(std::vector<double> values, std::vector<uint8_t> counted) {
  return [values = std::move(values), counted = std::move(counted)](eval::Counts counts) {
    double sum = 0, number = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      if (!counted[i]) continue;
      const auto count = static_cast<double>(eval::count_of(counts, i));
      sum += count * values[i];
      number += count;
    }
    return sum / number;
  };
}

eval::Statistic mean_of(std::vector<double> values) {
  return [values = std::move(values)](eval::Counts counts) { return eval::mean(values, counts); };
}

std::vector<double> reciprocal(std::span<const int64_t> ranks) {
  std::vector<double> values;
  for (const int64_t rank : ranks) values.push_back(1.0 / static_cast<double>(rank));
  return values;
}

std::vector<double> within(std::span<const int64_t> ranks, int64_t k) {
  std::vector<double> values;
  for (const int64_t rank : ranks) values.push_back(rank <= k ? 1 : 0);
  return values;
}

eval::Forecasts forecasts_of(std::span<const Asked> asked) {
  eval::Forecasts forecasts;
  for (const Asked& a : asked) {
    forecasts.confidence.push_back(a.confidence);
    forecasts.happened.push_back(a.rank == 1);
  }
  return forecasts;
}

}  // namespace

int64_t rank_of(std::span<const double> scores, int64_t right) {
  const double own = scores[static_cast<size_t>(right)];
  int64_t above = 0;
  for (size_t i = 0; i < scores.size(); ++i) above += scores[i] > own || (scores[i] == own && static_cast<int64_t>(i) < right);
  return above + 1;
}

Asked outcome_of(const eval::Choice& choice, std::span<const double> weights) {
  const std::vector<double> p = eval::choice_probabilities(choice.features, weights);
  const std::span<const double> entries(p.data(), p.size() - 1);
  Asked asked;
  asked.has_answer = choice.right < std::ssize(entries);
  asked.first = std::max_element(entries.begin(), entries.end()) - entries.begin();
  asked.confidence = entries[static_cast<size_t>(asked.first)];
  if (asked.has_answer) asked.rank = rank_of(entries, choice.right);
  return asked;
}

Json ranking_metrics(std::span<const int64_t> ranks, const eval::BootstrapOptions& options) {
  const std::vector<eval::Statistic> statistics = {mean_of(within(ranks, 1)), mean_of(within(ranks, 3)), mean_of(reciprocal(ranks))};
  const std::vector<eval::Interval> intervals = eval::bootstrap_intervals(std::ssize(ranks), statistics, options);
  Json json = Json::object();
  const char* const names[] = {"recall@1", "recall@3", "mrr"};
  for (size_t i = 0; i < statistics.size(); ++i) json[names[i]] = eval::measure_json(statistics[i]({}), "higher", intervals[i]);
  return json;
}

eval::PairedComparison compare_ranks(std::span<const int64_t> a, std::span<const int64_t> b, const eval::BootstrapOptions& options) {
  if (a.size() != b.size()) throw InternalError("app.faq", "rankings of different questions");
  return eval::paired_bootstrap(std::ssize(a), mean_of(reciprocal(a)), mean_of(reciprocal(b)), options);
}

Json answering_metrics(std::span<const Asked> asked, double least_confidence, const eval::BootstrapOptions& options) {
  std::vector<double> right, given;
  std::vector<uint8_t> is_given, on_topic, off_topic;
  for (const Asked& a : asked) {
    const bool answered = a.confidence >= least_confidence;
    right.push_back(a.rank == 1);
    given.push_back(answered);
    is_given.push_back(answered);
    on_topic.push_back(a.has_answer);
    off_topic.push_back(!a.has_answer);
  }
  const auto ece = [forecasts = forecasts_of(asked)](eval::Counts counts) { return eval::expected_calibration_error(eval::reliability_curve(forecasts, 10, counts)); };
  const bool has_off_topic = std::any_of(off_topic.begin(), off_topic.end(), [](uint8_t is) { return is != 0; });
  std::vector<eval::Statistic> statistics = {share(right, is_given), share(given, on_topic), ece};
  std::vector<std::pair<const char*, const char*>> names = {{"precision", "higher"}, {"coverage", "higher"}, {"ece", "lower"}};
  if (has_off_topic) {
    statistics.push_back(share(given, off_topic));
    names.emplace_back("off_topic_coverage", "lower");
  }
  const std::vector<eval::Interval> intervals = eval::bootstrap_intervals(std::ssize(asked), statistics, options);
  Json json = Json::object();
  for (size_t i = 0; i < statistics.size(); ++i) json[names[i].first] = eval::measure_json(statistics[i]({}), names[i].second, intervals[i]);
  return json;
}

std::vector<eval::ReliabilityBin> reliability_of(std::span<const Asked> asked) { return eval::reliability_curve(forecasts_of(asked)); }

std::vector<std::string> faq_metrics(bool off_topic) {
  std::vector<std::string> names = {"recall@1", "recall@3", "mrr", "precision", "coverage", "ece"};
  if (off_topic) names.emplace_back("off_topic_coverage");
  return names;
}

}  // namespace danlu::app
