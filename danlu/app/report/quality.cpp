#include <algorithm>
#include <cmath>

#include "danlu/app/recipe/decision_section.h"
#include "danlu/app/recipe/interval_name.h"
#include "danlu/app/report/html.h"
#include "danlu/app/report/sections.h"
#include "danlu/base/format.h"

namespace danlu::app {
namespace {

constexpr size_t kDrawnClasses = 10, kMatrixClasses = 60, kConfusions = 10;

std::vector<double> numbers(const Json& list) {
  std::vector<double> values;
  for (const Json& value : list) values.push_back(value.is_number() ? value.get<double>() : NAN);
  return values;
}

std::string measures_table(const RunFiles& run) {
  HtmlTable table("lrnl");
  table.head({"measure", "value", interval_name(run.quality), ""});
  for (const Measure& m : measures(run)) {
    const bool unit = m.interval.low >= -1e-9 && m.interval.high <= 1 + 1e-9 && m.higher_is_better;
    table.add({escaped(m.name), escaped(m.text()), escaped(m.interval_text()), unit ? "<span class=\"roomy\">" + draw_interval(m.value, m.interval, {0, 1}) + "</span>" : ""});
  }
  return table.empty() ? "" : table.str();
}

// Curves of the classes; of many, those with the least area.
std::string class_curves(const Json& curves, const char* title, const char* x_key, const char* y_key, const char* x_label, const char* y_label, bool diagonal) {
  std::vector<const Json*> shown;
  for (const Json& curve : curves) shown.push_back(&curve);
  const bool some = shown.size() > kDrawnClasses;
  if (some) {
    std::stable_sort(shown.begin(), shown.end(), [](const Json* a, const Json* b) { return number_at(*a, "area") < number_at(*b, "area"); });
    shown.resize(kDrawnClasses);
  }
  Plot plot{.title = some ? fmt::format("{}, the {} hardest classes", title, kDrawnClasses) : title, .x_label = x_label, .y_label = y_label,
            .x_range = Range{0, 1}, .y_range = Range{0, 1.0}, .square = true, .diagonal = diagonal};
  for (size_t k = 0; k < shown.size(); ++k) {
    const Json& c = *shown[k];
    plot.series.push_back({.name = fmt::format("{} {:.4f}", c.value("class", ""), number_at(c, "area")), .x = numbers(part(c, x_key)), .y = numbers(part(c, y_key)),
                           .colour = static_cast<int>(k)});
  }
  if (plot.series.size() == 1) plot.title += fmt::format(", area {:.4f}", number_at(*shown[0], "area"));
  return draw(plot);
}

// Of a share of `count`. Source: Wilson 1927.
Range wilson(double share, double count) {
  constexpr double z = 1.96;
  const double centre = share + z * z / (2 * count), reach = z * std::sqrt(share * (1 - share) / count + z * z / (4 * count * count));
  return {(centre - reach) / (1 + z * z / count), (centre + reach) / (1 + z * z / count)};
}

std::string calibration(const Json& bins, bool binary) {
  Plot plot{.title = "Calibration", .x_label = binary ? "predicted probability" : "confidence", .y_label = binary ? "observed frequency" : "share that was right",
            .x_range = Range{0, 1}, .y_range = Range{0, 1}, .square = true, .diagonal = true};
  double most = 1;
  for (const Json& bin : bins) most = std::max(most, number_at(bin, "samples"));
  Series line{.name = "model"};
  for (const Json& bin : bins) {
    const double count = number_at(bin, "samples");
    plot.bars.push_back({number_at(bin, "low"), number_at(bin, "high"), count / most});
    if (count == 0) continue;
    line.x.push_back(number_at(bin, "confidence"));
    line.y.push_back(number_at(bin, "frequency"));
    const Range sure = wilson(line.y.back(), count);
    plot.whiskers.push_back({line.x.back(), sure.low, sure.high});
  }
  Series dots = line;
  dots.points = true;
  plot.series = {std::move(line), std::move(dots)};
  return draw(plot);
}

std::string scatter(const Json& points) {
  if (points.empty()) return "";
  Plot plot{.title = "Predicted and actual", .x_label = "actual", .y_label = "predicted", .square = true, .diagonal = true};
  Series s{.name = "sample", .x = numbers(part(points, "actual")), .y = numbers(part(points, "predicted")), .points = true};
  Range range{HUGE_VAL, -HUGE_VAL};
  for (const auto* values : {&s.x, &s.y}) {
    for (const double v : *values) range = {std::min(range.low, v), std::max(range.high, v)};
  }
  const double air = 0.04 * (range.high - range.low);
  plot.x_range = plot.y_range = Range{range.low - air, range.high + air};
  std::vector<double> residuals;
  for (size_t i = 0; i < s.x.size(); ++i) residuals.push_back(s.y[i] - s.x[i]);
  Series errors{.name = "sample", .x = s.x, .y = std::move(residuals), .colour = 1, .points = true};
  plot.series = {std::move(s)};
  return draw(plot) + draw({.title = "Errors", .x_label = "actual", .y_label = "predicted less actual", .series = {std::move(errors)}, .square = true});
}

std::string confusion(const Json& quality) {
  std::vector<std::string> names;
  for (const Json& c : part(quality, "classes")) names.push_back(c.value("name", ""));
  std::vector<std::vector<int64_t>> counts;
  for (const Json& row : part(quality, "confusion")) counts.push_back(row.get<std::vector<int64_t>>());
  const bool fits = !names.empty() && counts.size() == names.size() && std::all_of(counts.begin(), counts.end(), [&](auto& row) { return row.size() == names.size(); });
  return fits && names.size() <= kMatrixClasses ? draw_confusion(names, counts) : "";
}

std::string worst_confusions(const Json& quality) {
  struct Confusion {
    int64_t count;
    std::string actual, predicted;
  };
  std::vector<Confusion> all;
  const Json &classes = part(quality, "classes"), &rows = part(quality, "confusion");
  if (classes.size() < 3) return "";
  for (size_t a = 0; a < rows.size() && a < classes.size(); ++a) {
    for (size_t p = 0; p < rows[a].size() && p < classes.size(); ++p) {
      const int64_t count = rows[a][p].get<int64_t>();
      if (a != p && count > 0) all.push_back({count, classes[a].value("name", ""), classes[p].value("name", "")});
    }
  }
  std::stable_sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.count > b.count; });
  if (all.size() > kConfusions) all.resize(kConfusions);
  HtmlTable table("llr");
  table.head({"actual", "taken for", "samples"});
  for (const Confusion& c : all) table.add({escaped(c.actual), escaped(c.predicted), count_text(c.count)});
  return table.empty() ? "" : "<h3>What is mixed up most</h3>\n" + table.str();
}

