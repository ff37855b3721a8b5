#include "danlu/serve/metrics.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "danlu/base/check.h"
#include "danlu/base/format.h"

namespace danlu::serve {
namespace {

void render_head(std::string& text, std::string_view name, std::string_view help, std::string_view type) {
  text += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

std::string number(double value) {
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (std::isnan(value)) return "NaN";
  return fmt::format("{}", value);
}

void render_sample(std::string& text, std::string_view name, std::string_view labels, double value) {
  text += labels.empty() ? fmt::format("{} {}\n", name, number(value))
                         : fmt::format("{}{{{}}} {}\n", name, labels, number(value));
}

}  // namespace

std::string render_labels(const std::vector<std::string>& names, const std::vector<std::string_view>& values) {
  DANLU_CHECK(names.size() == values.size(), "as many labels as label names");
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    text += fmt::format("{}{}=\"", i == 0 ? "" : ",", names[i]);
    for (const char c : values[i]) {
      if (c == '\n') {
        text += "\\n";
      } else {
        if (c == '"' || c == '\\') text += '\\';
        text += c;
      }
    }
    text += '"';
  }
  return text;
}

Counter::Counter(std::string name, std::string help, std::vector<std::string> label_names)
    : name_(std::move(name)), help_(std::move(help)), label_names_(std::move(label_names)) {}

void Counter::add(const std::vector<std::string_view>& labels, double amount) {
  const std::string key = render_labels(label_names_, labels);
  std::lock_guard lock(mutex_);
  values_[key] += amount;
}

void Counter::render(std::string& text) const {
  render_head(text, name_, help_, "counter");
  std::lock_guard lock(mutex_);
  for (const auto& [labels, value] : values_) render_sample(text, name_, labels, value);
}

Histogram::Histogram(std::string name, std::string help, std::vector<std::string> label_names,
                     std::vector<double> bounds)
    : name_(std::move(name)),
      help_(std::move(help)),
      label_names_(std::move(label_names)),
      bounds_(std::move(bounds)) {}

void Histogram::observe(const std::vector<std::string_view>& labels, double value) {
  const std::string key = render_labels(label_names_, labels);
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  std::lock_guard lock(mutex_);
  Series& series = series_[key];
  series.counts.resize(bounds_.size() + 1);
  ++series.counts[static_cast<size_t>(bucket)];
  series.sum += value;
}

void Histogram::render(std::string& text) const {
  render_head(text, name_, help_, "histogram");
  std::lock_guard lock(mutex_);
  for (const auto& [labels, series] : series_) {
    const std::string prefix = labels.empty() ? "" : labels + ",";
    int64_t cumulative = 0;
    for (size_t i = 0; i <= bounds_.size(); ++i) {
      cumulative += series.counts[i];
      const std::string bound = i < bounds_.size() ? number(bounds_[i]) : "+Inf";
      render_sample(text, name_ + "_bucket", fmt::format("{}le=\"{}\"", prefix, bound),
                    static_cast<double>(cumulative));
    }
    render_sample(text, name_ + "_sum", labels, series.sum);
    render_sample(text, name_ + "_count", labels, static_cast<double>(cumulative));
  }
}

void render_values(std::string& text, std::string_view name, std::string_view help, std::string_view type,
                   const std::vector<std::pair<std::string, double>>& values_by_labels) {
  render_head(text, name, help, type);
  for (const auto& [labels, value] : values_by_labels) render_sample(text, name, labels, value);
}

void render_gauge(std::string& text, std::string_view name, std::string_view help,
                  const std::vector<std::pair<std::string, double>>& values_by_labels) {
  render_values(text, name, help, "gauge", values_by_labels);
}

}  // namespace danlu::serve
