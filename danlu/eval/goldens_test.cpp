// Our numbers against those of scikit-learn and SciPy (tools/make_eval_goldens.py), to 1e-12.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/eval/bootstrap.h"
#include "danlu/eval/calibration.h"
#include "danlu/eval/classification.h"
#include "danlu/eval/clustering.h"
#include "danlu/eval/cross_validation.h"
#include "danlu/eval/metrics.h"
#include "danlu/eval/roc.h"
#include "danlu/eval/threshold.h"

namespace danlu::eval {
namespace {

constexpr double kTolerance = 1e-12;

const Json& goldens() {
  static const Json json = read_json(fs::path(DANLU_SOURCE_DIR) / "danlu/eval/testdata/goldens.json");
  return json;
}

std::vector<double> reals(const Json& json) { return json.get<std::vector<double>>(); }

void expect_equal(double got, const Json& expected) {
  if (expected.is_null()) {
    EXPECT_TRUE(std::isnan(got)) << got;
  } else {
    const double value = expected.get<double>();
    EXPECT_NEAR(got, value, kTolerance * std::max(1.0, std::abs(value)));
  }
}

void expect_equal(const std::vector<double>& got, const Json& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) expect_equal(got[i], expected[i]);
}

// Every metric that the task has, of the samples and of the resample.
void expect_metrics(const Predictions& predictions, const Json& c) {
  const auto counts = c["counts"].get<std::vector<int32_t>>();
  for (const Metric& metric : all_metrics()) {
    if (!metric.has(predictions.task())) continue;
    SCOPED_TRACE(metric.name);
    ASSERT_TRUE(c["metrics"].contains(metric.name)) << "a metric without a golden value";
    const Statistic statistic = metric.prepare(predictions);
    expect_equal(statistic({}), c["metrics"][metric.name]);
    expect_equal(statistic(counts), c["metrics_of_counts"][metric.name]);
  }
}

Predictions classification_of(const Json& c) {
  return Predictions::classification(c["labels"].get<std::vector<int64_t>>(), reals(c["probabilities"]),
                                     c["classes"].get<int64_t>(), c["threshold"].get<double>());
}

TEST(Goldens, ClassificationMetrics) {
  for (const Json& c : goldens()["classification"]) {
    SCOPED_TRACE(c["name"]);
    expect_metrics(classification_of(c), c);
  }
}

TEST(Goldens, RegressionMetrics) {
  for (const Json& c : goldens()["regression"]) {
    SCOPED_TRACE(c["name"]);
    expect_metrics(Predictions::regression(reals(c["targets"]), reals(c["values"])), c);
  }
}

TEST(Goldens, ConfusionAndClasses) {
  for (const Json& c : goldens()["classification"]) {
    SCOPED_TRACE(c["name"]);
    const Predictions p = classification_of(c);
    const ConfusionMatrix matrix(p.labels(), p.predicted(), p.classes());
    const ClassCounts counts = count_classes(p.labels(), p.predicted(), p.classes());
    for (int64_t k = 0; k < p.classes(); ++k) {
      const auto i = static_cast<size_t>(k);
      for (int64_t predicted = 0; predicted < p.classes(); ++predicted) {
        EXPECT_EQ(matrix.at(k, predicted), c["confusion"][i][static_cast<size_t>(predicted)].get<int64_t>());
      }
      expect_equal(precision(counts, k), c["per_class"]["precision"][i]);
      expect_equal(recall(counts, k), c["per_class"]["recall"][i]);
      expect_equal(f1(counts, k), c["per_class"]["f1"][i]);
      EXPECT_EQ(counts.support[i], c["per_class"]["support"][i].get<int64_t>());
    }
  }
}

// The cases that hold curves, with their scores ranked.
template <class Check>
void each_with_curves(const Check& check) {
  int cases = 0;
  for (const Json& c : goldens()["classification"]) {
    if (!c.contains("roc")) continue;
    SCOPED_TRACE(c["name"]);
    const Predictions p = classification_of(c);
    check(c, p, RankedScores(p.labels(), p.probabilities(), 1, 2, 1));
    ++cases;
  }
  EXPECT_GE(cases, 5);
}

TEST(Goldens, RocCurves) {
  each_with_curves([](const Json& c, const Predictions&, const RankedScores& ranked) {
    RocCurve curve = ranked.roc_curve();
    expect_equal(curve.false_positive_rate, c["roc"]["fpr"]);
    expect_equal(curve.true_positive_rate, c["roc"]["tpr"]);
    EXPECT_TRUE(std::isinf(curve.thresholds.front()));
    curve.thresholds.erase(curve.thresholds.begin());
    expect_equal(curve.thresholds, c["roc"]["thresholds"]);
  });
}

TEST(Goldens, PrecisionRecallCurves) {
  each_with_curves([](const Json& c, const Predictions&, const RankedScores& ranked) {
    const PrecisionRecallCurve curve = ranked.precision_recall_curve();
    expect_equal(curve.precision, c["pr"]["precision"]);
    expect_equal(curve.recall, c["pr"]["recall"]);
    expect_equal(curve.thresholds, c["pr"]["thresholds"]);
  });
}

TEST(Goldens, ReliabilityCurves) {
  each_with_curves([](const Json& c, const Predictions& p, const RankedScores&) {
    std::vector<double> frequency, confidence;
    for (const ReliabilityBin& bin : reliability_curve(forecasts(p.labels(), p.probabilities(), 2), 10)) {
      if (bin.count == 0) continue;
      frequency.push_back(bin.frequency);
      confidence.push_back(bin.confidence);
    }
    expect_equal(frequency, c["reliability"]["frequency"]);
    expect_equal(confidence, c["reliability"]["confidence"]);
  });
}

TEST(Goldens, Thresholds) {
  each_with_curves([](const Json& c, const Predictions& p, const RankedScores& ranked) {
    expect_equal(best_f_beta(ranked, 1).value, c["best"]["f1"]);
    expect_equal(best_f_beta(ranked, 2).value, c["best"]["f2"]);
    expect_equal(best_youden(ranked).value, c["best"]["youden"]);
    expect_equal(-least_cost(ranked, {.false_positive = 1, .false_negative = 5}).value, c["best"]["cost"]);
    // The threshold does what it says.
    const Predictions there =
        Predictions::classification(p.labels(), p.probabilities(), 2, best_f_beta(ranked, 1).threshold);
    expect_equal(compute_metric("f1", there), c["best"]["f1"]);
  });
}

TEST(Goldens, Folds) {
  for (const Json& c : goldens()["folds"]) {
    const auto scores = reals(c["scores"]);
    const CrossValidationScore plain = summarize_folds(scores);
    expect_equal(plain.mean, c["mean"]);
    expect_equal(plain.standard_deviation, c["standard_deviation"]);
    EXPECT_NEAR(plain.interval.high - plain.mean, c["half_width"].get<double>(), 1e-11);
    EXPECT_NEAR(plain.mean - plain.interval.low, c["half_width"].get<double>(), 1e-11);
    const CrossValidationScore repeated = summarize_repeated_folds(scores, 1.0 / 9);
    EXPECT_NEAR(repeated.interval.high - repeated.mean, c["half_width_corrected"].get<double>(), 1e-11);
  }
}

TEST(Goldens, StudentT) {
  for (const Json& c : goldens()["student_t"]) {
    const double t = c["t"].get<double>();
    EXPECT_NEAR(student_t_quantile(c["p"].get<double>(), c["degrees"].get<double>()), t,
                1e-10 * std::max(1.0, std::abs(t)))
        << c;
  }
}

TEST(Goldens, McNemar) {
  for (const Json& c : goldens()["mcnemar"]) {
    const int64_t only_a = c["only_a"].get<int64_t>(), only_b = c["only_b"].get<int64_t>();
    std::vector<int64_t> labels, a, b;
    const auto add = [&](int64_t count, int64_t says_a, int64_t says_b) {
      labels.insert(labels.end(), static_cast<size_t>(count), 1);
      a.insert(a.end(), static_cast<size_t>(count), says_a);
      b.insert(b.end(), static_cast<size_t>(count), says_b);
    };
    add(only_a, 1, 0);
    add(only_b, 0, 1);
    add(5, 1, 1);
    add(3, 0, 0);
    const McNemar test = mcnemar_test(labels, a, b);
    EXPECT_EQ(test.only_a_correct, only_a);
    EXPECT_EQ(test.only_b_correct, only_b);
    EXPECT_NEAR(test.p_value, c["p"].get<double>(), 1e-10) << c;
  }
}

TEST(Goldens, SeveralLabels) {
  for (const Json& c : goldens()["multilabel"]) {
    SCOPED_TRACE(c["name"]);
    expect_metrics(Predictions::multilabel(c["truth"].get<std::vector<int64_t>>(), reals(c["probabilities"]), reals(c["thresholds"])), c);
  }
}

TEST(Goldens, Clustering) {
  for (const Json& c : goldens()["clustering"]) {
    SCOPED_TRACE(c["name"]);
    const auto x = c["x"].get<std::vector<float>>();
    const auto clusters = c["clusters"].get<std::vector<int64_t>>(), other = c["other"].get<std::vector<int64_t>>();
    const auto features = c["features"].get<int64_t>();
    expect_equal(silhouettes(x, features, clusters), c["silhouettes"]);
    expect_equal(davies_bouldin(x, features, clusters), c["davies_bouldin"]);
    expect_equal(adjusted_rand(clusters, other), c["adjusted_rand"]);
  }
}

}  // namespace
}  // namespace danlu::eval
