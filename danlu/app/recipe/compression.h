// A run's model made smaller, measured beside what it was made of: a run of its own, that predict, evaluate and serve take as any other.
//
//   runs/fashion-int8/            run.json ("compressed": {"from", "to", "worth"}), recipe.yaml, resolved.yaml, split.json, ...
//   runs/fashion-int8/bundle/     the bundle, and compress.json: what was measured, and the verdict
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "danlu/app/recipe/compress_options.h"
#include "danlu/app/recipe/run_directory.h"
#include "danlu/base/json.h"
#include "danlu/eval/bootstrap.h"
#include "danlu/eval/metrics.h"
#include "danlu/eval/predictions.h"
#include "danlu/infer/predictor.h"

namespace danlu::app {

// A metric before and after.
struct ComparedMetric {
  std::string name;
  eval::Direction direction = eval::Direction::higher_is_better;
  double before = 0, after = 0;
  eval::Interval before_interval = {}, after_interval = {};
  eval::PairedComparison change = {};  // after - before

  // How much worse it became: points for what is better when higher, per cent of what it was for errors. Negative: better.
  double loss() const;
  const char* unit() const;  // "points", "per cent"
};

std::vector<ComparedMetric> compare_metrics(const std::string& prefix, const eval::Predictions& before, const eval::Predictions& after,
                                            const std::vector<std::string>& metrics, const eval::BootstrapOptions& bootstrap);

// Milliseconds, the medians of alternating turns.
struct ComparedLatency {
  std::string what;  // "one sample", "64 samples", "a token"
  double before_ms = 0, after_ms = 0;
};
// Each of the two does its work `calls` times a turn, as often as takes a few milliseconds.
ComparedLatency compare_latency(std::string what, const std::function<void()>& before, const std::function<void()>& after);
ComparedLatency compare_latency(infer::Predictor& before, infer::Predictor& after, const Tensor& x);

struct Compression {
  std::string from, to;
  std::vector<ComparedMetric> metrics = {};  // the first of each target decides
  std::vector<std::string> deciding = {};
  std::vector<ComparedLatency> latencies = {};
  int64_t bytes_before = 0, bytes_after = 0;  // of the weights' file
  double tolerance = 0.5;
  Json settings = Json::object();  // how it was made

  bool keeps_quality() const;
  // A tenth less room, or time of any batch that was measured.
  bool gains() const;
  bool worth() const { return keeps_quality() && gains(); }
  std::string verdict() const;  // a sentence or two
  std::string text() const;     // a table and the verdict
  Json to_json() const;         // compress.json
};

}  // namespace danlu::app
