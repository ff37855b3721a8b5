// Counts and distributions for Prometheus (text format 0.0.4).
//
//   Counter requests("danlu_http_requests_total", "Answered requests.", {"route", "status"});
//   requests.add({"/v1/predict", "200"});
//   requests.render(text);
//
// Threads: every member may be called from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace danlu::serve {

class Counter {
 public:
  Counter(std::string name, std::string help, std::vector<std::string> label_names);
  // `labels` in the order of the names.
  void add(const std::vector<std::string_view>& labels, double amount = 1);
  void render(std::string& text) const;

 private:
  const std::string name_, help_;
  const std::vector<std::string> label_names_;
  mutable std::mutex mutex_;
  std::map<std::string, double> values_;  // by rendered labels
};

class Histogram {
 public:
  // `bounds` ascend; the bucket above the last is added.
  Histogram(std::string name, std::string help, std::vector<std::string> label_names, std::vector<double> bounds);
  void observe(const std::vector<std::string_view>& labels, double value);
  void render(std::string& text) const;

 private:
  struct Series {
    std::vector<int64_t> counts;
    double sum = 0;
  };
  const std::string name_, help_;
  const std::vector<std::string> label_names_;
  const std::vector<double> bounds_;
  mutable std::mutex mutex_;
  std::map<std::string, Series> series_;
};

// Values that are read when asked for; `type` is "gauge" or "counter".
void render_values(std::string& text, std::string_view name, std::string_view help, std::string_view type,
                   const std::vector<std::pair<std::string, double>>& values_by_labels);
void render_gauge(std::string& text, std::string_view name, std::string_view help,
                  const std::vector<std::pair<std::string, double>>& values_by_labels);

// `model="iris",class="a\"b"`: quotes, backslashes and line breaks of the values escaped.
std::string render_labels(const std::vector<std::string>& names, const std::vector<std::string_view>& values);

}  // namespace danlu::serve