std::string classes_table(const Json& quality) {
  const bool labels = quality.value("task", "") == "multilabel";
  HtmlTable table("lrrrrrrr");
  if (labels) table.head({"label", "precision", "recall", "F1", "average precision", "threshold", "samples", "predicted"});
  else table.head({"class", "precision", "recall", "F1", "specificity", "samples", "predicted"});
  for (const Json& c : part(quality, "classes")) {
    if (labels) {
      table.add({escaped(c.value("name", "")), percent_text(number_at(c, "precision")), percent_text(number_at(c, "recall")), number_text(number_at(c, "f1")),
                 number_text(number_at(c, "average_precision")), number_text(number_at(c, "threshold")), count_text(c.value("samples", int64_t{0})), count_text(c.value("predicted", int64_t{0}))});
      continue;
    }
    table.add({escaped(c.value("name", "")), percent_text(number_at(c, "precision")), percent_text(number_at(c, "recall")), number_text(number_at(c, "f1")),
               percent_text(number_at(c, "specificity")), count_text(c.value("samples", int64_t{0})), count_text(c.value("predicted", int64_t{0}))});
  }
  if (table.empty()) return "";
  return labels ? "<h3>Labels</h3>\n<div class=\"scroll\">" + table.str() + "</div>\n" : "<h3>Classes</h3>\n" + table.str();
}

// A dot for each fold; the repetitions in colours of their own.
std::string draw_folds(const Json& kfold) {
  Plot plot{.title = "Accuracy of each fold", .x_label = "fold", .y_label = "accuracy", .whole_x = true};
  const auto folds = static_cast<size_t>(std::max<int64_t>(1, kfold.value("folds", int64_t{1})));
  const Json& scores = part(kfold, "scores");
  const double mean = number_at(kfold, "mean");
  plot.series.push_back({.name = "mean", .x = {1, static_cast<double>(folds)}, .y = {mean, mean}, .colour = 9});
  for (size_t i = 0; i < scores.size(); ++i) {
    if (i % folds == 0) plot.series.push_back({.name = fmt::format("repetition {}", i / folds + 1), .colour = static_cast<int>(i / folds), .points = true});
    plot.series.back().x.push_back(static_cast<double>(i % folds + 1));
    plot.series.back().y.push_back(number_at(scores[i], "accuracy"));
  }
  return figures(draw(plot));
}

