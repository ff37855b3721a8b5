// How far probabilities can be believed: log-loss, Brier score, reliability curve, expected calibration error.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "danlu/eval/counts.h"

namespace danlu::eval {

// -ln p(label) of each sample, p clipped to [2^-52, 1 - 2^-52] as scikit-learn does for doubles, so that one confident
// mistake costs 36 and not infinity. Their mean is the log-loss: the cross-entropy in nats.
// probabilities: N x classes, row-major. Throws ShapeError if the sizes do not fit, DataError if a label is out of
// range.
std::vector<double> log_losses(std::span<const int64_t> labels, std::span<const double> probabilities, int64_t classes);
double log_loss(std::span<const int64_t> labels, std::span<const double> probabilities, int64_t classes);

// Squared distance between the probabilities and the truth, of each sample: (p - y)^2 of class 1 if there are two
// classes, else the sum over classes. Their mean is the Brier score. Throws as log_losses does.
std::vector<double> brier_scores(std::span<const int64_t> labels, std::span<const double> probabilities,
                                 int64_t classes);
double brier_score(std::span<const int64_t> labels, std::span<const double> probabilities, int64_t classes);

// Forecasts of events, each with what then happened: for two classes the probability of class 1 and whether it was
// class 1, for more the largest probability and whether that class was right.
struct Forecasts {
  std::vector<double> confidence;
  std::vector<uint8_t> happened;  // 0 or 1
};
Forecasts forecasts(std::span<const int64_t> labels, std::span<const double> probabilities, int64_t classes);

struct ReliabilityBin {
  double low = 0, high = 0;  // confidences in (low, high]; 0 belongs to the first bin
  int64_t count = 0;
  double confidence = 0;  // mean; 0 if the bin is empty
  double frequency = 0;   // fraction that happened; 0 if the bin is empty
};

// `bins` >= 1 equal widths over [0, 1], empty ones included.
std::vector<ReliabilityBin> reliability_curve(const Forecasts& forecasts, int64_t bins = 10, Counts counts = {});

// ECE: the mean of |frequency - confidence| over bins, each by its count; NaN if all are empty.
// Source: Naeini, Cooper, Hauskrecht 2015; Guo et al. 2017, arXiv:1706.04599.
double expected_calibration_error(std::span<const ReliabilityBin> curve);

}  // namespace danlu::eval
