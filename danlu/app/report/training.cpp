#include <algorithm>
#include <cmath>

#include "danlu/app/report/html.h"
#include "danlu/app/report/sections.h"
#include "danlu/base/format.h"

namespace danlu::app {
namespace {

const char* axis_label(const RunFiles& run) { return std::string(history_axis(run)) == "step" ? "update" : "epoch"; }

// Train and validation over each other, with the best validation marked.
std::string pair_of_curves(const RunFiles& run, const char* title, const char* train_key, const char* validation_key, bool marks_best) {
  Plot plot{.title = title, .x_label = axis_label(run), .y_label = title, .whole_x = true};
  for (char& c : plot.y_label) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  Series training = history(run, history_axis(run), train_key, "training", 0);
  Series validation = history(run, history_axis(run), validation_key, "validation", 1);
  const bool validated = has_values(validation);
  if (has_values(training)) plot.series.push_back(std::move(training));
  if (validated) plot.series.push_back(std::move(validation));
  if (plot.series.empty()) return "";
  const Series& marked = plot.series.back();
  for (size_t i = run.metrics.size(); marks_best && validated && i-- > 0;) {
    if (!run.metrics[i].value("best", false) || !std::isfinite(marked.y[i])) continue;
    plot.mark = Plot::Mark{marked.x[i], marked.y[i], marked.colour, fmt::format("best {}", number_text(marked.y[i]))};
    break;
  }
  return draw(plot);
}

std::string single_curve(const RunFiles& run, const char* title, const char* key, const char* label, int colour) {
  const Series s = history(run, history_axis(run), key, label, colour);
  if (!has_values(s)) return "";
  const double highest = *std::max_element(s.y.begin(), s.y.end(), [](double a, double b) { return std::isnan(a) || a < b; });
  return draw({.title = title, .x_label = axis_label(run), .y_label = label, .series = {s}, .y_range = Range{0, 1.08 * highest}, .whole_x = true});
}

std::string ended(const RunFiles& run) {
  const Json& t = part(run.info, "training");
  if (t.empty()) return "";
  std::string text = fmt::format("{} updates in {}, ended by {}.", count_text(t.value("steps", int64_t{0})), seconds_text(number_at(t, "seconds")), t.value("stopped_by", "?"));
  const double best = number_at(t, "best_value");
  if (!std::isnan(best)) text += fmt::format(" Best {}: {} at update {}.", t.value("monitor", "value"), number_text(best), count_text(t.value("best_step", int64_t{0})));
  const int64_t skipped = t.value("skipped_updates", int64_t{0});
  if (skipped > 0) text += fmt::format(" {} updates were skipped for gradients that were not finite.", count_text(skipped));
  return "<p class=\"note\">" + escaped(text) + "</p>\n";
}

// Adversaries have a loss each, and are judged by neither.
std::string adversaries(const RunFiles& run) {
  const std::string x = axis_label(run);
  Plot losses{.title = "Losses", .x_label = x, .y_label = "loss", .whole_x = true};
  losses.series = {history(run, history_axis(run), "train_loss", "discriminator", 0), history(run, history_axis(run), "generator_loss", "generator", 1)};
  return single_curve(run, "Fréchet distance", "frechet_distance", "Fréchet distance", 3) + single_curve(run, "Diversity", "diversity", "of that of real images", 2) +
         single_curve(run, "Distance to the nearest training image", "nearest_distance", "root mean square", 5) + draw(losses);
}

}  // namespace

const char* history_axis(const RunFiles& run) {
  return run.metrics.empty() || !(number_at(run.metrics.back(), "epoch") >= 3) ? "step" : "epoch";
}

Series history(const RunFiles& run, const char* over, const char* key, const std::string& name, int colour) {
  Series s{.name = name, .colour = colour};
  for (const Json& line : run.metrics) {
    s.x.push_back(number_at(line, over));
    s.y.push_back(number_at(line, key));
  }
  return s;
}

bool has_values(const Series& s) {
  return std::any_of(s.y.begin(), s.y.end(), [](double y) { return std::isfinite(y); });
}

std::string training_section(const RunFiles& run) {
  const bool has_adversaries = has_values(history(run, "step", "frechet_distance", "", 0));
  const std::string plots = (has_adversaries ? adversaries(run) : pair_of_curves(run, "Loss", "train_loss", "validation_loss", true)) +
                            pair_of_curves(run, "Accuracy", "train_accuracy", "validation_accuracy", true) +
                            single_curve(run, "Learning rate", "lr", "learning rate", 2) +
                            single_curve(run, "Gradient norm", "gradient_norm", "gradient norm", 4);
  return section("Training", figures(plots) + ended(run));
}

}  // namespace danlu::app
