#include "danlu/app/report/plot.h"

#include <algorithm>
#include <cmath>

#include "danlu/app/report/html.h"
#include "danlu/base/format.h"
#include "danlu/eval/curves.h"

namespace danlu::app {
namespace {

constexpr double kWidth = 440, kLeft = 46, kRight = 12, kTop = 10, kBottom = 38;
constexpr double kThinning = 0.3;    // pixels that a curve may be off
constexpr double kLogarithmic = 50;  // a larger factor between the ends of an axis

std::string tick_text(double value, double step) {
  const double size = std::max(std::abs(value), std::abs(step));
  if (size >= 1e6 || (step < 1e-4 && value != 0)) return fmt::format("{:.2g}", value);
  if (size >= 1e4) return fmt::format("{:g}k", value / 1000);
  const int decimals = std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 4);
  return fmt::format("{:.{}f}", value, decimals);
}

// One side of a plot: values to positions, and where its ticks are.
class Axis {
 public:
  Axis(Range range, double from, double to, bool may_be_log, bool whole = false) : range_(range), from_(from), to_(to), whole_(whole) {
    log_ = may_be_log && range.low > 0 && range.high / range.low > kLogarithmic;
    if (range_.low == range_.high) range_ = {range_.low - 0.5, range_.high + 0.5};
  }

  double at(double value) const {
    const double part = log_ ? std::log(value / range_.low) / std::log(range_.high / range_.low) : (value - range_.low) / (range_.high - range_.low);
    return from_ + part * (to_ - from_);
  }

  std::vector<std::pair<double, std::string>> ticks(int most) const { return log_ ? log_ticks(most) : linear_ticks(most); }

 private:
  std::vector<std::pair<double, std::string>> linear_ticks(int most) const {
    const double rough = (range_.high - range_.low) / most, power = std::pow(10, std::floor(std::log10(rough)));
    double step = 10 * power;
    for (const double factor : {5.0, 2.5, 2.0, 1.0}) {
      if (factor * power >= rough && !(whole_ && factor * power != std::round(factor * power))) step = factor * power;
    }
    if (whole_) step = std::max(step, 1.0);
    std::vector<std::pair<double, std::string>> all;
    const double label_step = step / power == 2.5 ? step / 5 : step;  // 0.25 needs two decimals
    for (double i = std::ceil(range_.low / step - 1e-9); i * step <= range_.high + 1e-9 * step; ++i) {
      all.emplace_back(i * step, tick_text(i * step == 0 ? 0 : i * step, label_step));
    }
    return all;
  }

  std::vector<std::pair<double, std::string>> log_ticks(int most) const {
    const double decades = std::log10(range_.high / range_.low);
    std::vector<std::pair<double, std::string>> all;
    for (double power = std::pow(10, std::floor(std::log10(range_.low))); power <= range_.high; power *= 10) {
      for (const double factor : {1.0, 2.0, 5.0}) {
        if (factor > 1 && 3 * decades > most + 1) continue;
        const double value = factor * power;
        if (value >= range_.low * 0.999 && value <= range_.high * 1.001) all.emplace_back(value, fmt::format("{:g}", value));
      }
    }
    return all;
  }

