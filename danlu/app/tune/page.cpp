// tune.html: what was tried as parallel coordinates, the best so far, what matters, and the table. Drawn here as SVG; a few lines of
// script light up the same trial everywhere. Nothing is loaded from anywhere.
#include <algorithm>
#include <cmath>
#include <limits>

#include "danlu/app/tune/results.h"
#include "danlu/base/eta.h"
#include "danlu/base/format.h"
#include "danlu/eval/text_table.h"

namespace danlu::app {
namespace {

constexpr double kWidth = 960, kTop = 34, kBottom = 26, kSide = 70;

constexpr const char* kStyle = R"(
:root { color-scheme: light dark; --ground: #fff; --ink: #1c1f24; --soft: #68707c; --rule: #d9dde3; --line: #2563c9; --best: #c2410c }
@media (prefers-color-scheme: dark) { :root { --ground: #15181d; --ink: #e6e8eb; --soft: #98a1ad; --rule: #343a43; --line: #7aa8f5; --best: #fb923c } }
body { background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin-bottom: 0 } h2 { font-size: 1.05rem; margin: 2rem 0 .4rem } p { color: var(--soft); margin: .2rem 0 }
code { font-size: .9em; overflow-wrap: anywhere } svg { width: 100%; height: auto; display: block }
svg text { font: 11px system-ui, sans-serif; fill: var(--soft); paint-order: stroke; stroke: var(--ground); stroke-width: 3px; pointer-events: none } svg text.name { fill: var(--ink); font-weight: 600 }
.axis { stroke: var(--rule) } .trial { fill: none; stroke: var(--line); stroke-width: 1.5 } .dot { fill: var(--line); stroke: none }
.failed { stroke-dasharray: 3 4 } .sofar { fill: none; stroke: var(--best); stroke-width: 2 } .is-best { stroke: var(--best); stroke-width: 3; opacity: 1 !important }
.dot.is-best { fill: var(--best); stroke: none } .bar { fill: var(--line) } [data-trial] { cursor: default }
body.picks [data-trial]:not(.on) { opacity: .08 !important } .trial.on { stroke-width: 3.5; opacity: 1 !important } .dot.on { opacity: 1 !important }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; display: block; overflow-x: auto }
th, td { text-align: left; padding: .2rem .7rem .2rem 0; border-bottom: 1px solid var(--rule); white-space: nowrap } td.num { text-align: right }
tr.on { background: color-mix(in srgb, var(--line) 18%, transparent) } body.picks tr[data-trial]:not(.on) { opacity: .4 !important })";

constexpr const char* kScript = R"(
const pick = n => { document.body.classList.toggle('picks', n !== null);
  for (const e of document.querySelectorAll('[data-trial]')) e.classList.toggle('on', e.dataset.trial === n); };
addEventListener('mouseover', e => { const t = e.target.closest('[data-trial]'); pick(t ? t.dataset.trial : null); });)";

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : eval::display_text(text)) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      default: result += c;
    }
  }
  return result;
}

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : to_line(value); }

std::string shortened(const std::string& text, size_t most) { return text.size() <= most ? text : text.substr(0, most - 2) + ".."; }

std::string short_key(const Json& parameter) {
  const std::string key = parameter["key"].get<std::string>();
  return key.substr(key.rfind('.') + 1);
}

// The trials with what the plots need of each.
struct Shown {
  const Json* json = nullptr;
  int64_t number = 0;
  bool best = false, failed = false;
  double value = 0;    // NaN where there is none
  double opacity = 1;  // by rank: the better, the clearer
};

class Page {
 public:
  explicit Page(const Json& results) : results_(results), maximize_(results["direction"] == "maximize") {
    const int64_t best = results["best"].is_null() ? 0 : results["best"]["trial"].get<int64_t>();
    for (const Json& trial : results["trials"]) {
      Shown s;
      s.json = &trial;
      s.number = trial["trial"].get<int64_t>();
      s.best = s.number == best;
      s.failed = trial["state"] == "failed";
      s.value = trial["value"].is_number() && !s.failed ? trial["value"].get<double>() : std::numeric_limits<double>::quiet_NaN();
      trials_.push_back(s);
    }
    rank();
  }

