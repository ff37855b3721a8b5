// How sure a measure is, given that other samples might have been drawn: the percentile bootstrap.
//
// Each resample draws N of the N samples with replacement and has its own stream of random numbers, so results depend
// on the seed and not on the number of threads.
//
// Source: Efron, Tibshirani 1993, "An Introduction to the Bootstrap", chapters 13 and 16.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "danlu/base/options.h"
#include "danlu/eval/counts.h"

namespace danlu::eval {

struct BootstrapOptions {
  int64_t resamples = 1000;
  double confidence = 0.95;
  int64_t seed = 0;
  bool stratified = false;

  void describe(OptionVisitor& v) {
    v.field("resamples", resamples, {1, 1e6},
            "how often the test set is drawn anew; more narrows the error of the bounds");
    v.field("confidence", confidence, {0.5, 0.9999}, "how much of the resamples an interval holds");
    v.field("seed", seed, {0, 9e15}, "of the draws");
    v.field("stratified", stratified, "draw from each class as many samples as it has");
  }
};

struct Interval {
  double low = 0, high = 0;
};

// For each statistic its interval over the same resamples of `samples` samples. Resamples where a statistic is NaN (one
// class only, for example) are left out; if it always is, so are the bounds.
// `strata`, empty or one label a sample, is used if options.stratified. Throws DataError if samples is 0, ShapeError if
// the strata are not one a sample.
std::vector<Interval> bootstrap_intervals(int64_t samples, std::span<const Statistic> statistics,
                                          const BootstrapOptions& options = {}, std::span<const int64_t> strata = {});
Interval bootstrap_interval(int64_t samples, const Statistic& statistic, const BootstrapOptions& options = {},
                            std::span<const int64_t> strata = {});

// Two models on the same samples.
struct PairedComparison {
  double difference = 0;  // a - b
  Interval interval;      // of the difference
  double p_value = 1;     // two-sided: of a difference as large as this if there were none
};
// p is the fraction of resamples whose difference is as far from the observed one as that is from 0, counting the
// observation itself: never 0. Throws as bootstrap_intervals does.
PairedComparison paired_bootstrap(int64_t samples, const Statistic& a, const Statistic& b,
                                  const BootstrapOptions& options = {}, std::span<const int64_t> strata = {});

// McNemar's exact test of two classifiers on the same samples: do they err equally often?
struct McNemar {
  int64_t only_a_correct = 0, only_b_correct = 0;
  double p_value = 1;  // two-sided binomial over the samples on which one is right and the other wrong
};
// Throws ShapeError unless all three have one class a sample.
McNemar mcnemar_test(std::span<const int64_t> labels, std::span<const int64_t> predicted_a,
                     std::span<const int64_t> predicted_b);

// The q-quantile, 0 <= q <= 1, of ascending values, linear between them (numpy's default). values must not be empty.
double quantile(std::span<const double> sorted, double q);

}  // namespace danlu::eval
