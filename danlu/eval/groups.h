// Whether a model treats groups of people alike: the measures of each group of samples, and how far apart they are.
//
//   selection rate   share that is answered with the positive class; its gap is 0 under demographic parity
//   recall           of the positives, those found; with the next: equalised odds
//   false positive rate   of the negatives, those called positive
//
// Two classes. A rate of nothing is NaN, and left out of the gaps.
// Source: Hardt, Price, Srebro 2016, arXiv:1610.02413; Barocas, Hardt, Narayanan, "Fairness and Machine Learning", chapter 3.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/eval/predictions.h"

namespace danlu::eval {

struct GroupMeasures {
  std::string name;
  int64_t samples = 0;
  double base_rate = 0;  // share of the positive class
  double selection_rate = 0, recall = 0, false_positive_rate = 0, accuracy = 0;
  double auc = 0;
  double mean_probability = 0;  // beside the base rate: calibration in the large
};

struct GroupReport {
  std::vector<GroupMeasures> groups;  // the largest first
  // The largest less the least, of groups of at least `kLeastGroup` samples.
  double selection_rate_gap = 0, recall_gap = 0, false_positive_rate_gap = 0;
};

inline constexpr int64_t kLeastGroup = 20;  // below it a rate says nothing

// A name of a group for each sample. Throws ShapeError if there are not as many, ConfigError unless there are two classes.
GroupReport compare_groups(const Predictions& predictions, std::span<const std::string> groups);

Json to_json(const GroupReport& report);
std::string to_text(const GroupReport& report);

}  // namespace danlu::eval
