#include "danlu/app/recipe/compression.h"

#include <algorithm>
#include <cmath>

#include "danlu/app/report/html.h"
#include "danlu/base/format.h"
#include "danlu/base/timer.h"
#include "danlu/eval/text_table.h"

namespace danlu::app {
namespace {

constexpr double kGain = 1.1;

std::string interval_text(const eval::Interval& interval) { return fmt::format("{:.4f} to {:.4f}", interval.low, interval.high); }

std::string times_text(double ratio, const char* more, const char* less) {
  return ratio >= 1 ? fmt::format("{:.2f} times {}", ratio, more) : fmt::format("{:.2f} times {}", 1 / ratio, less);
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + std::ssize(values) / 2, values.end());
  return values[values.size() / 2];
}

}  // namespace

void CompressOptions::describe(OptionVisitor& v) {
  v.field("tolerance", tolerance, {0, 100}, "what the quality may fall by: points of the first metric, or per cent of it where it is an error");
  v.field("calibration", calibration, {1, 1e6}, "int8: training samples that tell the ranges of activations; channels of an encoder: those that tell how much a head matters; q8, q4: windows of training text that weights are rounded for");
  v.field("epochs", epochs, {0, 1e6}, "sparse, N:M, channels: how long the smaller model learns again; default: half as long as the run; 0: not at all");
  v.choice("scope", scope, {"global", "layer"}, "sparse: the smallest weights of all layers together, or of each");
}

void CompressSection::describe(OptionVisitor& v) {
  v.field("to", to, "int8, sparse=SHARE, N:M like 2:4, channels=SHARE; q8 or q4 for a language model; empty: nothing is made smaller");
  options.describe(v);
}

double ComparedMetric::loss() const {
  if (direction == eval::Direction::higher_is_better) return 100 * (before - after);
  return before == 0 ? (after == 0 ? 0.0 : HUGE_VAL) : 100 * (after - before) / std::abs(before);
}

const char* ComparedMetric::unit() const { return direction == eval::Direction::higher_is_better ? "points" : "per cent"; }

std::vector<ComparedMetric> compare_metrics(const std::string& prefix, const eval::Predictions& before, const eval::Predictions& after,
                                            const std::vector<std::string>& metrics, const eval::BootstrapOptions& bootstrap) {
  std::vector<ComparedMetric> compared;
  for (const std::string& name : metrics) {
    const eval::Metric& metric = eval::find_metric(name, before.task());
    ComparedMetric c{.name = prefix + name, .direction = metric.direction};
    const eval::Statistic one = metric.prepare(before), other = metric.prepare(after);
    c.before = one({});
    c.after = other({});
    const std::vector<eval::Statistic> both = {one, other};
    const std::vector<eval::Interval> intervals = eval::bootstrap_intervals(before.size(), both, bootstrap, before.labels().size() == static_cast<size_t>(before.size()) ? before.labels() : std::span<const int64_t>());
    c.before_interval = intervals[0];
    c.after_interval = intervals[1];
    c.change = eval::paired_bootstrap(before.size(), other, one, bootstrap);
    compared.push_back(std::move(c));
  }
  return compared;
}

ComparedLatency compare_latency(std::string what, const std::function<void()>& before, const std::function<void()>& after) {
  constexpr double kTurn_s = 2e-3, kMost_s = 4;
  constexpr size_t kLeastTurns = 5, kTurns = 41;
  const std::function<void()>* const both[] = {&before, &after};
  std::vector<double> times[2];
  int64_t calls[2] = {1, 1};
  for (int i = 0; i < 2; ++i) {
    (*both[i])();  // prepares what the others use
    const Timer timer;
    (*both[i])();
    calls[i] = std::clamp<int64_t>(static_cast<int64_t>(kTurn_s / std::max(timer.seconds(), 1e-6)), 1, 2000);
  }
  const Timer whole;
  for (size_t turn = 0; turn < kTurns && (turn < kLeastTurns || whole.seconds() < kMost_s); ++turn) {
    for (int i = 0; i < 2; ++i) {
      const Timer timer;
      for (int64_t call = 0; call < calls[i]; ++call) (*both[i])();
      times[i].push_back(1e3 * timer.seconds() / static_cast<double>(calls[i]));
    }
  }
  return {std::move(what), median(times[0]), median(times[1])};
}

