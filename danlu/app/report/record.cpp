#include <cmath>

#include "danlu/app/recipe/cost.h"
#include "danlu/app/report/html.h"
#include "danlu/app/report/sections.h"
#include "danlu/base/format.h"

namespace danlu::app {
namespace {

// Rows of what is known.
class Facts {
 public:
  void add(const char* name, const std::string& html) {
    if (!html.empty() && html != "-") table_.add({name, html});
  }
  void text(const char* name, const Json& value) { add(name, escaped(word_text(value))); }
  void count(const char* name, double value) {
    if (!std::isnan(value)) add(name, count_text(std::llround(value)));
  }
  void code(const char* name, const Json& value) {
    if (value.is_string() && !value.get<std::string>().empty()) add(name, "<code>" + escaped(value.get<std::string>()) + "</code>");
  }
  std::string str() const { return table_.empty() ? "" : table_.str(); }

 private:
  HtmlTable table_{"ll"};
};

Json at(const Json& object, const char* key) { return object.is_object() ? object.value(key, Json(nullptr)) : Json(nullptr); }

std::string milliseconds(const Json& percentiles, const char* key) {
  const double ms = number_at(percentiles, key);
  return std::isnan(ms) ? "-" : seconds_text(ms / 1000);
}

std::string latency(const Json& all) {
  HtmlTable table("lrrrr");
  table.head({"time of", "p50", "p95", "p99", "measured"});
  for (const auto& [what, p] : all.items()) {
    table.add({escaped(what), milliseconds(p, "p50_ms"), milliseconds(p, "p95_ms"), milliseconds(p, "p99_ms"), count_text(p.value("count", int64_t{0})) + " times"});
  }
  return table.empty() ? "" : table.str();
}

std::string cost(const Json& quality) {
  const double per_hour = number_at(quality, "price_per_hour");
  HtmlTable table("lrrr");
  std::vector<std::string> head = {"for 1,000", "CPU time", "time"};
  if (!std::isnan(per_hour)) head.push_back("price");
  table.head(head);
  for (const auto& [what, one] : part(quality, "cost").items()) {
    if (!one.is_object()) continue;
    std::vector<std::string> cells = {escaped(what), seconds_text(number_at(one, "cpu_seconds")), seconds_text(number_at(one, "seconds"))};
    if (!std::isnan(per_hour)) cells.push_back(price_text(number_at(one, "price")));
    table.add(cells);
  }
  if (table.empty()) return "";
  const std::string note = std::isnan(per_hour) ? "" : fmt::format("<p class=\"note\">The price of the whole machine for so long, at {:g} an hour.</p>\n", per_hour);
  return table.str() + note;
}

std::string findings(const Json& list) {
  std::string html;
  for (const Json& f : list) {
    const std::string severity = f.value("severity", ""), column = f.value("column", "");
    html += fmt::format("<div class=\"warning{}\"><b>{}</b>{} {}</div>\n", severity == "failure" ? " failure" : "", escaped(severity),
                        column.empty() ? "" : " " + escaped(column) + ":", escaped(f.value("text", "")));
  }
  return html;
}

std::string share_bar(double share) {
  return fmt::format("<svg class=\"interval\" viewBox=\"0 0 120 12\" aria-hidden=\"true\"><line class=\"grid\" x1=\"4\" x2=\"116\" y1=\"6\" y2=\"6\"/>"
                     "<line class=\"reach\" x1=\"4\" x2=\"{:.1f}\" y1=\"6\" y2=\"6\"/></svg>", 4 + 112 * share);
}

// Of a table: {"value", "rows"}; of images: by name, the samples of each part.
std::string classes(const Json& data) {
  const Json& all = part(data, "classes");
  HtmlTable table(all.is_array() ? "lrl" : "lrrr");
  if (all.is_array()) {
    table.head({"class", "rows", ""});
    double total = 0;
    for (const Json& c : all) total += number_at(c, "rows");
    for (const Json& c : all) table.add({escaped(word_text(at(c, "value"))), count_text(c.value("rows", int64_t{0})), share_bar(number_at(c, "rows") / total)});
  } else {
    table.head({"class", "training", "validation", "test"});
    for (const auto& [name, c] : all.items()) {
      table.add({escaped(name), count_text(c.value("train", int64_t{0})), count_text(c.value("validation", int64_t{0})), count_text(c.value("test", int64_t{0}))});
    }
  }
  return table.empty() ? "" : "<h3>Classes</h3>\n" + table.str();
}

}  // namespace

std::string speed_section(const RunFiles& run) {
  Facts facts;
  const Json& training = part(run.info, "training");
  const double seconds = number_at(training, "seconds"), terms = number_at(training, "terms");
  const bool forecast = run.quality.value("task", "") == "forecast";  // learns from periods, and answers windows of them
  const char* unit = run.quality.contains("tokens") || run.info.contains("tokens") ? "tokens" : "samples";
  if (!std::isnan(seconds)) facts.add("training", seconds_text(seconds));
  const double cpu_s = number_at(training, "cpu_seconds"), training_memory = number_at(training, "peak_memory_bytes");
  if (!std::isnan(cpu_s)) facts.add("CPU time of training", seconds_text(cpu_s));
  if (seconds > 0 && !std::isnan(terms)) facts.add("training speed", fmt::format("{} {} a second", count_text(std::llround(terms / seconds)), forecast ? "periods" : unit));
  for (const char* key : {"samples_per_second", "tokens_per_second"}) {
    const double speed = number_at(run.quality, key);
    if (!std::isnan(speed)) facts.add("evaluation speed", fmt::format("{} {} a second, in batches", count_text(std::llround(speed)), forecast ? "windows" : unit));
  }
  const double memory = number_at(run.info, "peak_memory_bytes");
  if (!std::isnan(training_memory)) facts.add("peak memory, training", bytes_text(std::llround(training_memory)));
  if (!std::isnan(memory)) facts.add("peak memory, evaluation included", bytes_text(std::llround(memory)));
  facts.count("parameters", number_at(run.info, "parameters"));
  facts.text("machine", at(run.info, "cpu"));
  facts.count("threads", number_at(run.info, "threads"));
  const Json& measured = part(run.quality, "latency");
  return section("Speed and memory", latency(measured) + cost(run.quality) + facts.str());
}

std::string data_section(const RunFiles& run) {
  if (run.data.empty()) return "";
  const Json& d = run.data;
  Facts facts;
  facts.text("source", d.contains("source") ? at(d, "source") : at(part(run.options, "data"), "source"));
  facts.text("target", at(d, "target"));
  facts.text("verdict", at(d, "verdict"));
  for (const char* key : {"rows", "images", "documents", "bytes"}) facts.count(key, number_at(d, key));
  facts.text("size", at(d, "size"));
  for (const char* name : {"train", "validation", "test"}) facts.count(fmt::format("{} tokens", name).c_str(), number_at(part(run.info, "tokens"), name));
  const Json duplicates = at(d, "duplicates");
  facts.count("duplicates", duplicates.is_object() ? number_at(duplicates, "count") : number_at(d, "duplicates"));
  facts.count("same input, other label", duplicates.is_object() ? number_at(duplicates, "conflicting_labels") : number_at(d, "conflicts"));
  facts.count("samples in training and test", number_at(part(d, "leaks"), "train_test"));
  const std::string whole = run.data_text.empty() ? "" : details("The whole data report", "<pre>" + escaped(run.data_text) + "</pre>");
  return section("Data", findings(part(d, "findings")) + facts.str() + classes(d) + whole);
}

std::string recipe_section(const RunFiles& run) {
  if (run.recipe.empty()) return "";
  return section("Recipe", "<pre>" + escaped(run.recipe) + "</pre>\n" + details("Every option, with the reason of each automatic choice", "<pre>" + escaped(run.resolved) + "</pre>"));
}

std::string lineage_section(const RunFiles& run) {
  Facts facts;
  const Json& i = run.info;
  facts.text("run", at(i, "name"));
  for (const char* key : {"started", "finished"}) facts.text(key, time_text(i.value(key, "")));
  facts.text("danlu", at(i, "danlu"));
  facts.code("commit", at(i, "git_commit"));
  facts.text("compiler", at(i, "compiler"));
  facts.text("seed", at(run.options, "seed"));
  facts.code("data hash", at(i, "data_hash"));
  facts.code("hash of the weights at the end", at(part(i, "training"), "weights_hash"));
  facts.code("hash of the weights measured", at(run.quality, "weights_hash"));
  facts.code("parent", at(i, "parent"));
  return section("Where it comes from", facts.str());
}

}  // namespace danlu::app