  Range range_;
  double from_, to_;
  bool log_ = false, whole_ = false;
};

Range extent(const std::vector<Series>& series, std::vector<double> Series::* values) {
  Range range{HUGE_VAL, -HUGE_VAL};
  for (const Series& s : series) {
    for (size_t i = 0; i < s.x.size(); ++i) {
      if (!std::isfinite(s.x[i]) || !std::isfinite(s.y[i])) continue;
      range.low = std::min(range.low, (s.*values)[i]);
      range.high = std::max(range.high, (s.*values)[i]);
    }
  }
  return range;
}

// A little air above and below, and down to 0 where that is near.
Range widened(Range range) {
  if (range.low > 0 && range.high / range.low > kLogarithmic) return {range.low / 1.2, range.high * 1.2};
  const double air = 0.06 * (range.high - range.low);
  if (range.low >= 0 && range.low < 0.35 * range.high) return {0, range.high + air};
  return {range.low - air, range.high + air};
}

std::string colour(int index) { return fmt::format("var(--c{})", index % 10); }

// Curves between points that are not finite.
std::vector<std::pair<size_t, size_t>> pieces(const Series& s) {
  std::vector<std::pair<size_t, size_t>> all;
  for (size_t i = 0; i < s.x.size();) {
    size_t end = i;
    while (end < s.x.size() && std::isfinite(s.x[end]) && std::isfinite(s.y[end])) ++end;
    if (end > i) all.emplace_back(i, end);
    i = end + 1;
  }
  return all;
}

class Drawing {
 public:
  explicit Drawing(const Plot& plot)
      : plot_(plot),
        height_(plot.square ? 400 : 264),
        x_(plot.x_range ? *plot.x_range : extent(plot.series, &Series::x), kLeft, kWidth - kRight, false, plot.whole_x),
        y_(plot.y_range ? *plot.y_range : widened(extent(plot.series, &Series::y)), height_ - kBottom, kTop, !plot.y_range) {}

  std::string str() const {
    std::string svg = fmt::format("<svg class=\"plot\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\" data-xlabel=\"{}\" data-ylabel=\"{}\">\n",
                                  kWidth, height_, escaped(plot_.title), escaped(plot_.x_label), escaped(plot_.y_label));
    // What the pointer is on where there is nothing else.
    svg += fmt::format("<rect width=\"{}\" height=\"{}\" fill=\"transparent\"/>\n", kWidth, height_);
    svg += axes() + bars() + whiskers();
    for (const Series& s : plot_.series) svg += s.points ? points(s) : line(s);
    return svg + mark() + "</svg>\n";
  }

 private:
  std::string axes() const {
    const double foot = height_ - kBottom;
    std::string svg;
    for (const auto& [value, text] : y_.ticks(5)) {
      svg += fmt::format("<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/><text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", kLeft,
                         kWidth - kRight, y_.at(value), y_.at(value), kLeft - 7, y_.at(value) + 4, text);
    }
    for (const auto& [value, text] : x_.ticks(6)) {
      svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", x_.at(value), foot + 16, text);
    }
    svg += fmt::format("<line class=\"axis\" x1=\"{}\" x2=\"{}\" y1=\"{}\" y2=\"{}\"/>\n", kLeft, kWidth - kRight, foot, foot);
    svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n", kWidth - kRight, foot + 32, escaped(plot_.x_label));
    // Where the title does not say what goes upwards.
    if (plot_.square) {
      svg += fmt::format("<text text-anchor=\"end\" transform=\"translate(10 {}) rotate(-90)\">{}</text>\n", kTop, escaped(plot_.y_label));
    }
    if (plot_.diagonal) {
      svg += fmt::format("<line class=\"diagonal\" x1=\"{}\" x2=\"{}\" y1=\"{}\" y2=\"{}\"/>\n", kLeft, kWidth - kRight, foot, kTop);
    }
    return svg;
  }

  std::string bars() const {
    if (plot_.bars.empty()) return "";
    const double foot = height_ - kBottom, most = 0.22 * (foot - kTop);
    std::string svg = "<g class=\"bars\">";
    for (const Plot::Bar& bar : plot_.bars) {
      const double left = x_.at(bar.low) + 1, width = x_.at(bar.high) - x_.at(bar.low) - 2;
      svg += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>", left, foot - bar.share * most, width, bar.share * most);
    }
    return svg + "</g>\n";
  }

  std::string whiskers() const {
    std::string svg;
    for (const Plot::Whisker& w : plot_.whiskers) {
      svg += fmt::format("<line class=\"whisker\" style=\"stroke:{}\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>\n", colour(w.colour), x_.at(w.x), x_.at(w.x), y_.at(w.low), y_.at(w.high));
    }
    return svg;
  }

