#include <algorithm>
#include <cmath>

#include "danlu/app/recipe/interval_name.h"
#include "danlu/app/report/html.h"
#include "danlu/app/report/sections.h"
#include "danlu/base/format.h"
#include "danlu/eval/metrics.h"

namespace danlu::app {
namespace {

// What is read first, of what there is.
constexpr const char* kHeadlines[] = {"accuracy", "auc", "f1", "f1_micro", "f1_macro", "mean_average_precision", "recall", "log_loss",  "r2",
                                      "skill", "rmse", "mae", "mase", "perplexity", "bits_per_byte", "token_accuracy", "loss",
                                      "silhouette", "explained_variance", "stability", "davies_bouldin",
                                      "frechet_distance", "diversity", "nearest_distance", "copies", "reconstruction_error",
                                      "ndcg@",    "recall@", "map",      "coverage@", "mrr", "precision", "coverage", "off_topic_coverage"};  // those of a ranking with any k
constexpr size_t kTiles = 4;

std::string display_name(const std::string& key) {
  // Of one of several targets: "sold.auc".
  if (const size_t dot = key.rfind('.'); dot != std::string::npos) return key.substr(0, dot) + ": " + display_name(key.substr(dot + 1));
  for (const eval::Metric& metric : eval::all_metrics()) {
    if (key == metric.name) return metric.display;
  }
  if (key == "map" || key == "mase" || key == "mrr") return key == "map" ? "MAP" : key == "mase" ? "MASE" : "MRR";
  if (key == "smape") return "sMAPE";
  if (key.starts_with("ndcg@")) return "NDCG" + key.substr(4);
  std::string name = key;
  std::replace(name.begin(), name.end(), '_', ' ');
  if (!name.empty()) name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
  return name;
}

// The metric of a key: "auc" of "sold.auc".
std::string metric_of(const std::string& key) { return key.substr(key.rfind('.') + 1); }

bool is_share(const std::string& key) {
  const std::string metric = metric_of(key);
  for (const char* word : {"accuracy", "precision", "recall", "specificity", "coverage", "explained_variance", "skill", "smape"}) {
    if (metric.find(word) != std::string::npos) return true;
  }
  return false;
}

bool is_recommender(const RunFiles& run) { return run.quality.value("task", "") == "recommendation"; }
bool is_forecaster(const RunFiles& run) { return run.quality.value("task", "") == "forecast"; }

// What people call a type of model, with its article; the others are the words of the recipe.
constexpr std::pair<const char*, const char*> kModels[] = {
    {"logistic", "A logistic regression"}, {"mlp", "An MLP"}, {"cnn", "A CNN"}, {"vgg", "A VGG"}, {"resnet", "A ResNet"}, {"mobilenet", "A MobileNet"}, {"vit", "A ViT"},
    {"autoencoder", "An autoencoder"}, {"gan", "A GAN"}, {"rnn", "An RNN"}, {"lstm", "An LSTM"}, {"gru", "A GRU"}, {"encoder", "An encoder"},
    {"bag_of_ngrams", "A bag of n-grams"}, {"kmeans", "A k-means"}, {"gpt", "A language model"}};

std::string model_type(const RunFiles& run) {
  const Json& model = part(run.options, "model");
  return model.is_object() ? model.value("type", "") : "";
}

std::string model_name(const RunFiles& run) {
  std::string words = model_type(run);
  for (const auto& [type, name] : kModels) {
    if (words == type) return name;
  }
  std::replace(words.begin(), words.end(), '_', ' ');
  if (is_recommender(run)) return "A recommender (" + words + ")";
  return words.empty() ? "A model" : "A " + words;
}

// "An MLP of 1,025 parameters, trained for 60 epochs in 1.1 s; measured on 114 samples that training never saw."
std::string lead(const RunFiles& run) {
  std::string text = model_name(run);
  const double parameters = number_at(run.info, "parameters");
  if (!std::isnan(parameters)) text += fmt::format(" of {} parameters", count_text(std::llround(parameters)));
  const Json& training = part(run.info, "training");
  if (model_type(run) == "kmeans" && !training.empty()) {
    text += fmt::format(", fitted in {}", seconds_text(number_at(training, "seconds")));
  } else if (!training.empty()) {
    const double epochs = number_at(training, "epochs");
    text += fmt::format(", trained for {:.3g} {} in {}", epochs, epochs == 1 ? "epoch" : "epochs", seconds_text(number_at(training, "seconds")));
  }
  const double samples = number_at(run.quality, "samples"), tokens = number_at(run.quality, "tokens");
  const double seen = std::isnan(samples) ? tokens : samples;
  if (is_recommender(run)) {
    text += fmt::format("; measured on what {} users met last, which training never saw", count_text(std::llround(samples)));
  } else if (is_forecaster(run)) {
    text += fmt::format("; measured by walking forward over {} windows of a time that training never saw", count_text(std::llround(samples)));
  } else if (!std::isnan(seen)) {
    const bool validation = run.quality.value("part", "") == "validation";
    text += fmt::format("; measured on {} {} {}", count_text(std::llround(seen)), std::isnan(samples) ? "tokens" : "samples",
                        validation ? "held out for validation" : "that training never saw");
  }
  return text + ".";
}

// The notice of the recipe, and what became of its gates.
std::string verdict(const Json& quality) {
  std::string html;
  const std::string notice = quality.value("notice", "");
  if (!notice.empty()) html += fmt::format("<div class=\"warning\">{}</div>\n", escaped(notice));
  const Json& gates = part(quality, "gates");
  if (gates.empty()) return html;
  HtmlTable table("lrll");
  table.head({"quality gate", "value", "bound", ""});
  for (const Json& m : part(gates, "measures")) {
    table.add({escaped(display_name(m.value("metric", ""))), number_text(number_at(m, "value")),
               fmt::format("{} {}", m.value("better", "") == "higher" ? "at least" : "at most", number_text(number_at(m, "bound"))),
               m.value("passed", false) ? "passed" : "<span class=\"bad\">failed</span>"});
  }
  return html + table.str();
}

std::string tile(const std::string& label, const std::string& value, const std::string& below) {
  return fmt::format("<div class=\"tile\"><div class=\"label\">{}</div><div class=\"value\">{}</div><div class=\"range\">{}</div></div>\n", label, value, below);
}

}  // namespace

std::string Measure::text() const { return is_share ? percent_text(value) : number_text(value); }

std::string Measure::interval_text() const {
  if (!std::isfinite(interval.low) || !std::isfinite(interval.high)) return "";
  if (is_share) return fmt::format("{:.1f} to {}", 100 * interval.low, percent_text(interval.high));
  return fmt::format("{} to {}", number_text(interval.low), number_text(interval.high));
}

std::vector<Measure> measures(const RunFiles& run) {
  std::vector<Measure> all;
  for (const auto& [key, json] : part(run.quality, "metrics").items()) {
    Measure m;
    m.key = key;
    m.name = display_name(key);
    m.value = number_at(json, "value");
    const Json& pair = part(json, "interval");
    const bool has_pair = pair.is_array() && pair.size() == 2 && pair[0].is_number() && pair[1].is_number();
    m.interval = has_pair ? Range{pair[0].get<double>(), pair[1].get<double>()} : Range{number_at(json, "low"), number_at(json, "high")};
    m.is_share = is_share(key);
    m.higher_is_better = json.value("better", m.is_share ? "higher" : "lower") == "higher";
    all.push_back(std::move(m));
  }
  return all;
}

std::string headline(const RunFiles& run) {
  const std::string state = run.status == "finished" ? "" : fmt::format(" · <span class=\"bad\">{}</span>", escaped(run.status));
  std::string html = fmt::format("<p class=\"kicker\">danlu · {}{}</p>\n<h1>{}</h1>\n<p class=\"lead\">{}</p>\n",
                                 escaped(time_text(run.info.value("finished", run.info.value("started", "")))), state, escaped(run.info.value("name", run.name)), escaped(lead(run)));
  html += verdict(run.quality);
  std::string tiles;
  size_t shown = 0;
  bool any_interval = false;
  const std::vector<Measure> all = measures(run);
  for (const char* key : kHeadlines) {
    const auto m = std::find_if(all.begin(), all.end(), [&](const Measure& measure) {
      const std::string name = metric_of(measure.key);
      return name.substr(0, name.find('@') + 1) == key || name == key;
    });
    if (m == all.end() || shown == kTiles || std::isnan(m->value)) continue;
    std::string value = escaped(m->text());
    if (m->is_share) value = fmt::format("{:.1f}<small> %</small>", 100 * m->value);
    const std::string range = m->interval_text();
    tiles += tile(escaped(m->name), value, escaped(range));
    any_interval = any_interval || !range.empty();
    ++shown;
  }
  if (!tiles.empty()) html += "<div class=\"tiles\">\n" + tiles + "</div>\n" + (any_interval ? fmt::format("<p class=\"note\">Below each: its {}.</p>\n", interval_name(run.quality)) : "");
  if (run.info.contains("error") && run.info["error"].is_string()) html += fmt::format("<div class=\"warning failure\">{}</div>\n", escaped(run.info["error"].get<std::string>()));
  return html;
}

}  // namespace danlu::app
