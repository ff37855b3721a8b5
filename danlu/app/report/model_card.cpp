#include "danlu/app/report/model_card.h"

#include <algorithm>
#include <cmath>

#include "danlu/app/explain/explain_run.h"
#include "danlu/app/recipe/cost.h"
#include "danlu/app/recipe/decision_section.h"
#include "danlu/app/recipe/gates.h"
#include "danlu/app/recipe/interval_name.h"
#include "danlu/app/report/html.h"
#include "danlu/app/report/sections.h"
#include "danlu/base/error.h"
#include "danlu/base/eta.h"
#include "danlu/base/format.h"

namespace danlu::app {
namespace {

constexpr size_t kWorst = 3;    // classes, groups
constexpr size_t kClasses = 20;  // that are listed

Json at(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found == object.end() ? Json(nullptr) : *found;
}

// For a cell or a line of Markdown: names of classes and columns come from data.
std::string plain(const std::string& text) {
  std::string line;
  for (const char c : text) {
    if (c == '|' || c == '<' || c == '`' || c == '*' || c == '[') line += '\\';
    line += c == '\n' || c == '\r' ? ' ' : c;
  }
  return line;
}
std::string plain(const Json& value) { return plain(word_text(value)); }

// Lines of a list; what is not known has none.
class Facts {
 public:
  void add(const char* name, const std::string& value) {
    if (!value.empty()) text_ += fmt::format("- {}: {}\n", name, value);
  }
  void add(const char* name, const Json& value) {
    if (!value.is_null() && value != "") add(name, plain(value));
  }
  std::string str(const char* title) const { return text_.empty() ? "" : fmt::format("## {}\n\n{}\n", title, text_); }

