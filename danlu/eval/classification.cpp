#include "danlu/eval/classification.h"

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::eval {
namespace {

double ratio(int64_t part, int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

void check_class(int64_t k, int64_t classes, const char* what, size_t sample) {
  if (k >= 0 && k < classes) [[likely]]
    return;
  throw DataError("eval.classification",
                  fmt::format("got {} {} at sample {}; expected 0 to {}", what, k, sample, classes - 1));
}

void check_sizes(std::span<const int64_t> labels, std::span<const int64_t> predicted) {
  if (labels.size() == predicted.size()) return;
  throw ShapeError("eval.classification", fmt::format("got {} predictions; expected one for each of {} labels",
                                                      predicted.size(), labels.size()));
}

using OfClass = double (*)(const ClassCounts&, int64_t);

double mean_of_classes(const ClassCounts& c, OfClass of_class, bool by_support) {
  double sum = 0, weights = 0;
  for (int64_t k = 0; k < c.classes(); ++k) {
    const double weight = by_support ? static_cast<double>(c.support[static_cast<size_t>(k)]) : 1.0;
    sum += weight * of_class(c, k);
    weights += weight;
  }
  return sum / weights;
}

// All classes as one.
ClassCounts pooled(const ClassCounts& c) {
  ClassCounts all(1);
  for (size_t k = 0; k < c.support.size(); ++k) {
    all.support[0] += c.support[k];
    all.predicted[0] += c.predicted[k];
    all.correct[0] += c.correct[k];
  }
  return all;
}

double average_of(const ClassCounts& c, Average average, OfClass of_class) {
  if (average == Average::micro) return c.total == 0 ? NAN : of_class(pooled(c), 0);
  return mean_of_classes(c, of_class, average == Average::weighted);
}

}  // namespace

ClassCounts::ClassCounts(int64_t classes)
    : support(static_cast<size_t>(classes)), predicted(support.size()), correct(support.size()) {}

ClassCounts count_classes(std::span<const int64_t> labels, std::span<const int64_t> predicted, int64_t classes,
                          Counts counts) {
  check_sizes(labels, predicted);
  ClassCounts c(classes);
  for (size_t i = 0; i < labels.size(); ++i) {
    check_class(labels[i], classes, "label", i);
    check_class(predicted[i], classes, "prediction", i);
    const int64_t count = count_of(counts, i);
    c.support[static_cast<size_t>(labels[i])] += count;
    c.predicted[static_cast<size_t>(predicted[i])] += count;
    if (labels[i] == predicted[i]) c.correct[static_cast<size_t>(labels[i])] += count;
    c.total += count;
  }
  return c;
}

double accuracy(const ClassCounts& c) {
  int64_t correct = 0;
  for (const int64_t of_class : c.correct) correct += of_class;
  return static_cast<double>(correct) / static_cast<double>(c.total);
}

double precision(const ClassCounts& c, int64_t k) {
  const auto i = static_cast<size_t>(k);
  return ratio(c.correct[i], c.predicted[i]);
}

double recall(const ClassCounts& c, int64_t k) {
  const auto i = static_cast<size_t>(k);
  return ratio(c.correct[i], c.support[i]);
}

double f1(const ClassCounts& c, int64_t k) {
  const auto i = static_cast<size_t>(k);
  return ratio(2 * c.correct[i], c.support[i] + c.predicted[i]);
}

double specificity(const ClassCounts& c, int64_t k) {
  const auto i = static_cast<size_t>(k);
  const int64_t others = c.total - c.support[i], wrongly_k = c.predicted[i] - c.correct[i];
  return ratio(others - wrongly_k, others);
}

double precision(const ClassCounts& c, Average average) { return average_of(c, average, precision); }
double recall(const ClassCounts& c, Average average) { return average_of(c, average, recall); }
double f1(const ClassCounts& c, Average average) { return average_of(c, average, f1); }

double specificity(const ClassCounts& c, Average average) {
  if (average != Average::micro) return average_of(c, average, specificity);
  int64_t others = 0, wrongly = 0;
  for (size_t k = 0; k < c.support.size(); ++k) {
    others += c.total - c.support[k];
    wrongly += c.predicted[k] - c.correct[k];
  }
  return ratio(others - wrongly, others);
}

double balanced_accuracy(const ClassCounts& c) {
  double sum = 0;
  int64_t present = 0;
  for (int64_t k = 0; k < c.classes(); ++k) {
    if (c.support[static_cast<size_t>(k)] == 0) continue;
    sum += recall(c, k);
    ++present;
  }
  return sum / static_cast<double>(present);
}

double matthews_correlation(const ClassCounts& c) {
  const double n = static_cast<double>(c.total);
  double correct = 0, both = 0, support_squared = 0, predicted_squared = 0;
  for (size_t k = 0; k < c.support.size(); ++k) {
    const double support = static_cast<double>(c.support[k]), predicted = static_cast<double>(c.predicted[k]);
    correct += static_cast<double>(c.correct[k]);
    both += support * predicted;
    support_squared += support * support;
    predicted_squared += predicted * predicted;
  }
  const double spread = (n * n - support_squared) * (n * n - predicted_squared);
  return spread == 0 ? 0.0 : (correct * n - both) / std::sqrt(spread);
}

ConfusionMatrix::ConfusionMatrix(std::span<const int64_t> labels, std::span<const int64_t> predicted, int64_t classes)
    : classes_(classes), cells_(static_cast<size_t>(classes * classes)) {
  check_sizes(labels, predicted);
  for (size_t i = 0; i < labels.size(); ++i) {
    check_class(labels[i], classes, "label", i);
    check_class(predicted[i], classes, "prediction", i);
    ++cells_[static_cast<size_t>(labels[i] * classes + predicted[i])];
  }
}

}  // namespace danlu::eval
