// Of a recommender: what it finds beside what is met most often by all, and what it recommends to whom.
#include <cmath>

#include "danlu/app/recipe/interval_name.h"
#include "danlu/app/report/html.h"
#include "danlu/app/report/sections.h"
#include "danlu/base/format.h"

namespace danlu::app {
namespace {

std::string name_of(const Json& item) {
  const std::string title = item.value("title", "");
  return escaped(title.empty() ? item.value("item", "") : title);
}

std::string comparison(const RunFiles& run) {
  const Json& popularity = part(part(part(run.quality, "baselines"), "popularity"), "metrics");
  if (popularity.empty()) return "";
  const Json& strangers = part(part(run.quality, "strangers"), "metrics");
  HtmlTable table("lrrr");
  table.head({"measure", "this model", "popularity", "as strangers"});
  for (const Measure& m : measures(run)) {
    table.add({escaped(m.name), escaped(number_text(m.value)), number_text(number_at(part(popularity, m.key.c_str()), "value")), number_text(number_at(part(strangers, m.key.c_str()), "value"))});
  }
  const Json& gain = part(part(part(run.quality, "baselines"), "popularity"), "gain");
  const Json& interval = part(gain, "interval");
  std::string note = fmt::format("<p class=\"note\">What each user met last, ranked among all that it had not met. Popularity recommends to everybody what is met most often. As strangers: the same "
                                 "users, of whom nothing is known but the items that they met. {} of the items to be found are in no training row and count as missed.</p>\n",
                                 count_text(run.quality.value("unlearnt", int64_t{0})));
  if (interval.size() == 2 && interval[0].is_number() && interval[1].is_number()) {
    note = fmt::format("<p>{} over popularity, {} {} to {}.</p>\n", number_text(number_at(gain, "difference")), interval_name(run.quality), number_text(interval[0].get<double>()),
                       number_text(interval[1].get<double>())) + note;
  }
  return "<h3>Beside popularity</h3>\n" + table.str() + note;
}

std::string who_got_what(const RunFiles& run) {
  HtmlTable table("nlll");
  table.head({"user", "met last", "recommended", "chosen then"});
  for (const Json& e : part(run.quality, "recommendations")) {
    std::string met, recommended;
    for (const Json& item : part(e, "met")) met += fmt::format("{}{}", met.empty() ? "" : "<br>", name_of(item));
    for (const Json& item : part(e, "recommended")) {
      const bool chosen = item.value("chosen", false);
      recommended += fmt::format("{}{}{}{} <span class=\"soft\">{:.2f}</span>", recommended.empty() ? "" : "<br>", chosen ? "<b class=\"good\">" : "", name_of(item), chosen ? "</b>" : "", number_at(item, "score"));
    }
    const Json& chosen = part(e, "chosen");
    const bool known = chosen.is_object() && !chosen.empty();
    table.add({escaped(e.value("user", "")), met, recommended, known ? fmt::format("{} <span class=\"soft\">number {}</span>", name_of(chosen), count_text(chosen.value("rank", int64_t{0}))) : "<span class=\"soft\">an item that nobody had met</span>"});
  }
  return table.empty() ? "" : "<h3>Who got what</h3>\n<div class=\"scroll\">" + table.str() + "</div>\n";
}

}  // namespace

std::string recommendation_section(const RunFiles& run) { return section("Recommendations", comparison(run) + who_got_what(run)); }

}  // namespace danlu::app