 private:
  std::string text_;
};

std::string counted(double count) { return std::isnan(count) ? "" : count_text(std::llround(count)); }

std::string what_it_is(const RunFiles& run) {
  Facts facts;
  const Json& model = part(run.options, "model");
  const Json& training = part(run.info, "training");
  facts.add("for", at(run.options, "purpose"));
  facts.add("model", at(model, "type"));
  facts.add("parameters", counted(number_at(run.info, "parameters")));
  facts.add("task", at(run.quality, "task"));
  facts.add("says", at(part(run.options, "data"), "target"));
  if (!training.empty()) {
    facts.add("training", fmt::format("{} updates in {}, stopped by {}", counted(number_at(training, "steps")), format_duration(number_at(training, "seconds")),
                                      plain(at(training, "stopped_by"))));
  }
  const Json hash = at(run.quality, "weights_hash");
  facts.add("weights hash", hash.is_null() ? at(training, "weights_hash") : hash);
  facts.add("begun", time_text(run.info.value("started", "")));
  facts.add("danlu", at(run.info, "danlu"));
  facts.add("commit", at(run.info, "git_commit"));
  return facts.str("What it is");
}

std::string classes_line(const Json& data) {
  std::vector<std::string> all;
  const Json& classes = part(data, "classes");
  for (const auto& [name, c] : classes.items()) {
    if (all.size() == kClasses) break;
    if (classes.is_array()) all.push_back(fmt::format("{} {}", plain(at(c, "value")), counted(number_at(c, "rows"))));
    else all.push_back(fmt::format("{} {}", plain(name), counted(number_at(c, "train") + number_at(c, "validation") + number_at(c, "test"))));
  }
  const std::string more = classes.size() > all.size() ? fmt::format(" and {} more", classes.size() - all.size()) : "";
  return all.empty() ? "" : fmt::format("{}{}", fmt::join(all, ", "), more);
}

std::string data(const RunFiles& run, const Json& split) {
  Facts facts;
  const Json& options = part(run.options, "data");
  facts.add("source", at(options, "source"));
  const Json licence = at(options, "licence");
  facts.add("licence", licence.is_null() || licence == "" ? Json("not known") : licence);
  for (const char* key : {"samples", "documents", "bytes"}) facts.add(key, counted(number_at(run.info, key)));
  facts.add("hash", at(run.info, "data_hash"));
  facts.add("classes", classes_line(run.data));
  std::vector<std::string> parts;
  for (const char* name : {"train", "validation", "test"}) {
    const double tokens = number_at(part(run.info, "tokens"), name);
    if (split.contains(name)) parts.push_back(fmt::format("{} {}", name, count_text(static_cast<int64_t>(split[name].size()))));
    else if (!std::isnan(tokens)) parts.push_back(fmt::format("{} {} tokens", name, counted(tokens)));
  }
  facts.add("split", fmt::format("{}", fmt::join(parts, ", ")));
  const Json duplicates = at(run.data, "duplicates");
  facts.add("duplicates", counted(duplicates.is_object() ? number_at(duplicates, "count") : number_at(run.data, "duplicates")));
  facts.add("same input, other label", counted(duplicates.is_object() ? number_at(duplicates, "conflicting_labels") : number_at(run.data, "conflicts")));
  for (const Json& finding : part(run.data, "findings")) {
    facts.add(finding.value("severity", "finding").c_str(), plain(fmt::format("{} {}", finding.value("column", ""), finding.value("text", ""))));
  }
  return facts.str("Data");
}

// How probabilities become answers, where the recipe says so.
std::string decision(const RunFiles& run) {
  std::string text;
  for (const std::string& line : decision_lines(run.quality)) text += "- " + line + "\n";
  return text.empty() ? "" : "## How it decides\n\n" + text + "\n";
}

std::string quality(const RunFiles& run) {
  std::string rows;
  for (const Measure& m : measures(run)) {
    if (std::isnan(m.value)) rows += fmt::format("| {} | undefined on these data | |\n", plain(m.name));
    else rows += fmt::format("| {} | {} | {} |\n", plain(m.name), m.text(), m.interval_text());
  }
  if (rows.empty()) return "";
  const double samples = number_at(run.quality, "samples"), tokens = number_at(run.quality, "tokens");
  const std::string on = std::isnan(samples) ? std::isnan(tokens) ? "" : counted(tokens) + " tokens" : counted(samples) + " samples";
  const char* held = run.quality.value("part", "") == "validation" ? "held out for validation" : "that training never saw";
  std::string text = fmt::format("## Quality\n\nMeasured on {} {}.\n\n| measure | value | {} |\n|---|---|---|\n{}\n", on, held, interval_name(run.quality), rows);
  const Json& interval = part(run.kfold, "interval");
  if (interval.size() == 2) {
    text += fmt::format("Cross-validation, {} times {} folds: accuracy {}, 95 % interval {} to {}.\n\n", run.kfold.value("repeats", 1), run.kfold.value("folds", 0),
                        percent_text(number_at(run.kfold, "mean")), percent_text(interval[0].get<double>()), percent_text(interval[1].get<double>()));
  }
  return text;
}

// What is answered without a model: what is met most often by all, what was a season before.
std::string beside_baselines(const RunFiles& run) {
  std::string text;
  for (const auto& [baseline, found] : part(run.quality, "baselines").items()) {
    const Json& gain = part(found, "gain");
    if (gain.empty()) continue;
    const Json& strangers = part(part(run.quality, "strangers"), "metrics");
    text += fmt::format("## Beside {}\n\n", plain(baseline));
    for (const auto& [name, measure] : part(found, "metrics").items()) {
      text += fmt::format("- {}: {}", plain(name), number_text(number_at(measure, "value")));
      text += strangers.empty() ? "\n" : fmt::format("; to the same users as strangers {}\n", number_text(number_at(part(strangers, name.c_str()), "value")));
    }
    const Json& interval = part(gain, "interval");
    if (interval.size() == 2) text += fmt::format("- this model better by {}, interval {} to {}\n", number_text(number_at(gain, "difference")), number_text(interval[0].is_number() ? interval[0].get<double>() : NAN), number_text(interval[1].is_number() ? interval[1].get<double>() : NAN));
    text += "\n";
  }
  return text;
}

// Of a forecaster: how often the truth lay within its intervals.
std::string intervals(const RunFiles& run) {
  std::string text;
  if (run.quality.value("task", "") != "forecast") return text;
  for (const Json& one : part(run.quality, "intervals")) text += fmt::format("- of {}: held {}, {} wide on average\n", percent_text(number_at(one, "share")), percent_text(number_at(one, "held")), number_text(number_at(one, "width")));
  return text.empty() ? "" : "## Intervals\n\n" + text + "\n";
}

// Of a FAQ: a search by whole words, and when a person takes over.
std::string beside_search(const RunFiles& run) {
  const Json& bm25 = part(part(run.quality, "rankings"), "BM25");
  if (bm25.empty()) return "";
  std::string text = "## Beside a search by words (BM25)\n\n";
  for (const auto& [name, measure] : bm25.items()) text += fmt::format("- {}: {}\n", plain(name), number_text(number_at(measure, "value")));
  const Json& gain = part(run.quality, "gain");
  const Json& interval = part(gain, "interval");
  if (interval.size() == 2) text += fmt::format("- this model more by {} in mrr, interval {} to {}\n", number_text(number_at(gain, "difference")), number_text(interval[0].is_number() ? interval[0].get<double>() : NAN), number_text(interval[1].is_number() ? interval[1].get<double>() : NAN));
  return text + fmt::format("\n## When a person takes over\n\nBelow a confidence of {:.3f}. Of the answers given, those right are the measure precision above; coverage is the share of questions with an answer that are given one.\n\n", number_at(run.quality, "least_confidence"));
}

// How far the probabilities are from what came true.
std::string calibration(const RunFiles& run) {
  double samples = 0, error = 0, worst = 0;
  std::string where;
  for (const Json& bin : part(run.quality, "reliability")) {
    const double count = number_at(bin, "samples"), off = std::abs(number_at(bin, "confidence") - number_at(bin, "frequency"));
    if (!(count > 0) || std::isnan(off)) continue;
    samples += count;
    error += count * off;
    if (count < 10 || off <= worst) continue;  // of a few samples the share is chance
    worst = off;
    where = fmt::format("; furthest off where it says {:.2f} on average: {:.2f} came true, of {} samples", number_at(bin, "confidence"), number_at(bin, "frequency"), counted(count));
  }
  if (samples == 0) return "";
  return fmt::format("## Calibration\n\nProbabilities are off by {:.3f} on average{}.\n\n", error / samples, where);
}

std::string worst_classes(const Json& quality) {
  const Json& all = part(quality, "classes");
  std::vector<const Json*> classes;
  for (const Json& c : all) {
    if (!std::isnan(number_at(c, "recall"))) classes.push_back(&c);
  }
  std::stable_sort(classes.begin(), classes.end(), [](const Json* a, const Json* b) { return number_at(*a, "recall") < number_at(*b, "recall"); });
  std::string text;
  for (size_t i = 0; i < std::min(kWorst, classes.size()); ++i) {
    const Json& c = *classes[i];
    text += fmt::format("- of \"{}\" it finds {} ({} samples), and is right in {} of what it calls so\n", plain(at(c, "name")), percent_text(number_at(c, "recall")),
                        counted(number_at(c, "samples")), percent_text(number_at(c, "precision")));
  }
  return text;
}

std::string confused(const Json& quality) {
  struct Pair {
    int64_t count;
    std::string actual, predicted;
  };
  std::vector<Pair> pairs;
  const Json &classes = part(quality, "classes"), &rows = part(quality, "confusion");
  for (size_t a = 0; a < rows.size() && a < classes.size(); ++a) {
    for (size_t p = 0; p < rows[a].size() && p < classes.size(); ++p) {
      if (a != p && rows[a][p].get<int64_t>() > 0) pairs.push_back({rows[a][p].get<int64_t>(), plain(at(classes[a], "name")), plain(at(classes[p], "name"))});
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.count > b.count; });
  std::string text;
  for (size_t i = 0; i < std::min(kWorst, pairs.size()); ++i) text += fmt::format("- \"{}\" taken for \"{}\": {} times\n", pairs[i].actual, pairs[i].predicted, pairs[i].count);
  return text;
}

std::string limits(const RunFiles& run) {
  std::string text = worst_classes(run.quality) + confused(run.quality);
  const Json& wrong = part(part(run.quality, "examples"), "wrong");
  if (!wrong.empty() && wrong[0].contains("probability")) {
    text += fmt::format("- surest mistake: \"{}\" for \"{}\", with {}\n", plain(at(wrong[0], "predicted")), plain(at(wrong[0], "actual")), percent_text(number_at(wrong[0], "probability")));
  } else if (!wrong.empty() && wrong[0].contains("predicted")) {
    text += fmt::format("- largest error: {} where it was {}\n", plain(at(wrong[0], "predicted")), plain(at(wrong[0], "actual")));
  }
  return text.empty() ? "" : "## Limits found\n\n" + text + "\n";
}

std::string reasons(const RunFiles& run) {
  const std::string text = explanation_summary(run.explanation);
  return text.empty() ? "" : "## Why it answers as it does\n\n```\n" + text + "```\n\n";
}

// Of a smaller model: what it was made of, and what that cost.
std::string compression(const RunFiles& run) {
  Facts facts;
  facts.add("made of", at(run.compression, "from"));
  facts.add("to", at(run.compression, "to"));
  facts.add("verdict", at(part(run.compression, "verdict"), "text"));
  return facts.str("Compression");
}

}  // namespace

std::string model_card(const RunFiles& run, const Json& split) {
  const std::string notice = run.quality.value("notice", "");
  std::string card = fmt::format("# {}\n\n", plain(at(run.info, "name")));
  if (!notice.empty()) card += fmt::format("**{}**\n\n", plain(notice));
  const Json& gates = part(run.quality, "gates");
  if (!gates.empty()) card += "```\n" + gates_text(gates) + "```\n\n";
  return card + what_it_is(run) + data(run, split) + quality(run) + compression(run) + beside_baselines(run) + intervals(run) + beside_search(run) + decision(run) + calibration(run) + limits(run) + reasons(run) + cost_text(run.info, run.quality);
}

fs::path write_model_card(const RunDirectory& run) {
  const fs::path path = run.bundle() / "card.md";
  try {
    write_file_atomic(path, model_card(RunFiles(run), run.json("split.json")));
  } catch (const Json::exception& error) {
    throw DataError("app.report", fmt::format("{}: a file of the run is not as danlu writes it: {}", run.path().string(), error.what()));
  }
  return path;
}

}  // namespace danlu::app
