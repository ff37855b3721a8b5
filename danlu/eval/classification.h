// Measures of predicted classes: accuracy, precision, recall, F1, specificity, Matthews' correlation, confusion matrix.
//
// Classes are 0 .. C-1 and all of them count in an average, present or not: scikit-learn's labels=range(C). A ratio of
// nothing to nothing (no sample of a class, or none predicted) is 0: its zero_division=0. Results are NaN for no
// samples.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "danlu/eval/counts.h"

namespace danlu::eval {

// What all measures below are made of, for each class: samples of it, predictions of it, and those that are both.
struct ClassCounts {
  explicit ClassCounts(int64_t classes);

  int64_t classes() const { return static_cast<int64_t>(support.size()); }

  std::vector<int64_t> support, predicted, correct;
  int64_t total = 0;
};

// Throws ShapeError if the sizes differ, DataError if a class is not in [0, classes).
ClassCounts count_classes(std::span<const int64_t> labels, std::span<const int64_t> predicted, int64_t classes,
                          Counts counts = {});

double accuracy(const ClassCounts& c);

// Of one class against the rest.
double precision(const ClassCounts& c, int64_t k);    // correct / predicted
double recall(const ClassCounts& c, int64_t k);       // correct / support: sensitivity
double f1(const ClassCounts& c, int64_t k);           // 2 correct / (support + predicted)
double specificity(const ClassCounts& c, int64_t k);  // of the samples of other classes, those not predicted as k

enum class Average {
  micro,    // over all decisions, which makes precision = recall = F1 = accuracy where every sample has one class
  macro,    // the mean of classes
  weighted  // the mean of classes, each by its support
};

double precision(const ClassCounts& c, Average average);
double recall(const ClassCounts& c, Average average);
double f1(const ClassCounts& c, Average average);
double specificity(const ClassCounts& c, Average average);

// The mean recall of the classes that have samples.
double balanced_accuracy(const ClassCounts& c);

// Correlation of labels and predictions, -1 to 1; 0 if either is constant. For two classes the phi coefficient.
// Source: Gorodkin 2004, "Comparing two K-category assignments by a K-category correlation coefficient".
double matthews_correlation(const ClassCounts& c);

// Rows are actual classes, columns predicted ones.
class ConfusionMatrix {
 public:
  // Throws as count_classes does.
  ConfusionMatrix(std::span<const int64_t> labels, std::span<const int64_t> predicted, int64_t classes);

  int64_t classes() const { return classes_; }
  int64_t at(int64_t actual, int64_t predicted) const {
    return cells_[static_cast<size_t>(actual * classes_ + predicted)];
  }
  std::span<const int64_t> row(int64_t actual) const {
    return std::span(cells_).subspan(static_cast<size_t>(actual * classes_), static_cast<size_t>(classes_));
  }

 private:
  int64_t classes_;
  std::vector<int64_t> cells_;
};

}  // namespace danlu::eval
