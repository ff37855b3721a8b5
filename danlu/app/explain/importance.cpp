#include "danlu/app/explain/importance.h"

#include <algorithm>
#include <cmath>

#include "danlu/data/table/preprocessor.h"
#include "danlu/eval/metrics.h"
#include "danlu/eval/permutation_importance.h"

namespace danlu::app {
namespace {

constexpr int64_t kRepeats = 5;
constexpr int64_t kAnswers = 1'000'000;  // of all columns and repeats together
constexpr int64_t kFewestSamples = 200;
constexpr int64_t kBatch = 1024;

Tensor run_in_batches(infer::Predictor& predictor, const Tensor& x) {
  Tensor all;
  for (int64_t row = 0; row < x.size(0); row += kBatch) {
    const Tensor part = predictor.run(x.rows(row, std::min(x.size(0), row + kBatch)));
    if (row == 0) all = Tensor::empty(part.shape().with(0, x.size(0)));
    all.rows(row, row + part.size(0)).copy_from(part);
  }
  return all;
}

// Some of the samples with their truth, and how well they are answered.
class Scorer {
 public:
  Scorer(infer::Predictor& predictor, const Tensor& x, const eval::Predictions& predictions, int64_t most)
      : predictor_(predictor), task_(predictions.task()), classes_(predictions.classes()), metric_(task_ == eval::Task::binary       ? "auc"
                                                                                                        : task_ == eval::Task::multiclass ? "accuracy"
                                                                                                        : task_ == eval::Task::multilabel ? "mean_average_precision"
                                                                                                                                          : "rmse"),
        thresholds_(predictions.thresholds().begin(), predictions.thresholds().end()) {
    const int64_t samples = x.size(0), step = std::max<int64_t>(1, (samples + most - 1) / most);
    std::vector<int64_t> chosen;
    for (int64_t n = 0; n < samples; n += step) chosen.push_back(n);
    x_ = Tensor::empty(x.shape().with(0, static_cast<int64_t>(chosen.size())));
    for (size_t i = 0; i < chosen.size(); ++i) {
      const auto row = static_cast<int64_t>(i);
      x_.rows(row, row + 1).copy_from(x.rows(chosen[i], chosen[i] + 1));
      if (task_ == eval::Task::regression) targets_.push_back(predictions.targets()[static_cast<size_t>(chosen[i])]);
      else if (task_ == eval::Task::multilabel) std::copy_n(predictions.labels().begin() + chosen[i] * classes_, classes_, std::back_inserter(labels_));
      else labels_.push_back(predictions.labels()[static_cast<size_t>(chosen[i])]);
    }
  }

  const char* metric() const { return metric_; }
  int64_t samples() const { return x_.size(0); }
  double value() { return measure(x_); }
  // The higher, the better.
  double score() { return sign() * value(); }
  // With some features of each sample those of another.
  double shuffled(int64_t begin, int64_t end, std::span<const int64_t> order) {
    Tensor x = x_.clone();
    float* to = x.mutable_data();
    const int64_t features = x.size(1);
    for (const int64_t from : order) {
      std::copy(x_.data() + from * features + begin, x_.data() + from * features + end, to + begin);
      to += features;
    }
    return sign() * measure(x);
  }

 private:
  double sign() const { return eval::find_metric(metric_, task_).direction == eval::Direction::higher_is_better ? 1 : -1; }
  double measure(const Tensor& x) {
    const Tensor outputs = run_in_batches(predictor_, x);
    if (task_ == eval::Task::multilabel) {
      const std::vector<double> probabilities(outputs.span().begin(), outputs.span().end());
      return eval::compute_metric(metric_, eval::Predictions::multilabel(labels_, probabilities, thresholds_));
    }
    if (task_ != eval::Task::regression) return eval::compute_metric(metric_, eval::Predictions::classification(labels_, outputs.span(), classes_));
    std::vector<double> values;
    for (const infer::Prediction& p : predictor_.decode(outputs)) values.push_back(p.value);
    return eval::compute_metric(metric_, eval::Predictions::regression(targets_, values));
  }

  infer::Predictor& predictor_;
  eval::Task task_;
  int64_t classes_;
  const char* metric_;
  std::vector<double> thresholds_;
  Tensor x_;
  std::vector<int64_t> labels_;
  std::vector<double> targets_;
};

}  // namespace

Json column_importance(infer::Predictor& predictor, const Tensor& x, const eval::Predictions& predictions, double seconds) {
  const Timer timer;
  const std::vector<data::FeatureColumn>& columns = predictor.table_preprocess()->columns();
  const auto answers = kAnswers / (kRepeats * static_cast<int64_t>(columns.size()));
  Scorer scorer(predictor, x, predictions, std::max(kFewestSamples, answers));
  const double score = scorer.score();
  if (!std::isfinite(score)) return nullptr;
  struct Found {
    std::string column;
    eval::Importance importance;
  };
  std::vector<Found> found;
  int64_t begin = 0;
  for (size_t i = 0; i < columns.size() && timer.seconds() < seconds; ++i) {
    const int64_t end = begin + columns[i].num_features();
    const auto shuffled = [&](int64_t, std::span<const int64_t> order) { return scorer.shuffled(begin, end, order); };
    found.push_back({columns[i].name(), eval::permutation_importance(static_cast<int64_t>(i), scorer.samples(), score, shuffled, {.repeats = kRepeats})});
    begin = end;
  }
  std::stable_sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.importance.mean > b.importance.mean; });
  Json list = Json::array();
  for (const Found& f : found) list.push_back({{"column", f.column}, {"importance", f.importance.mean}, {"spread", f.importance.spread}});
  return {{"metric", scorer.metric()}, {"value", scorer.value()}, {"samples", scorer.samples()}, {"repeats", kRepeats}, {"left_out", columns.size() - found.size()}, {"columns", std::move(list)}};
}

}  // namespace danlu::app
