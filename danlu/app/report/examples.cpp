#include <algorithm>
#include <cmath>

#include "danlu/app/report/html.h"
#include "danlu/app/report/sections.h"
#include "danlu/base/base64.h"
#include "danlu/base/format.h"

namespace danlu::app {
namespace {

constexpr size_t kColumns = 6;  // of a table's row

// "coat" at 99.8 %, or a number.
std::string said(const Json& example) {
  const Json& predicted = example.value("predicted", Json(nullptr));
  if (predicted.is_number()) return number_text(predicted.get<double>());
  if (!example.contains("probability")) return escaped(word_text(predicted));
  return fmt::format("{} <span class=\"soft\">{}</span>", escaped(word_text(predicted)), percent_text(number_at(example, "probability")));
}

std::string truth(const Json& example) {
  const Json& actual = example.value("actual", Json(nullptr));
  return actual.is_number() ? number_text(actual.get<double>()) : escaped(word_text(actual));
}

// The samples as images with what they are and what they were taken for.
std::string gallery(const Json& examples) {
  std::string html = "<div class=\"gallery\">\n";
  for (const Json& example : examples) {
    const std::string image = part(example, "input").value("image", "");
    if (!base64_decode(image)) continue;
    const bool right = example.value("actual", Json()) == example.value("predicted", Json());
    html += fmt::format("<div><img alt=\"sample {}\" src=\"data:image/png;base64,{}\"><div>{}<br><span class=\"{}\">{}</span></div></div>\n",
                        example.value("sample", int64_t{0}), escaped(image), truth(example), right ? "good" : "bad", said(example));
  }
  return html + "</div>\n";
}

std::string rows(const Json& examples) {
  HtmlTable table("rllr");
  std::vector<std::string> head = {"sample", "actual", "predicted"};
  std::vector<std::string> columns;
  const Json& first = part(part(examples[0], "input"), "rows").at(0);
  for (const auto& [name, value] : first.items()) {
    if (columns.size() == kColumns) break;
    columns.push_back(name);
    head.push_back(escaped(name));
  }
  table.head(head);
  for (const Json& example : examples) {
    std::vector<std::string> cells = {std::to_string(example.value("sample", int64_t{0})), truth(example), said(example)};
    const Json& row = part(part(example, "input"), "rows").at(0);
    for (const std::string& name : columns) {
      const Json value = row.value(name, Json(nullptr));
      cells.push_back(value.is_number() ? fmt::format("{:.4g}", value.get<double>()) : escaped(word_text(value)));
    }
    table.add(cells);
  }
  const std::string rest = first.size() > kColumns ? fmt::format("<p class=\"note\">The first {} of {} columns.</p>\n", kColumns, first.size()) : "";
  return table.str() + rest;
}

std::string group(const char* title, const Json& examples) {
  if (!examples.is_array() || examples.empty()) return "";
  const bool images = part(examples[0], "input").contains("image");
  return fmt::format("<h3>{}</h3>\n{}", title, images ? gallery(examples) : rows(examples));
}

// What a model wrote, or what images it made, at the beginning, on the way and at the end.
std::string writings(const std::vector<Json>& samples) {
  std::vector<int64_t> steps;
  for (const Json& sample : samples) {
    const int64_t step = sample.value("step", int64_t{0});
    if (steps.empty() || steps.back() != step) steps.push_back(step);
  }
  if (steps.empty()) return "";
  std::vector<int64_t> shown = {steps.back()};
  if (steps.size() > 2) shown.push_back(steps[steps.size() / 3]);
  if (steps.size() > 1) shown.push_back(steps.front());
  std::string html;
  for (const int64_t step : shown) {
    html += fmt::format("<h3>After {} updates</h3>\n", count_text(step));
    for (const Json& sample : samples) {
      if (sample.value("step", int64_t{0}) != step) continue;
      if (sample.contains("image")) {
        html += fmt::format("<img class=\"grid\" alt=\"samples after {} updates\" src=\"data:image/png;base64,{}\">\n", step, escaped(sample["image"].get<std::string>()));
        continue;
      }
      const std::string prompt = sample.value("prompt", ""), text = sample.value("text", "");
      const bool begins = text.starts_with(prompt);
      html += fmt::format("<div class=\"prose\">{}{}</div>\n", begins ? "<b>" + escaped(prompt) + "</b>" : "", escaped(begins ? text.substr(prompt.size()) : text));
    }
  }
  return html;
}

}  // namespace

std::string examples_section(const RunFiles& run) {
  const Json& examples = part(run.quality, "examples");
  const std::string text = writings(run.samples);
  const std::string task = run.quality.value("task", "");
  const bool numbers = task == "regression", labels = task == "multilabel";
  const std::string measured = group(numbers ? "Furthest off" : labels ? "Most labels wrong or missing" : "Wrong, and most sure of it", part(examples, "wrong")) +
                               group("Right or wrong, and least sure", part(examples, "unsure")) +
                               group(numbers ? "Nearest" : labels ? "Most labels, and all of them right" : "Right, and most sure of it", part(examples, "right"));
  return section("Examples", measured) + section(!run.samples.empty() && run.samples.front().contains("image") ? "What it makes" : "What it writes", text);
}

}  // namespace danlu::app
