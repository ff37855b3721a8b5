// Of groups that nobody named: how many samples each has, and what tells it apart.
#include <algorithm>

#include "danlu/app/report/html.h"
#include "danlu/app/report/sections.h"
#include "danlu/base/format.h"

namespace danlu::app {
namespace {

// What a cluster is like, in a cell: its centre as an image, or the columns that tell it apart.
std::string likeness(const Json& cluster) {
  const std::string image = cluster.value("image", "");
  if (!image.empty()) return fmt::format("<img alt=\"the centre\" width=\"84\" src=\"data:image/png;base64,{}\">", escaped(image));
  std::string html;
  for (const Json& column : part(cluster, "columns")) {
    html += fmt::format("{}{} <b>{}</b>", html.empty() ? "" : "<br>", escaped(column.value("column", "")), escaped(column.value("value", "")));
  }
  return html;
}

}  // namespace

std::string cluster_section(const RunFiles& run) {
  const Json& clusters = part(run.quality, "clusters");
  if (clusters.empty()) return "";
  int64_t train = 0, test = 0;
  for (const Json& c : clusters) train += c.value("train", int64_t{0}), test += c.value("test", int64_t{0});
  HtmlTable table("lrrl");
  table.head({"cluster", "of training", "of test", "its centre"});
  const auto share = [](int64_t count, int64_t all) { return percent_text(static_cast<double>(count) / static_cast<double>(std::max<int64_t>(all, 1))); };
  for (const Json& c : clusters) {
    table.add({escaped(c.value("name", "")), share(c.value("train", int64_t{0}), train), share(c.value("test", int64_t{0}), test), likeness(c)});
  }
  return section("Clusters", "<div class=\"scroll\">" + table.str() + "</div>\n<p class=\"note\">Of a table, the columns in which a centre is furthest from the mean of all, furthest first. "
                             "Stability: how far centres of two halves of the training split divide the test split alike; 1 wholly, 0 as by chance.</p>\n");
}

}  // namespace danlu::app