ComparedLatency compare_latency(infer::Predictor& before, infer::Predictor& after, const Tensor& x) {
  return compare_latency(x.size(0) == 1 ? "one sample" : fmt::format("{} samples", x.size(0)), [&] { before.run(x); }, [&] { after.run(x); });
}

bool Compression::keeps_quality() const {
  return std::all_of(metrics.begin(), metrics.end(), [&](const ComparedMetric& m) {
    const bool decides = std::find(deciding.begin(), deciding.end(), m.name) != deciding.end();
    return !decides || m.loss() <= tolerance;  // an undefined one is not kept
  });
}

bool Compression::gains() const {
  const bool faster = std::any_of(latencies.begin(), latencies.end(), [](const ComparedLatency& l) { return l.before_ms >= kGain * l.after_ms; });
  return faster || static_cast<double>(bytes_before) >= kGain * static_cast<double>(bytes_after);
}

std::string Compression::verdict() const {
  std::string quality;
  for (const ComparedMetric& m : metrics) {
    if (std::find(deciding.begin(), deciding.end(), m.name) == deciding.end()) continue;
    const bool kept = m.loss() <= tolerance;
    if (!quality.empty()) quality += "; ";
    quality += m.loss() <= 0 ? fmt::format("{} is no worse", m.name)
                             : fmt::format("{} is {:.2f} {} worse, {} the {:g} allowed", m.name, m.loss(), m.unit(), kept ? "within" : "MORE than", tolerance);
  }
  std::string cost = times_text(static_cast<double>(bytes_before) / static_cast<double>(bytes_after), "smaller", "LARGER");
  for (const ComparedLatency& l : latencies) {
    cost += fmt::format(", {} for {}", times_text(l.before_ms / l.after_ms, "faster", "SLOWER"), l.what);
  }
  const char* word = worth() ? "worth it" : !keeps_quality() ? "NOT worth it: too much quality is lost" : "NOT worth it: nothing is gained";
  return fmt::format("{}. {}: {}.", word, cost, quality);
}

std::string Compression::text() const {
  using Align = eval::TextTable::Align;
  eval::TextTable table({Align::left, Align::right, Align::right, Align::right});
  table.add_row({"", "before", "after", "change"});
  for (const ComparedMetric& m : metrics) {
    table.add_row({m.name, fmt::format("{:.4f}", m.before), fmt::format("{:.4f}", m.after), fmt::format("{:+.4f}", m.after - m.before)});
    table.add_row({"", interval_text(m.before_interval), interval_text(m.after_interval), interval_text(m.change.interval)});
  }
  table.add_row({"weights on disk", count_text(bytes_before), count_text(bytes_after), fmt::format("{:.2f} x", static_cast<double>(bytes_before) / static_cast<double>(bytes_after))});
  for (const ComparedLatency& l : latencies) {
    table.add_row({fmt::format("ms, {}", l.what), fmt::format("{:.3f}", l.before_ms), fmt::format("{:.3f}", l.after_ms), fmt::format("{:.2f} x", l.before_ms / l.after_ms)});
  }
  return fmt::format("{} to {}\n{}\n{}\n", from, to, table.str(), verdict());
}

Json Compression::to_json() const {
  Json json = {{"from", from}, {"to", to}, {"settings", settings}, {"tolerance", tolerance}, {"metrics", Json::object()},
               {"bytes", {{"before", bytes_before}, {"after", bytes_after}}}, {"latency", Json::array()},
               {"verdict", {{"worth", worth()}, {"keeps_quality", keeps_quality()}, {"gains", gains()}, {"text", verdict()}}}};
  const auto range = [](const eval::Interval& interval) { return Json{interval.low, interval.high}; };
  for (const ComparedMetric& m : metrics) {
    json["metrics"][m.name] = {{"before", m.before}, {"after", m.after}, {"before_interval", range(m.before_interval)}, {"after_interval", range(m.after_interval)},
                               {"change", m.change.difference}, {"change_interval", range(m.change.interval)},
                               {"decides", std::find(deciding.begin(), deciding.end(), m.name) != deciding.end()}};
  }
  for (const ComparedLatency& l : latencies) json["latency"].push_back({{"of", l.what}, {"before_ms", l.before_ms}, {"after_ms", l.after_ms}});
  return json;
}

}  // namespace danlu::app