  // The line, which the script asks for values.
  std::string polyline(const Series& s, const char* kind, size_t begin, size_t end, bool thin) const {
    std::vector<double> px, py;
    for (size_t i = begin; i < end; ++i) px.push_back(x_.at(s.x[i])), py.push_back(y_.at(s.y[i]));
    std::vector<size_t> kept;
    if (thin && px.size() > 100) kept = eval::simplify(px, py, kThinning);
    else for (size_t i = 0; i < px.size(); ++i) kept.push_back(i);
    std::string at, xs, ys;
    for (const size_t i : kept) {
      at += fmt::format("{:.1f},{:.1f} ", px[i], py[i]);
      xs += fmt::format("{:.6g} ", s.x[begin + i]);
      ys += fmt::format("{:.5g} ", s.y[begin + i]);
    }
    return fmt::format("<polyline class=\"{}\" style=\"stroke:{}\" points=\"{}\" data-name=\"{}\" data-colour=\"{}\" data-x=\"{}\" data-y=\"{}\"/>\n", kind,
                       colour(s.colour), at, escaped(s.name), colour(s.colour), xs, ys);
  }

  std::string line(const Series& s) const {
    std::string svg;
    for (const auto& [begin, end] : pieces(s)) {
      svg += end - begin == 1 ? points(s, begin, end) : polyline(s, s.faint ? "line faint" : "line", begin, end, true);
    }
    return svg;
  }

  std::string points(const Series& s) const {
    std::string svg;
    for (const auto& [begin, end] : pieces(s)) svg += points(s, begin, end);
    return svg;
  }
  std::string points(const Series& s, size_t begin, size_t end) const {
    std::string path;
    for (size_t i = begin; i < end; ++i) path += fmt::format("M{:.1f} {:.1f}h0", x_.at(s.x[i]), y_.at(s.y[i]));
    const double opacity = end - begin > 200 ? 0.35 : 0.9;
    std::string svg = fmt::format("<path class=\"points\" style=\"stroke:{};opacity:{}\" d=\"{}\"/>\n", colour(s.colour), opacity, path);
    return svg + fmt::format("<g visibility=\"hidden\">{}</g>\n", polyline(s, "unseen", begin, end, false));
  }

  std::string mark() const {
    if (!plot_.mark) return "";
    const double x = x_.at(plot_.mark->x), y = y_.at(plot_.mark->y);
    const bool left = x > 0.7 * kWidth, low = y > 0.75 * height_;
    return fmt::format("<circle class=\"mark\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4.5\" style=\"stroke:{}\"/><text class=\"marked\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n",
                       x, y, colour(plot_.mark->colour), x + (left ? -2 : 2), y + (low ? -11 : 19), left ? "end" : "start", escaped(plot_.mark->text));
  }

  const Plot& plot_;
  double height_;
  Axis x_, y_;
};

std::string shortened(const std::string& text, size_t most) {
  size_t characters = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    if (begins && ++characters == most && i + 1 < text.size()) return text.substr(0, i) + "…";
  }
  return text;
}

}  // namespace

std::string draw(const Plot& plot) {
  Range x = extent(plot.series, &Series::x);
  if (x.low > x.high) return "";
  std::string key;
  if (plot.series.front().name != plot.series.back().name) {
    for (const Series& s : plot.series) key += s.faint ? "" : fmt::format("<span class=\"key\"><i style=\"background:{}\"></i>{}</span>", colour(s.colour), escaped(s.name));
  }
  return fmt::format("<figure><figcaption>{}{}</figcaption>\n{}</figure>\n", escaped(plot.title), key, Drawing(plot).str());
}

