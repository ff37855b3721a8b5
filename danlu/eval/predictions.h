// What a model said of each sample, beside the truth: all that a metric may ask for, checked once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace danlu::eval {

enum class Task : uint8_t { binary, multiclass, regression, multilabel };

const char* task_name(Task task);

class Predictions {
 public:
  // Classes. probabilities: N x classes, row-major; for two classes also N x 1, those of class 1. Two classes make the
  // task binary: class 1 is then predicted where its probability is at least `threshold`; otherwise the most probable
  // class is. Throws ShapeError if the sizes do not fit; DataError, naming the sample, for a label out of range or a
  // probability that is not in [0, 1]; DataError if there is no sample.
  static Predictions classification(std::span<const int64_t> labels, std::span<const double> probabilities,
                                    int64_t classes, double threshold = 0.5);
  static Predictions classification(std::span<const int64_t> labels, std::span<const float> probabilities,
                                    int64_t classes, double threshold = 0.5);

  // Numbers. Throws as above; DataError for a target or a value that is not finite.
  static Predictions regression(std::span<const double> targets, std::span<const double> values);
  static Predictions regression(std::span<const float> targets, std::span<const float> values);

  // Several labels a sample. truth: N x classes zeros and ones, row-major; probabilities: the same of each label; a label is predicted
  // where its probability is at least its threshold. Throws ShapeError if the sizes do not fit; DataError as above.
  static Predictions multilabel(std::span<const int64_t> truth, std::span<const double> probabilities, std::span<const double> thresholds);

  Task task() const { return task_; }
  int64_t size() const;

  // Classification; empty for regression. Of several labels a sample, labels() and predicted() are N x classes zeros and ones.
  int64_t classes() const { return classes_; }
  double threshold() const { return threshold_; }
  std::span<const double> thresholds() const { return thresholds_; }  // of labels; empty otherwise
  std::span<const int64_t> labels() const { return labels_; }
  std::span<const int64_t> predicted() const { return predicted_; }
  std::span<const double> probabilities() const { return probabilities_; }  // N x classes, always

  // Regression; empty for classification.
  std::span<const double> targets() const { return targets_; }
  std::span<const double> values() const { return values_; }

 private:
  Predictions() = default;

  Task task_ = Task::regression;
  int64_t classes_ = 0;
  double threshold_ = 0.5;
  std::vector<int64_t> labels_, predicted_;
  std::vector<double> probabilities_, targets_, values_, thresholds_;
};

}  // namespace danlu::eval
