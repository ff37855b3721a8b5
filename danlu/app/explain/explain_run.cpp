#include "danlu/app/explain/explain_run.h"

#include <algorithm>

#include "danlu/app/explain/heat_map.h"
#include "danlu/app/explain/importance.h"
#include "danlu/app/explain/word_weights.h"
#include "danlu/base/base64.h"
#include "danlu/base/format.h"
#include "danlu/data/image/decode.h"
#include "danlu/infer/explanation.h"

namespace danlu::app {
namespace {

constexpr size_t kTexts = 60;  // to gather words from
constexpr size_t kColumns = 12;  // for people

// How many of each group of telling examples.
constexpr std::pair<const char*, size_t> kGroups[] = {{"right", 6}, {"wrong", 4}, {"unsure", 2}};

infer::Explanation explain_sample(const DataSource& source, infer::Predictor& predictor, int64_t sample, data::Image* image = nullptr) {
  const auto run = [&](const Tensor& x) { return predictor.run(x); };
  const Json question = source.example(predictor, sample);
  if (!question.contains("image")) return infer::explain(predictor, data::table_from_rows(question.at("rows"), "sample", predictor.missing()), run).at(0);
  *image = data::decode_image(base64_decode(question["image"].get<std::string>()).value_or(""), "sample");
  return infer::explain(predictor, std::span<const data::Image>(image, 1), run).at(0);
}

Json explained(const DataSource& source, infer::Predictor& predictor, const Json& example, WordWeights& words) {
  data::Image image;
  const infer::Explanation explanation = explain_sample(source, predictor, example.at("sample"), &image);
  Json json = {{"sample", example.at("sample")}, {"actual", example.at("actual")}, {"predicted", example.at("predicted")}, {"explanation", infer::to_json(explanation)}};
  if (explanation.input == infer::InputKind::image) json["map"] = base64_encode(data::encode_png(heat_map(image, explanation)));
  if (explanation.input == infer::InputKind::text) words.add(explanation);
  return json;
}

// Of a forecast: what an input is worth for the nearest period and for the farthest.
std::string ahead_text(const Json& by_step) {
  if (by_step.size() < 2 || !by_step.front().is_number() || !by_step.back().is_number()) return "";
  return fmt::format("   1 ahead {:+.4f}, {} ahead {:+.4f}", by_step.front().get<double>(), by_step.size(), by_step.back().get<double>());
}

}  // namespace

Json explain_run(const DataSource& source, infer::Predictor& predictor, std::span<const int64_t> samples, const eval::Predictions& predictions, const Json& examples,
                 double seconds) {
  const Timer timer;
  if (seconds <= 0 || samples.empty()) return nullptr;
  Json json = {{"input", infer::name_of(source.kind())}};
  if (source.kind() == infer::InputKind::table) json["importance"] = column_importance(predictor, source.encode(predictor, samples), predictions, seconds / 2);
  WordWeights words;
  Json list = Json::array();
  for (const auto& [group, most] : kGroups) {
    const auto found = examples.find(group);
    if (found == examples.end()) continue;
    for (size_t i = 0; i < std::min(most, found->size()) && timer.seconds() < seconds; ++i) {
      list.push_back(explained(source, predictor, (*found)[i], words));
      list.back()["group"] = group;
    }
  }
  json["samples"] = std::move(list);
  if (source.kind() == infer::InputKind::text) {
    const size_t step = std::max<size_t>(1, samples.size() / kTexts);
    for (size_t i = 0; i < samples.size() && static_cast<size_t>(words.texts()) < kTexts && timer.seconds() < seconds; i += step) {
      words.add(explain_sample(source, predictor, samples[i]));
    }
    json["words"] = words.to_json();
  }
  json["seconds"] = timer.seconds();
  return json;
}

std::string explanation_summary(const Json& explanation) {
  if (!explanation.is_object()) return "";
  std::string text;
  if (const auto importance = explanation.find("importance"); importance != explanation.end() && importance->is_object()) {
    const Json& columns = importance->at("columns");
    text += fmt::format("What the columns are worth: how much worse {} is when one is shuffled, {} samples, {} times\n", importance->at("metric").get<std::string>(),
                        importance->at("samples").get<int64_t>(), importance->at("repeats").get<int64_t>());
    for (size_t i = 0; i < std::min(kColumns, columns.size()); ++i) {
      text += fmt::format("  {:<28} {:+.4f} +- {:.4f}{}\n", columns[i].at("column").get<std::string>(), columns[i].at("importance").get<double>(), columns[i].at("spread").get<double>(),
                          ahead_text(columns[i].value("by_step", Json::array())));
    }
    if (columns.size() > kColumns) text += fmt::format("  and {} columns that are worth less\n", columns.size() - kColumns);
  }
  if (const auto words = explanation.find("words"); words != explanation.end() && words->is_object()) {
    text += fmt::format("What words say, in {} texts\n", words->at("texts").get<int64_t>());
    for (const Json& of_class : words->at("classes")) {
      for (const char* side : {"for", "against"}) {
        std::vector<std::string> said;
        for (const Json& word : of_class.at(side)) said.push_back(word.at("word").get<std::string>());
        const std::string name = of_class.at("class").get<std::string>();
        if (!said.empty()) text += fmt::format("  {} {}: {}\n", side, name.empty() ? "more" : name, fmt::join(said, ", "));
      }
    }
  }
  return text;
}

std::string explanation_text(const Json& explanation) {
  if (!explanation.is_object()) return "";
  std::string text = explanation_summary(explanation);
  for (const Json& sample : explanation.value("samples", Json::array())) {
    const Json& e = sample.at("explanation");
    if (!e.contains("reasons")) continue;
    const auto word = [](const Json& value) { return value.is_string() ? value.get<std::string>() : to_line(value); };
    const std::string of = e.contains("class") ? word(e.at("class")) + ": " : "";  // what is explained: of several labels the likeliest
    text += fmt::format("sample {}: {}, said to be {}; {}{:.3g} where the average is {:.3g}\n", sample.at("sample").get<int64_t>(), word(sample.at("actual")), word(sample.at("predicted")), of,
                        e.at("answer").get<double>(), e.at("baseline").get<double>());
    for (const Json& reason : e.at("reasons")) text += fmt::format("  {}\n", reason.get<std::string>());
  }
  return text;
}

}  // namespace danlu::app