std::string draw_confusion(std::span<const std::string> names, const std::vector<std::vector<int64_t>>& counts) {
  constexpr size_t kWithCounts = 12, kWithNames = 30;
  const size_t n = names.size();
  const bool named = n <= kWithNames, counted = n <= kWithCounts;
  const double left = named ? 98 : 24, foot = named ? (n > 4 ? 92 : 40) : 24;
  const double cell = (kWidth - left - 6) / static_cast<double>(n), height = n <= 3 ? std::min(cell, 300.0 / static_cast<double>(n)) : cell;
  const double bottom = 6 + height * static_cast<double>(n);
  std::string svg = fmt::format("<svg viewBox=\"0 0 {} {:.1f}\" role=\"img\" aria-label=\"confusion matrix\">\n", kWidth, bottom + foot);
  for (size_t row = 0; row < n; ++row) {
    int64_t total = 0;
    for (const int64_t count : counts[row]) total += count;
    const double y = 6 + height * static_cast<double>(row);
    if (named) svg += fmt::format("<text class=\"name\" x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", left - 8, y + height / 2 + 4, escaped(shortened(names[row], 14)));
    for (size_t column = 0; column < n; ++column) {
      const int64_t count = counts[row][column];
      const double share = total == 0 ? 0 : static_cast<double>(count) / static_cast<double>(total), x = left + cell * static_cast<double>(column);
      // The root makes a few mistakes visible among many hits.
      const double strength = count == 0 ? 0.035 : 0.08 + 0.87 * std::sqrt(share);
      svg += fmt::format("<rect class=\"cell {}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"3\" fill-opacity=\"{:.2f}\" data-tip=\"{} of {} {} ({})&#10;called {}\"/>",
                         row == column ? "right" : "wrong", x, y, cell, height, strength, count_text(count), count_text(total), escaped(names[row]), percent_text(share),
                         escaped(names[column]));
      if (counted && (count > 0 || n <= 3)) {
        svg += fmt::format("<text class=\"count{}\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>", strength > 0.6 ? " on" : "", x + cell / 2, y + height / 2 + 4, count);
      }
      svg += "\n";
    }
  }
  for (size_t column = 0; named && column < n; ++column) {
    const double x = left + cell * (static_cast<double>(column) + 0.5);
    const std::string name = escaped(shortened(names[column], 14));
    svg += n <= 4 ? fmt::format("<text class=\"name\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n", x, bottom + 16, name)
                  : fmt::format("<text class=\"name\" text-anchor=\"end\" transform=\"translate({:.1f} {:.1f}) rotate(-50)\">{}</text>\n", x + 5, bottom + 13, name);
  }
  svg += fmt::format("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">predicted &#8594;</text>\n", kWidth - 6, bottom + foot - 5);
  svg += fmt::format("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">actual &#8593;</text></svg>\n", left - 8, bottom + 16);
  return fmt::format("<figure><figcaption>Confusion matrix<span class=\"key\"><i style=\"background:var(--c0)\"></i>right</span><span class=\"key\">"
                     "<i style=\"background:var(--c1)\"></i>wrong</span></figcaption>\n{}</figure>\n", svg);
}

std::string draw_interval(double value, Range interval, Range scale, int index) {
  if (!std::isfinite(value) || !std::isfinite(interval.low) || scale.low >= scale.high) return "";
  const auto at = [&](double v) { return 4 + 112 * std::clamp((v - scale.low) / (scale.high - scale.low), 0.0, 1.0); };
  return fmt::format("<svg class=\"interval\" viewBox=\"0 0 120 12\" aria-hidden=\"true\"><line class=\"grid\" x1=\"4\" x2=\"116\" y1=\"6\" y2=\"6\"/>"
                     "<line class=\"reach\" style=\"stroke:{0}\" x1=\"{1:.1f}\" x2=\"{2:.1f}\" y1=\"6\" y2=\"6\"/>"
                     "<circle style=\"fill:{0}\" cx=\"{3:.1f}\" cy=\"6\" r=\"3.2\"/></svg>",
                     colour(index), at(interval.low), at(interval.high), at(value));
}

}  // namespace danlu::app
