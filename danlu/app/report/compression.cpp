// Of a run that was made of another: both measured on the same samples.
#include "danlu/app/report/html.h"
#include "danlu/app/report/sections.h"
#include "danlu/base/format.h"

namespace danlu::app {
namespace {

std::string range_text(const Json& interval) {
  if (!interval.is_array() || interval.size() != 2 || !interval[0].is_number() || !interval[1].is_number()) return "";
  return fmt::format(" <span class=\"soft\">{} to {}</span>", number_text(interval[0].get<double>()), number_text(interval[1].get<double>()));
}

std::string times_text(double before, double after) { return fmt::format("{:.2f} times less", before / after); }

}  // namespace

std::string compression_section(const RunFiles& run) {
  const Json& c = run.compression;
  if (c.empty()) return "";
  HtmlTable table("lrrr");
  table.head({"", "before", "after", "change"});
  for (const auto& [name, m] : part(c, "metrics").items()) {
    table.add({escaped(name), number_text(number_at(m, "before")) + range_text(part(m, "before_interval")), number_text(number_at(m, "after")) + range_text(part(m, "after_interval")),
               number_text(number_at(m, "change")) + range_text(part(m, "change_interval"))});
  }
  const Json& bytes = part(c, "bytes");
  const double before = number_at(bytes, "before"), after = number_at(bytes, "after");
  table.add({"weights on disk", bytes_text(static_cast<int64_t>(before)), bytes_text(static_cast<int64_t>(after)), times_text(before, after)});
  for (const Json& l : part(c, "latency")) {
    const double slow = number_at(l, "before_ms"), fast = number_at(l, "after_ms");
    table.add({escaped("time of " + l.value("of", "")), seconds_text(slow / 1e3), seconds_text(fast / 1e3), times_text(slow, fast)});
  }
  const Json& verdict = part(c, "verdict");
  return section("Compression", fmt::format("<p>Made of {} by compression to {}: <span class=\"{}\">{}</span></p>\n<div class=\"scroll\">{}</div>\n", escaped(c.value("from", "")),
                                            escaped(c.value("to", "")), verdict.value("worth", false) ? "good" : "bad", escaped(verdict.value("text", "")), table.str()));
}

}  // namespace danlu::app
