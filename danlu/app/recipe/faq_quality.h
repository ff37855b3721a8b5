// How well questions are answered: whether the right answer is found, and whether it is known when there is none.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/eval/bootstrap.h"
#include "danlu/eval/calibration.h"
#include "danlu/eval/choice_model.h"

namespace danlu::app {

// What became of one question.
struct Asked {
  bool has_answer = true;
  int64_t rank = 0;       // of the right answer among all, from 1; 0 if there is none
  int64_t first = 0;      // the answer in front
  double confidence = 0;  // in it
};

// The last alternative of a choice is "none of them".
Asked outcome_of(const eval::Choice& choice, std::span<const double> weights);

// The ranks alone, by any score of the answers, the best first; of equal scores the earlier answer.
int64_t rank_of(std::span<const double> scores, int64_t right);

// recall@1, recall@3 and mrr (the mean of 1 / rank), in the form of report.json's metrics, with bootstrap intervals. Throws DataError for no ranks.
Json ranking_metrics(std::span<const int64_t> ranks, const eval::BootstrapOptions& options);
// a - b in mrr of the same questions.
eval::PairedComparison compare_ranks(std::span<const int64_t> a, std::span<const int64_t> b, const eval::BootstrapOptions& options);

// How answers are given from a confidence on: precision (of answers given, those right), coverage (of questions that have an answer, those
// that are given one), off_topic_coverage (of the others), ece (of the confidence, over all questions).
Json answering_metrics(std::span<const Asked> asked, double least_confidence, const eval::BootstrapOptions& options);

// The confidence in what is in front, by how often that was right.
std::vector<eval::ReliabilityBin> reliability_of(std::span<const Asked> asked);

// The names of all of these; off_topic_coverage only where there are such questions.
std::vector<std::string> faq_metrics(bool off_topic);

}  // namespace danlu::app
