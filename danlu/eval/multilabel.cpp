#include "danlu/eval/multilabel.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::eval {
namespace {

void check_sizes(size_t truth, size_t others, int64_t labels) {
  if (labels > 0 && truth == others && truth % static_cast<size_t>(labels) == 0) return;
  throw ShapeError("eval.multilabel", fmt::format("got {} truths and {} answers for {} labels; expected one of each for each sample and label", truth, others, labels));
}

}  // namespace

LabelDecisions::LabelDecisions(std::span<const int64_t> truth, std::span<const int64_t> predicted, int64_t labels) : labels_(labels) {
  check_sizes(truth.size(), predicted.size(), labels);
  const auto width = static_cast<size_t>(labels);
  samples_ = static_cast<int64_t>(truth.size() / width);
  for (size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] == 0 && predicted[i] == 0) continue;
    decisions_.push_back({static_cast<uint32_t>(i / width), static_cast<uint32_t>(i % width), truth[i] != 0, predicted[i] != 0});
  }
}

ClassCounts LabelDecisions::count(Counts counts) const {
  ClassCounts c(labels_);
  for (const Decision& d : decisions_) {
    const int64_t count = count_of(counts, d.sample);
    if (d.there) c.support[d.label] += count;
    if (d.said) c.predicted[d.label] += count;
    if (d.there && d.said) c.correct[d.label] += count;
  }
  for (int64_t i = 0; i < samples_; ++i) c.total += count_of(counts, static_cast<size_t>(i));
  return c;
}

std::vector<double> LabelDecisions::hamming_losses() const {
  std::vector<double> wrong(static_cast<size_t>(samples_));
  for (const Decision& d : decisions_) wrong[d.sample] += d.there == d.said ? 0 : 1;
  for (double& share : wrong) share /= static_cast<double>(labels_);
  return wrong;
}

std::vector<double> LabelDecisions::subset_hits() const {
  std::vector<double> hits(static_cast<size_t>(samples_), 1.0);
  for (const Decision& d : decisions_) {
    if (d.there != d.said) hits[d.sample] = 0;
  }
  return hits;
}

LabelRankings::LabelRankings(std::span<const int64_t> truth, std::span<const double> probabilities, int64_t labels) {
  check_sizes(truth.size(), probabilities.size(), labels);
  const auto width = static_cast<size_t>(labels), samples = truth.size() / width;
  std::vector<int64_t> there(samples);
  for (size_t k = 0; k < width; ++k) {
    for (size_t i = 0; i < samples; ++i) there[i] = truth[i * width + k];
    rankings_.emplace_back(there, probabilities, 1, width, k);
  }
}

double LabelRankings::mean_average_precision(Counts counts) const {
  double sum = 0;
  int64_t there = 0;
  for (const RankedScores& ranking : rankings_) {
    if (ranking.positives() == 0) continue;
    const double precision = ranking.average_precision(counts);
    if (std::isnan(precision)) continue;  // none of this resample has it
    sum += precision;
    ++there;
  }
  return there == 0 ? NAN : sum / static_cast<double>(there);
}

std::vector<double> label_log_losses(std::span<const int64_t> truth, std::span<const double> probabilities, int64_t labels) {
  constexpr double kLeast = 1e-15;
  check_sizes(truth.size(), probabilities.size(), labels);
  const auto width = static_cast<size_t>(labels);
  std::vector<double> losses(truth.size() / width);
  for (size_t i = 0; i < truth.size(); ++i) {
    const double p = std::clamp(probabilities[i], kLeast, 1 - kLeast);
    losses[i / width] -= std::log(truth[i] != 0 ? p : 1 - p) / static_cast<double>(labels);
  }
  return losses;
}

}  // namespace danlu::eval