  std::string str() const {
    std::string page = fmt::format("<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n"
                                   "<title>{0}: search</title>\n<style>{1}</style>\n<h1>{0}</h1>\n{2}",
                                   escaped(results_["name"].get<std::string>()), kStyle, summary());
    if (!order_.empty()) {
      page += fmt::format("<h2>What was tried</h2>\n{}<h2>The best so far</h2>\n{}<h2>What matters</h2>\n"
                          "<p>The part of the variance of the ranks that a key explains by itself; what keys do together is not seen.</p>\n{}",
                          parallel(), history(), importance());
    }
    return page + "<h2>Trials</h2>\n" + table() + fmt::format("<script>{}</script>\n</html>\n", kScript);
  }

 private:
  double cost(double value) const { return maximize_ ? -value : value; }

  void rank() {
    for (size_t i = 0; i < trials_.size(); ++i) {
      if (!std::isnan(trials_[i].value)) order_.push_back(i);
    }
    std::stable_sort(order_.begin(), order_.end(), [&](size_t a, size_t b) { return cost(trials_[a].value) < cost(trials_[b].value); });
    for (size_t r = 0; r < order_.size(); ++r) trials_[order_[r]].opacity = 0.95 - 0.75 * static_cast<double>(r) / static_cast<double>(order_.size());
    if (order_.empty()) return;
    // The worst tenth may be far away; it is drawn at the edge, so that the others can be told apart.
    best_value_ = trials_[order_.front()].value;
    worst_value_ = trials_[order_[(9 * order_.size() + 9) / 10 - 1]].value;
  }

  // 0 for the worst that is shown, 1 for the best.
  double height(double value) const {
    if (best_value_ == worst_value_) return 1;
    return std::clamp((value - worst_value_) / (best_value_ - worst_value_), 0.0, 1.0);
  }

  std::string summary() const {
    const Json& best = results_["best"];
    std::string text = fmt::format("<p>{} trials by {}, to {} the {}</p>\n", trials_.size(), results_["method"].get<std::string>(),
                                   results_["direction"].get<std::string>(), results_["metric"].get<std::string>());
    if (best.is_null()) return text;
    text += fmt::format("<p>best: trial {}, {:.5g} with <code>{}</code></p>\n", best["trial"].get<int64_t>(), best["value"].get<double>(), escaped(as_overrides(best["params"])));
    if (!best.contains("test")) return text;
    std::string test;
    for (const auto& [name, metric] : best["test"].items()) {
      if (!metric.is_object() || !metric.contains("value") || !metric["value"].is_number()) continue;
      test += fmt::format("{}{} {:.4f}", test.empty() ? "" : ", ", escaped(name), metric["value"].get<double>());
    }
    return test.empty() ? text : text + fmt::format("<p>the winner on the test split: {}</p>\n", test);
  }

  static double unit(const Json& parameter, const Json& value) {
    if (parameter["kind"] == "choice") {
      const auto n = static_cast<double>(parameter["choices"].size());
      const auto at = static_cast<double>(std::find(parameter["choices"].begin(), parameter["choices"].end(), value) - parameter["choices"].begin());
      return n == 1 ? 0.5 : at / (n - 1);
    }
    const bool log = parameter["log"].get<bool>();
    const auto scaled = [log](const Json& number) { return log ? std::log(number.get<double>()) : number.get<double>(); };
    return (scaled(value) - scaled(parameter["low"])) / (scaled(parameter["high"]) - scaled(parameter["low"]));
  }

