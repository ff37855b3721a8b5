#include "danlu/app/profile/step_profile.h"

#include <algorithm>
#include <map>

#include "danlu/base/format.h"
#include "danlu/engine/ops/cost.h"

namespace danlu::app {
namespace {

std::string kind_name(ProfileEvent::Kind kind) {
  switch (kind) {
    case ProfileEvent::Kind::forward: return "forward";
    case ProfileEvent::Kind::backward: return "backward";
    case ProfileEvent::Kind::other: return "";
  }
  return "";
}

int64_t peak_bytes(const std::vector<ProfileEvent>& events) {
  int64_t peak = 0;
  for (const ProfileEvent& e : events) peak = std::max(peak, e.active_bytes);
  return peak;
}

}  // namespace

// Sums over all updates watched.
struct StepProfile::Row {
  std::string name, pass;
  int64_t calls = 0;
  double seconds = 0;
  Cost cost;
  int64_t peak_bytes = 0;
};

void StepProfile::updated() {
  if (finished_) return;
  if (profiler_) ++watched_;
  if (++seen_ == kFirst) profiler_ = std::make_unique<Profiler>();
  if (watched_ == kUpdates) finish();
}

void StepProfile::finish() {
  if (profiler_) {
    events_ = profiler_->events();
    seconds_ = events_.empty() ? 0 : events_.back().end_s;
  }
  profiler_.reset();
  finished_ = true;
}

template <class Key>
std::vector<StepProfile::Row> StepProfile::rows(const Key& key) const {
  std::map<std::pair<std::string, std::string>, Row> sums;
  for (const ProfileEvent& e : events_) {
    Row& row = sums[{key(e), kind_name(e.kind)}];
    row.name = key(e);
    row.pass = kind_name(e.kind);
    ++row.calls;
    row.seconds += e.end_s - e.begin_s;
    const Cost cost = cost_of(e);
    row.cost.flops += cost.flops;
    row.cost.bytes += cost.bytes;
    row.peak_bytes = std::max(row.peak_bytes, e.active_bytes);
  }
  std::vector<Row> sorted;
  for (auto& [name, row] : sums) sorted.push_back(std::move(row));
  std::ranges::sort(sorted, [](const Row& a, const Row& b) { return a.seconds > b.seconds; });
  return sorted;
}

double StepProfile::update_s() const { return watched_ > 0 ? seconds_ / watched_ : 0; }

std::string StepProfile::text() const {
  if (watched_ == 0) return fmt::format("no profile: expected more than {} updates in this session\n", kFirst);
  std::string page = fmt::format("{} updates of {:.0f} us; at most {:.1f} MB in tensors\n", watched_, 1e6 * update_s(),
                                 static_cast<double>(peak_bytes(events_)) / 1e6);
  const auto table = [&](const char* title, const std::vector<Row>& all) {
    page += fmt::format("\n{:<24}{:<10}{:>8}{:>12}{:>8}{:>12}{:>10}{:>10}\n", title, "", "calls", "us/update", "share", "GFLOP/s", "GB/s", "peak MB");
    for (const Row& r : all) {
      page += fmt::format("{:<24}{:<10}{:>8.0f}{:>12.1f}{:>7.1f}%{:>12.1f}{:>10.1f}{:>10.1f}\n", r.name, r.pass,
                          static_cast<double>(r.calls) / watched_, 1e6 * r.seconds / watched_, 100 * r.seconds / seconds_,
                          r.cost.flops / r.seconds / 1e9, r.cost.bytes / r.seconds / 1e9, static_cast<double>(r.peak_bytes) / 1e6);
    }
  };
  table("operation", rows([](const ProfileEvent& e) { return std::string(e.name); }));
  table("layer", rows([](const ProfileEvent& e) { return std::string(*e.layer != '\0' ? e.layer : "(none)"); }));
  return page;
}

Json StepProfile::json() const {
  const auto list = [&](const std::vector<Row>& all) {
    Json json = Json::array();
    for (const Row& r : all) {
      json.push_back({{"name", r.name},
                      {"pass", r.pass},
                      {"calls", static_cast<double>(r.calls) / watched_},
                      {"us", 1e6 * r.seconds / watched_},
                      {"flops", r.cost.flops / watched_},
                      {"bytes", r.cost.bytes / watched_},
                      {"peak_bytes", r.peak_bytes}});
    }
    return json;
  };
  return {{"updates", watched_},
          {"update_us", 1e6 * update_s()},
          {"peak_bytes", peak_bytes(events_)},
          {"operations", list(rows([](const ProfileEvent& e) { return std::string(e.name); }))},
          {"layers", list(rows([](const ProfileEvent& e) { return std::string(e.layer); }))}};
}

void StepProfile::write(const fs::path& directory) const {
  write_file_atomic(directory / "profile.txt", text());
  write_json(directory / "profile.json", json());
  Json events = Json::array();
  for (const ProfileEvent& e : events_) {
    const std::string layer = e.layer;
    events.push_back({{"name", e.name},
                      {"cat", e.kind == ProfileEvent::Kind::other ? "other" : kind_name(e.kind)},
                      {"ph", "X"},
                      {"pid", 1},
                      {"tid", 1},
                      {"ts", 1e6 * e.begin_s},
                      {"dur", 1e6 * (e.end_s - e.begin_s)},
                      {"args", {{"layer", layer}, {"output", e.output.str()}, {"flops", cost_of(e).flops}, {"active_bytes", e.active_bytes}}}});
  }
  write_json(directory / "trace.json", {{"traceEvents", events}, {"displayTimeUnit", "ms"}});
}

}  // namespace danlu::app
