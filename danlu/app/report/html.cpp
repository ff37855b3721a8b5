#include "danlu/app/report/html.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "danlu/base/eta.h"
#include "danlu/base/format.h"
#include "danlu/base/utf8.h"

namespace danlu::app {

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : replace_invalid_utf8(text)) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      case '\'': result += "&#39;"; break;
      case '\n':
      case '\t': result += c; break;
      default: result += static_cast<unsigned char>(c) < 32 || c == 127 ? '?' : c;
    }
  }
  return result;
}

std::string count_text(int64_t value) {
  std::string digits = std::to_string(value);
  for (auto at = static_cast<int64_t>(digits.size()) - 3; at > (value < 0 ? 1 : 0); at -= 3) digits.insert(static_cast<size_t>(at), ",");
  return digits;
}

std::string number_text(double value) {
  if (std::isnan(value)) return "undefined";
  const double size = std::abs(value);
  if (size >= 1e7 || (size != 0 && size < 1e-4)) return fmt::format("{:.3g}", value);
  if (size >= 1000) return count_text(std::llround(value));
  if (size >= 100) return fmt::format("{:.1f}", value);
  return size >= 10 ? fmt::format("{:.2f}", value) : fmt::format("{:.4f}", value);
}

std::string percent_text(double value) { return std::isnan(value) ? "undefined" : fmt::format("{:.1f} %", 100 * value); }

std::string bytes_text(int64_t bytes) {
  auto size = static_cast<double>(bytes);
  const char* const units[] = {"bytes", "kB", "MB", "GB", "TB"};
  size_t unit = 0;
  for (; size >= 1000 && unit < 4; ++unit) size /= 1000;
  return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.3g} {}", size, units[unit]);
}

std::string seconds_text(double seconds) {
  if (seconds < 1e-4) return fmt::format("{:.3g} µs", 1e6 * seconds);
  if (seconds < 1) return fmt::format("{:.3g} ms", 1e3 * seconds);
  return seconds < 60 ? fmt::format("{:.1f} s", seconds) : format_duration(seconds);
}

std::string time_text(const std::string& utc) {
  constexpr const char* kMonths[] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};
  int year = 0, month = 0, day = 0, hour = 0, minute = 0;
  if (std::sscanf(utc.c_str(), "%4d-%2d-%2dT%2d:%2d", &year, &month, &day, &hour, &minute) != 5 || month < 1 || month > 12) return utc;
  return fmt::format("{} {} {}, {:02}:{:02} UTC", day, kMonths[month - 1], year, hour, minute);
}

std::string word_text(const Json& value) {
  if (value.is_null()) return "-";
  return value.is_string() ? value.get<std::string>() : to_line(value);
}

std::string HtmlTable::row(const std::vector<std::string>& cells, const char* tag) const {
  std::string html = "<tr>";
  for (size_t i = 0; i < cells.size(); ++i) {
    const char kind = columns_[std::min(i, columns_.size() - 1)];
    html += fmt::format("<{}{}>{}</{}>", tag, kind == 'l' ? std::string() : fmt::format(" class=\"{}\"", kind), cells[i], tag);
  }
  return html + "</tr>\n";
}

std::string HtmlTable::str() const {
  return fmt::format("<div class=\"scroll\"><table>{}<tbody>\n{}</tbody></table></div>\n",
                     head_.empty() ? "" : "<thead>" + head_ + "</thead>", rows_);
}

std::string section(std::string_view title, const std::string& body) {
  return body.empty() ? "" : fmt::format("<section>\n<h2>{}</h2>\n{}</section>\n", title, body);
}

std::string figures(const std::string& body) { return body.empty() ? "" : fmt::format("<div class=\"figures\">\n{}</div>\n", body); }

std::string details(std::string_view summary, const std::string& body) {
  return fmt::format("<details><summary>{}</summary>\n{}</details>\n", summary, body);
}

}  // namespace danlu::app