std::string folds(const Json& kfold) {
  if (kfold.empty()) return "";
  const Json& interval = part(kfold, "interval");
  if (interval.size() != 2) return "";
  return fmt::format("<h3>Cross-validation</h3>\n<p>Accuracy {} over {} times {} folds, 95 % interval {} to {}; each fold trained a fresh model.</p>\n{}",
                     percent_text(number_at(kfold, "mean")), kfold.value("repeats", 1), kfold.value("folds", 0), percent_text(interval[0].get<double>()),
                     percent_text(interval[1].get<double>()), draw_folds(kfold));
}

// How alike groups of people are treated.
std::string groups(const Json& by_column) {
  std::string html;
  for (const auto& [column, report] : by_column.items()) {
    HtmlTable table("lrrrrrrr");
    table.head({escaped(column), "samples", "positive", "predicted positive", "recall", "false positives", "accuracy", "ROC-AUC"});
    for (const Json& g : part(report, "groups")) {
      table.add({escaped(g.value("name", "")), count_text(g.value("samples", int64_t{0})), percent_text(number_at(g, "base_rate")), percent_text(number_at(g, "selection_rate")),
                 percent_text(number_at(g, "recall")), percent_text(number_at(g, "false_positive_rate")), percent_text(number_at(g, "accuracy")), number_text(number_at(g, "auc"))});
    }
    table.add({"largest gap", "", "", percent_text(number_at(report, "selection_rate_gap")), percent_text(number_at(report, "recall_gap")),
               percent_text(number_at(report, "false_positive_rate_gap")), "", ""});
    html += table.str();
  }
  return html.empty() ? "" : "<h3>Groups</h3>\n" + html + "<p class=\"note\">Gaps leave out groups of fewer than 20 samples.</p>\n";
}

std::string tasks(const Json& all) {
  HtmlTable table("lrrlr");
  table.head({"task", "questions", "accuracy", "95 % interval", "accuracy, by byte"});
  for (const auto& [name, task] : all.items()) {
    const Json &accuracy = part(task, "accuracy"), &interval = part(accuracy, "interval");
    const std::string range = interval.size() == 2 ? fmt::format("{} to {}", percent_text(interval[0].get<double>()), percent_text(interval[1].get<double>())) : "";
    table.add({escaped(name), count_text(task.value("questions", int64_t{0})), percent_text(number_at(accuracy, "value")), range, percent_text(number_at(part(task, "accuracy_norm"), "value"))});
  }
  return table.empty() ? "" : "<h3>Multiple choice</h3>\n" + table.str();
}

// Figures and tables of one target.
std::string of_target(const Json& q) {
  const Json& curves = part(q, "curves");
  const bool binary = q.value("task", "") == "binary";
  const std::string plots =
      confusion(q) + class_curves(part(curves, "roc"), "ROC", "false_positive_rate", "true_positive_rate", "false positive rate", "true positive rate", true) +
      class_curves(part(curves, "precision_recall"), "Precision and recall", "recall", "precision", "recall", "precision", false) +
      (part(q, "reliability").empty() ? "" : calibration(part(q, "reliability"), binary)) + scatter(part(curves, "scatter"));
  std::string note;
  if (binary) note = fmt::format("<p class=\"note\">Called positive from a probability of {:.4g} on.</p>\n", number_at(q, "threshold"));
  for (const std::string& line : decision_lines(q)) note += "<p class=\"note\">" + escaped(line) + "</p>\n";
  return figures(plots) + note + classes_table(q) + worst_confusions(q);
}

}  // namespace

std::string quality_section(const RunFiles& run) {
  const Json& q = run.quality;
  std::string body = of_target(q);
  for (const auto& [name, target] : part(q, "targets").items()) body += fmt::format("<h3>{}</h3>\n{}", escaped(name), of_target(target));
  const bool validation = q.value("part", "") == "validation";
  return section(validation ? "Quality on held-out text" : "Quality on the test split",
                 body + groups(part(q, "groups")) + tasks(run.tasks) + folds(run.kfold) + (q.empty() ? "" : "<h3>All measures</h3>\n") + measures_table(run));
}

}  // namespace danlu::app