  static std::vector<std::pair<double, std::string>> ticks(const Json& parameter) {
    std::vector<std::pair<double, std::string>> all;
    if (parameter["kind"] == "choice") {
      for (const Json& choice : parameter["choices"]) all.emplace_back(unit(parameter, choice), shortened(text_of(choice), 18));
      return all;
    }
    const double low = parameter["low"].get<double>(), high = parameter["high"].get<double>();
    for (int i = 0; i <= 4; ++i) {
      const double part = i / 4.0;
      const double value = parameter["log"].get<bool>() ? std::exp(std::log(low) + part * (std::log(high) - std::log(low))) : low + part * (high - low);
      all.emplace_back(part, fmt::format("{:.3g}", value));
    }
    return all;
  }

  std::vector<std::pair<double, std::string>> value_ticks() const {
    std::vector<std::pair<double, std::string>> all;
    for (int i = 0; i <= 4; ++i) all.emplace_back(i / 4.0, fmt::format("{:.4g}", worst_value_ + i / 4.0 * (best_value_ - worst_value_)));
    if (!order_.empty() && trials_[order_.back()].value != worst_value_) all.front().second = (maximize_ ? "\u2264 " : "\u2265 ") + all.front().second;
    return all;
  }

  static std::string axis(double x, double plot_height, const std::string& name, const std::vector<std::pair<double, std::string>>& marks) {
    std::string svg = fmt::format("<line class=\"axis\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/><text class=\"name\" x=\"{0:.1f}\" y=\"16\" text-anchor=\"middle\">{3}</text>\n",
                                  x, kTop, kTop + plot_height, escaped(name));
    for (const auto& [u, text] : marks) {
      svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", x + 5, kTop + (1 - u) * plot_height + 4, escaped(text));
    }
    return svg;
  }

  static std::string marks(const Shown& s, const char* kind) {
    return fmt::format("class=\"{}{}{}\" data-trial=\"{}\" style=\"opacity:{:.2f}\"", kind, s.best ? " is-best" : "", s.failed ? " failed" : "", s.number, s.opacity);
  }

  std::string title(const Shown& s) const {
    const std::string value = std::isnan(s.value) ? (*s.json)["state"].get<std::string>() : fmt::format("{:.5g}", s.value);
    return fmt::format("<title>trial {}: {}  {}</title>", s.number, value, escaped(as_overrides((*s.json)["params"])));
  }

