#include "danlu/app/recipe/cost.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "danlu/base/eta.h"
#include "danlu/base/format.h"

namespace danlu::app {
namespace {

// The numbers of an object under these keys, if all are there.
template <size_t N>
std::optional<std::array<double, N>> numbers(const Json& object, const std::array<const char*, N>& keys) {
  std::array<double, N> values{};
  for (size_t i = 0; i < N; ++i) {
    const auto found = object.is_object() ? object.find(keys[i]) : object.end();
    if (found == object.end() || !found->is_number()) return std::nullopt;
    values[i] = found->template get<double>();
  }
  return values;
}

std::string megabytes(double bytes) { return fmt::format("{:.3g} MB", bytes / 1e6); }

}  // namespace

Json per_thousand(double answers, const Effort& effort, const std::optional<double>& price_per_hour) {
  if (answers <= 0) return nullptr;
  const double seconds = 1000 * effort.seconds / answers;
  return {{"seconds", seconds},
          {"cpu_seconds", 1000 * effort.cpu_seconds / answers},
          {"price", price_per_hour ? Json(*price_per_hour / 3600 * seconds) : Json(nullptr)}};
}

std::string price_text(double price) {
  if (price >= 100) return fmt::format("{:.0f}", price);
  if (price >= 1e-4 || price <= 0) return fmt::format("{:.2g}", price);
  return fmt::format("{:.{}f}", price, std::min(12, 1 - static_cast<int>(std::floor(std::log10(price)))));
}

std::string cost_text(const Json& info, const Json& report) {
  std::string text;
  const Json training = info.value("training", Json::object());
  if (const auto t = numbers<2>(training, {"seconds", "cpu_seconds"})) {
    text += fmt::format("- training: {}, {:.3g} CPU-seconds", format_duration((*t)[0]), (*t)[1]);
    const auto memory = numbers<1>(training, {"peak_memory_bytes"});
    text += memory ? fmt::format(", at most {} of memory\n", megabytes((*memory)[0])) : "\n";
  }
  const Json latency = report.value("latency", Json::object()), cost = report.value("cost", Json::object());
  for (const auto& [what, times] : latency.items()) {
    const auto t = numbers<3>(times, {"p50_ms", "p95_ms", "p99_ms"});
    if (t) text += fmt::format("- {}: p50 {:.3g} ms, p95 {:.3g} ms, p99 {:.3g} ms\n", what, (*t)[0], (*t)[1], (*t)[2]);
  }
  for (const auto& [key, unit] : {std::pair{"samples_per_second", "samples"}, {"tokens_per_second", "tokens"}}) {
    if (const auto speed = numbers<1>(report, {key})) text += fmt::format("- throughput: {:.0f} {} a second, in batches\n", (*speed)[0], unit);
  }
  for (const auto& [what, one] : cost.items()) {
    const auto c = numbers<2>(one, {"seconds", "cpu_seconds"});
    if (!c) continue;
    text += fmt::format("- 1,000 {}: {:.3g} CPU-seconds", what, (*c)[1]);
    const auto price = numbers<1>(one, {"price"}), hour = numbers<1>(report, {"price_per_hour"});
    if (price && hour) text += fmt::format(", {} where an hour of the machine costs {:g}", price_text((*price)[0]), (*hour)[0]);
    text += "\n";
  }
  if (text.empty()) return "";
  return fmt::format("## What it takes\n\nMeasured on {}, {} threads.\n\n{}", info.value("cpu", "an unknown machine"), info.value("threads", 0), text);
}

}  // namespace danlu::app
