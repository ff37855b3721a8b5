#include <algorithm>
#include <cmath>

#include "danlu/app/report/explanation_page.h"
#include "danlu/app/report/html.h"
#include "danlu/app/report/page.h"
#include "danlu/app/report/plot.h"
#include "danlu/app/report/sections.h"
#include "danlu/base/base64.h"
#include "danlu/base/format.h"

namespace danlu::app {
namespace {

constexpr size_t kColumns = 15, kReasons = 6;

// A bar from zero, to the right or to the left.
std::string bar(double value, double most) {
  const double reach = most > 0 ? 56 * std::clamp(value / most, -1.0, 1.0) : 0;
  return fmt::format("<svg class=\"interval\" viewBox=\"0 0 120 12\" aria-hidden=\"true\"><line class=\"axis\" x1=\"60\" x2=\"60\" y1=\"0\" y2=\"12\"/>"
                     "<rect class=\"{}\" x=\"{:.1f}\" y=\"2\" width=\"{:.1f}\" height=\"8\" rx=\"1.5\"/></svg>",
                     value < 0 ? "against" : "for", 60 + std::min(0.0, reach), std::abs(reach));
}

// Of forecasts: what counts near by need not count far ahead.
std::string by_step(const Json& columns) {
  constexpr size_t kLines = 6;
  Plot plot{.title = "Worth by distance", .x_label = "periods ahead", .y_label = "RMSE more without it", .series = {}, .whole_x = true};
  for (size_t i = 0; i < std::min(kLines, columns.size()); ++i) {
    const Json& steps = part(columns[i], "by_step");
    if (steps.size() < 2) return "";
    Series line{.name = columns[i].value("column", ""), .colour = static_cast<int>(i)};
    for (size_t h = 0; h < steps.size(); ++h) {
      line.x.push_back(static_cast<double>(h + 1));
      line.y.push_back(steps[h].is_number() ? steps[h].get<double>() : NAN);
    }
    plot.series.push_back(std::move(line));
  }
  return figures(draw(plot));
}

std::string importance(const Json& found) {
  const Json& columns = part(found, "columns");
  if (columns.empty()) return "";
  double most = 0, least = 0;
  for (const Json& c : columns) {
    most = std::max(most, number_at(c, "importance") + number_at(c, "spread"));
    least = std::min(least, number_at(c, "importance") - number_at(c, "spread"));
  }
  const auto table_of = [&](size_t begin, size_t end) {
    HtmlTable table("lrnl");
    table.head({"column", fmt::format("worth, in {}", escaped(found.value("metric", ""))), "", ""});
    for (size_t i = begin; i < end; ++i) {
      const double value = number_at(columns[i], "importance"), spread = number_at(columns[i], "spread");
      table.add({escaped(columns[i].value("column", "")), fmt::format("{:+.4f}", value), fmt::format("± {:.4f}", spread),
                 "<span class=\"roomy\">" + draw_interval(value, {value - spread, value + spread}, {least, most}) + "</span>"});
    }
    return table.str();
  };
  const size_t shown = std::min(kColumns, columns.size());
  std::string html = fmt::format("<h3>What the columns are worth</h3>\n<p>How much worse the model does on {} samples of the test split when a column is shuffled between them: mean and standard "
                                 "deviation of {} times. Columns that say the same stand in for each other.</p>\n{}",
                                 count_text(found.value("samples", int64_t{0})), found.value("repeats", 0), table_of(0, shown));
  if (shown < columns.size()) html += details(fmt::format("{} more columns", columns.size() - shown), table_of(shown, columns.size()));
  return html + by_step(columns);
}

std::string words(const Json& found) {
  HtmlTable table("lrll");
  table.head({"class", "texts", "words for it", "words against it"});
  for (const Json& c : part(found, "classes")) {
    const auto list = [&](const char* side) {
      std::vector<std::string> said;
      for (const Json& word : part(c, side)) said.push_back(escaped(word.value("word", "")));
      return fmt::format("{}", fmt::join(said, ", "));
    };
    const std::string name = c.value("class", "");
    table.add({name.empty() ? "a larger number" : escaped(name), count_text(c.value("texts", int64_t{0})), list("for"), list("against")});
  }
  if (table.empty()) return "";
  return fmt::format("<h3>What words say</h3>\n<p>Of {} texts of the test split, the words that did most for the class that was predicted, and against it.</p>\n{}",
                     count_text(found.value("texts", int64_t{0})), table.str());
}

// "bad at 81.2 %, actually good; by itself it says 30.1 %"
std::string verdict(const Json& sample) {
  const Json& e = part(sample, "explanation");
  const auto said = [](const Json& value) { return value.is_number() ? number_text(value.get<double>()) : escaped(word_text(value)); };
  const bool of_class = e.contains("class");
  const auto answer = [&](const char* key) { return of_class ? percent_text(number_at(e, key)) : number_text(number_at(e, key)); };
  const std::string actual = sample.contains("actual") ? ", actually " + said(sample["actual"]) : "";
  return fmt::format("<b>{}</b>{}{}; by itself it says {}", of_class ? escaped(e.value("class", "")) : answer("answer"), of_class ? " at " + answer("answer") : "", actual, answer("baseline"));
}

std::string row_reasons(const Json& sample) {
  const Json& contributions = part(part(sample, "explanation"), "contributions");
  HtmlTable table("llrl");
  table.head({"column", "value", "adds", ""});
  const double most = contributions.empty() ? 0 : std::abs(number_at(contributions[0], "contribution"));
  double rest = 0;
  for (size_t i = 0; i < contributions.size(); ++i) {
    const Json& c = contributions[i];
    const double value = number_at(c, "contribution");
    if (i >= kReasons) {
      rest += value;
      continue;
    }
    const Json given = c.value("value", Json());
    table.add({escaped(c.value("column", "")), given.is_null() ? "<span class=\"soft\">missing</span>" : escaped(word_text(given)), fmt::format("{:+.3g}", value), bar(value, most)});
  }
  if (contributions.size() > kReasons) table.add({fmt::format("<span class=\"soft\">{} others</span>", contributions.size() - kReasons), "", fmt::format("{:+.3g}", rest), bar(rest, most)});
  return table.str();
}

// The text with its words coloured.
std::string coloured(const Json& sample) {
  const Json& contributions = part(part(sample, "explanation"), "contributions");
  double most = 0;
  for (const Json& c : contributions) most = std::max(most, std::abs(number_at(c, "contribution")));
  std::string html;
  for (const Json& c : contributions) {
    const double value = number_at(c, "contribution"), share = most > 0 ? std::abs(value) / most : 0;
    html += fmt::format("<mark style=\"background:rgba({},{:.2f})\" data-tip=\"{:+.3g}\">{}</mark>", value < 0 ? "225,60,45" : "20,160,90", 0.6 * share, value, escaped(c.value("text", "")));
  }
  return contributions.empty() ? "<div class=\"prose soft\">no words</div>\n" : "<div class=\"prose\">" + html + "</div>\n";
}

// Of each series, what its inputs add to what is foretold, on average over the periods.
std::string influences(const Json& answers) {
  std::string html;
  for (const Json& answer : answers) {
    const Json& all = part(part(answer, "explanation"), "influences");
    if (all.empty()) continue;
    const auto mean = [](const Json& influence) {
      double sum = 0;
      const Json& steps = part(influence, "by_step");
      for (const Json& value : steps) sum += value.get<double>() / static_cast<double>(steps.size());
      return sum;
    };
    double most = 0;
    for (const Json& influence : all) most = std::max(most, std::abs(mean(influence)));
    HtmlTable table("lrl");
    table.head({"input", "adds", ""});
    for (const Json& influence : all) table.add({escaped(influence.value("input", "")), fmt::format("{:+.4g}", mean(influence)), bar(mean(influence), most)});
    html += fmt::format("<h3>{}</h3>\n", escaped(answer.value("series", ""))) + table.str();
  }
  if (html.empty()) return "";
  return "<p>What each input adds to the forecast, mean over the periods that are foretold: without values of the past they are taken to have been as the last one, a column known in advance to have its "
         "mean. What inputs do together is in each of them.</p>\n" + html;
}

std::string samples(const Json& all) {
  std::string rows, gallery;
  for (const Json& sample : all) {
    if (sample.contains("forecast")) continue;  // influences()
    const Json& e = part(sample, "explanation");
    const std::string name = sample.contains("file") ? escaped(word_text(sample["file"])) : sample.contains("line") ? "Line " + escaped(word_text(sample["line"])) : "Sample " + escaped(word_text(sample.value("sample", Json())));
    const std::string map = sample.value("map", "");
    if (!map.empty() && base64_decode(map)) {
      gallery += fmt::format("<div><img alt=\"{}\" src=\"data:image/png;base64,{}\"><div>{}</div></div>\n", name, escaped(map), verdict(sample));
      continue;
    }
    const Json& contributions = part(e, "contributions");
    const bool text = !contributions.empty() && contributions[0].contains("text");
    rows += fmt::format("<p>{}: {}.</p>\n{}", name, verdict(sample), text || contributions.empty() ? coloured(sample) : row_reasons(sample));
  }
  if (!gallery.empty()) gallery = "<div class=\"gallery maps\">\n" + gallery + "</div>\n";
  if (rows.empty() && gallery.empty()) return "";
  return "<h3>Reasons, sample by sample</h3>\n<p>What each part adds to the answer; all parts together make the difference to what the model says where it knows none of them. Green speaks for "
         "the answer, red against it.</p>\n" + gallery + rows;
}

}  // namespace

std::string explanation_body(const Json& explanation) {
  return importance(part(explanation, "importance")) + words(part(explanation, "words")) + samples(part(explanation, "samples"));
}

std::string explanation_page(const std::string& model, const std::string& notice, const Json& answers) {
  std::string body = fmt::format("<p class=\"kicker\">danlu</p>\n<h1>{}</h1>\n", escaped(model));
  if (!notice.empty()) body += fmt::format("<div class=\"warning\">{}</div>\n", escaped(notice));
  return html_page(model, body + samples(answers) + influences(answers));
}

std::string explanation_section(const RunFiles& run) { return section("Why it answers as it does", explanation_body(run.explanation)); }

}  // namespace danlu::app