  std::string parallel() const {
    constexpr double kHeight = 300;
    const Json& space = results_["space"];
    const double step = (kWidth - 2 * kSide) / static_cast<double>(space.size());
    std::string svg = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"parallel coordinates of the trials\">\n", kWidth, kTop + kHeight + kBottom);
    // The better ones lie on top.
    std::vector<size_t> painted;
    for (size_t i = 0; i < trials_.size(); ++i) {
      if (trials_[i].failed) painted.push_back(i);
    }
    painted.insert(painted.end(), order_.rbegin(), order_.rend());
    for (const size_t i : painted) {
      const Shown& s = trials_[i];
      std::string points;
      double x = kSide;
      for (const Json& parameter : space) {
        points += fmt::format("{:.1f},{:.1f} ", x, kTop + (1 - unit(parameter, (*s.json)["params"][parameter["key"].get<std::string>()])) * kHeight);
        x += step;
      }
      if (!s.failed) points += fmt::format("{:.1f},{:.1f}", x, kTop + (1 - height(s.value)) * kHeight);
      svg += fmt::format("<polyline {} points=\"{}\">{}</polyline>\n", marks(s, "trial"), points, title(s));
    }
    double x = kSide;
    for (const Json& parameter : space) {
      svg += axis(x, kHeight, shortened(short_key(parameter), 20), ticks(parameter));
      x += step;
    }
    return svg + axis(x, kHeight, results_["metric"].get<std::string>(), value_ticks()) + "</svg>\n";
  }

  std::string history() const {
    constexpr double kHeight = 200;
    const double step = (kWidth - 2 * kSide) / std::max<double>(static_cast<double>(trials_.size()) - 1, 1);
    std::string svg = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"best value so far\">\n", kWidth, kTop + kHeight + kBottom);
    std::string line, dots;
    double so_far = std::numeric_limits<double>::quiet_NaN();
    for (size_t i = 0; i < trials_.size(); ++i) {
      const Shown& s = trials_[i];
      const double x = kSide + static_cast<double>(i) * step;
      if (std::isnan(s.value)) continue;
      const bool better = std::isnan(so_far) || cost(s.value) < cost(so_far);
      if (!std::isnan(so_far)) line += fmt::format("{:.1f},{:.1f} ", x, kTop + (1 - height(so_far)) * kHeight);
      if (better) {
        so_far = s.value;
        line += fmt::format("{:.1f},{:.1f} ", x, kTop + (1 - height(so_far)) * kHeight);
      }
      dots += fmt::format("<circle {} cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\">{}</circle>\n", marks(s, "dot"), x, kTop + (1 - height(s.value)) * kHeight, s.best ? 5 : 3.5, title(s));
    }
    svg += fmt::format("<polyline class=\"sofar\" points=\"{}\"/>\n{}", line, dots);
    svg += axis(kSide - 55, kHeight, "", value_ticks());
    return svg + fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">trials 1 to {}</text></svg>\n", kWidth / 2, kTop + kHeight + 20, trials_.size());
  }

  std::string importance() const {
    constexpr double kRow = 22, kLabel = 240;
    std::vector<std::pair<double, std::string>> parts;
    for (const auto& [key, part] : results_["importance"].items()) parts.emplace_back(part.get<double>(), key);
    std::stable_sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    std::string svg = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"importance of the keys\">\n", kWidth, kRow * static_cast<double>(parts.size()));
    double y = 0;
    for (const auto& [part, key] : parts) {
      const double length = part * (kWidth - kLabel - 60);
      svg += fmt::format("<text class=\"name\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text><rect class=\"bar\" x=\"{}\" y=\"{}\" width=\"{:.1f}\" height=\"14\" rx=\"2\"/>"
                         "<text x=\"{:.1f}\" y=\"{}\">{:.2f}</text>\n",
                         kLabel - 10, y + 14, escaped(shortened(key, 40)), kLabel, y + 3, length, kLabel + length + 6, y + 14, part);
      y += kRow;
    }
    return svg + "</svg>\n";
  }

  std::string table() const {
    std::string html = fmt::format("<table><thead><tr><th>trial<th>{}<th>state", escaped(results_["metric"].get<std::string>()));
    for (const Json& parameter : results_["space"]) html += fmt::format("<th title=\"{}\">{}", escaped(parameter["key"].get<std::string>()), escaped(short_key(parameter)));
    html += "<th>epochs<th>time</tr></thead>\n";
    std::vector<size_t> rows = order_;
    for (size_t i = 0; i < trials_.size(); ++i) {
      if (std::isnan(trials_[i].value)) rows.push_back(i);
    }
    for (const size_t i : rows) {
      const Shown& s = trials_[i];
      const Json& t = *s.json;
      html += fmt::format("<tr data-trial=\"{0}\"><td class=\"num\">{0}<td class=\"num\">{1}<td>{2}", s.number, std::isnan(s.value) ? "" : fmt::format("{:.5g}", s.value),
                          escaped(t["state"].get<std::string>()) + (t.contains("error") ? ": " + escaped(shortened(t["error"].get<std::string>(), 60)) : ""));
      for (const Json& parameter : results_["space"]) html += "<td>" + escaped(text_of(t["params"][parameter["key"].get<std::string>()]));
      html += fmt::format("<td class=\"num\">{}<td>{}</tr>\n", t.contains("epochs") ? fmt::format("{:.4g}", t["epochs"].get<double>()) : "", format_duration(t["seconds"].get<double>()));
    }
    return html + "</table>\n";
  }

  const Json& results_;
  bool maximize_;
  std::vector<Shown> trials_;
  std::vector<size_t> order_;  // those with a value, the best first
  double best_value_ = 0, worst_value_ = 0;
};

}  // namespace

std::string tune_page(const Json& results) { return Page(results).str(); }

}  // namespace danlu::app
