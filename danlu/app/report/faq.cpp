// Of a FAQ: how well answers are found beside a search by words, when they are given, and what was asked.
#include "danlu/app/recipe/interval_name.h"
#include "danlu/app/report/html.h"
#include "danlu/app/report/sections.h"
#include "danlu/base/format.h"

namespace danlu::app {
namespace {

std::string rankings(const RunFiles& run) {
  HtmlTable table("lrrr");
  table.head({"", "the right answer in front", "among the first three", "mean of 1 / rank"});
  for (const auto& [name, m] : part(run.quality, "rankings").items()) {
    std::vector<std::string> cells = {escaped(name)};
    for (const char* measure : {"recall@1", "recall@3", "mrr"}) {
      const Json& one = part(m, measure);
      const Json& interval = part(one, "interval");
      std::string cell = number_text(number_at(one, "value"));
      if (interval.size() == 2) cell += fmt::format(" <span class=\"soft\">{} to {}</span>", number_text(interval[0].get<double>()), number_text(interval[1].get<double>()));
      cells.push_back(cell);
    }
    table.add(cells);
  }
  if (table.empty()) return "";
  const Json& gain = part(run.quality, "gain");
  const Json& interval = part(gain, "interval");
  std::string note;
  if (interval.size() == 2) {
    note = fmt::format("<p>{} over BM25 in the mean of 1 / rank, {} {} to {}.</p>\n", number_text(number_at(gain, "difference")), interval_name(run.quality), number_text(interval[0].get<double>()),
                       number_text(interval[1].get<double>()));
  }
  return "<h3>Beside a search by words</h3>\n<div class=\"scroll\">" + table.str() + "</div>\n" + note +
         "<p class=\"note\">Held-out questions, which are not among those that can be found: the entry has its answer and its other questions left. BM25 looks for whole words in both. The rows between see "
         "some of what the model sees, with its weights.</p>\n";
}

std::string asked(const RunFiles& run) {
  HtmlTable table("nlllr");
  table.head({"", "asked", "found", "right", "confidence"});
  for (const Json& e : part(run.quality, "answers")) {
    const std::string kind = e.value("kind", "");
    const Json right = e.value("right", Json());
    table.add({fmt::format("<span class=\"{}\">{}</span>", kind == "right" || kind == "handed over off topic" ? "good" : kind.starts_with("handed") ? "soft" : "bad", escaped(kind)), escaped(e.value("question", "")),
               escaped(e.value("answered", "")), right.is_string() ? escaped(right.get<std::string>()) : "<span class=\"soft\">no answer</span>", fmt::format("{:.2f}", number_at(e, "confidence"))});
  }
  if (table.empty()) return "";
  return fmt::format("<h3>What was asked</h3>\n<p>Answers are given from a confidence of {:.2f} on; below, a person takes over. The most confident of each kind:</p>\n<div class=\"scroll\">", number_at(run.quality, "least_confidence")) + table.str() + "</div>\n";
}

}  // namespace

std::string faq_section(const RunFiles& run) { return section("Answers", rankings(run) + asked(run)); }

}  // namespace danlu::app
