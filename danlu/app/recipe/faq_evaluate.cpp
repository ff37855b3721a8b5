// From bundle to numbers: the test questions are asked here alone, of weights that come from disk.
#include <algorithm>
#include <cmath>

#include "danlu/app/recipe/faq_pipeline.h"
#include "danlu/app/recipe/faq_quality.h"
#include "danlu/app/recipe/interval_name.h"
#include "danlu/app/recipe/latency.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/timer.h"
#include "danlu/eval/measure_json.h"
#include "danlu/eval/report.h"
#include "danlu/eval/text_table.h"

namespace danlu::app {
namespace {

constexpr size_t kExamples = 5;  // of each kind

// A way to rank the answers.
struct Ranking {
  std::string name;
  std::vector<int64_t> ranks;  // of the right answer, for each test question
};

std::string text_of(const Json& measure) {
  if (!measure.at("value").is_number()) return "undefined";
  const Json interval = measure.value("interval", Json());
  return interval.is_array() ? fmt::format("{:.3f} ({:.3f} to {:.3f})", measure["value"].get<double>(), interval[0].get<double>(), interval[1].get<double>())
                             : fmt::format("{:.3f}", measure["value"].get<double>());
}

std::string page_of(const Json& report) {
  using enum eval::TextTable::Align;
  eval::TextTable table({left, right, right, right});
  table.add_row({"", "recall@1", "recall@3", "mrr"});
  for (const auto& [name, m] : report.at("rankings").items()) table.add_row({name, text_of(m["recall@1"]), text_of(m["recall@3"]), text_of(m["mrr"])});
  const Json& gain = report.at("gain");
  const Json& m = report.at("metrics");
  std::string page = table.str() + fmt::format("mrr over BM25: {:+.4f}, {} {:+.4f} to {:+.4f}\n\n", gain["difference"].get<double>(), interval_name(report), gain["interval"][0].get<double>(), gain["interval"][1].get<double>());
  page += fmt::format("answers are given from a confidence of {:.3f} on\n", report.at("least_confidence").get<double>());
  page += fmt::format("  {:<44}{}\n  {:<44}{}\n", "of answers given, right", text_of(m["precision"]), "of questions with an answer, answered", text_of(m["coverage"]));
  if (m.contains("off_topic_coverage")) page += fmt::format("  {:<44}{}\n", "of questions off topic, answered", text_of(m["off_topic_coverage"]));
  page += fmt::format("  {:<44}{}\n", "expected calibration error", text_of(m["ece"]));
  page += fmt::format("{} held-out questions, which are not among those that can be found; {} off topic\n", report.at("samples").get<int64_t>(), report.at("off_topic").get<int64_t>());
  return page;
}

// Weights that see some of the features alone.
std::vector<double> only(std::span<const double> weights, std::initializer_list<size_t> features) {
  std::vector<double> some(weights.size(), 0.0);
  for (const size_t feature : features) some[feature] = weights[feature];
  return some;
}

std::vector<int64_t> ranks_of(std::span<const eval::Choice> choices, const std::vector<double>& weights) {
  std::vector<int64_t> ranks;
  for (const eval::Choice& choice : choices) {
    if (const Asked asked = outcome_of(choice, weights); asked.has_answer) ranks.push_back(asked.rank);
  }
  return ranks;
}

}  // namespace

Evaluation FaqPipeline::measure() {
  const infer::Answerer answerer(directory_.bundle());
  const infer::AnswerDecision& decision = answerer.decision();
  const eval::BootstrapOptions& bootstrap = recipe_.evaluate.report.bootstrap;
  const std::vector<std::vector<std::string>> known = findable();
  const infer::FaqSearch search(source().faq, known, answerer.model(), answerer.tokens());
  const std::vector<Question> questions = asked(data::Part::test);
  const Timer timer;
  const CpuTimer cpu;
  const std::vector<eval::Choice> choices = this->choices(search, questions);
  const Effort effort{timer.seconds(), cpu.seconds()};
  std::vector<Asked> outcomes;
  for (const eval::Choice& choice : choices) outcomes.push_back(outcome_of(choice, decision.weights));

  // BM25 over all that an entry has, by words, is what a search without learning is.
  std::vector<std::string> texts;
  for (size_t entry = 0; entry < known.size(); ++entry) {
    texts.push_back(source().faq.entries()[entry].answer);
    for (const std::string& question : known[entry]) texts.back() += "\n" + question;
  }
  const infer::LexicalIndex bm25(texts, data::TermKind::words);
  Ranking baseline{"BM25", {}};
  for (const Question& question : questions) {
    if (question.entry < 0) continue;
    const infer::QueryPart part{question.text};
    const std::vector<float> scores = bm25.scores({&part, 1});
    baseline.ranks.push_back(rank_of(std::vector<double>(scores.begin(), scores.end()), question.entry));
  }
  const std::vector<Ranking> rankings = {{"words and meaning", ranks_of(choices, decision.weights)}, {"words alone", ranks_of(choices, only(decision.weights, {0, 1}))},
                                         {"meaning alone", ranks_of(choices, only(decision.weights, {2}))}, baseline};

  Json json = {{"task", "faq"}, {"samples", baseline.ranks.size()}, {"off_topic", questions.size() - baseline.ranks.size()}, {"confidence", bootstrap.confidence}};
  json["metrics"] = ranking_metrics(rankings.front().ranks, bootstrap);
  json["metrics"].update(answering_metrics(outcomes, decision.least_confidence, bootstrap));
  json["reliability"] = eval::to_json(reliability_of(outcomes));
  json["least_confidence"] = decision.least_confidence;
  json["weights"] = decision.weights;
  for (const Ranking& ranking : rankings) json["rankings"][ranking.name] = ranking_metrics(ranking.ranks, bootstrap);
  const eval::PairedComparison gain = compare_ranks(rankings.front().ranks, baseline.ranks, bootstrap);
  json["gain"] = eval::to_json(gain);
  json["weights_hash"] = answerer.config().value("training", Json::object()).value("weights_hash", Json(nullptr));
  json["samples_per_second"] = static_cast<double>(questions.size()) / effort.seconds;
  const std::string page = page_of(json);

  SingleAnswers single = time_single_answers(questions.size(), [&](size_t i) { answerer.answer(questions[i].text); });
  Json details;
  const std::optional<double>& price = recipe_.evaluate.price_per_hour;
  details["cost"] = {{"answers one by one", per_thousand(static_cast<double>(single.seconds.size()), single.effort, price)}};
  details["latency"] = {{"one question", percentiles(std::move(single.seconds))}};
  // The most confident of each kind: those that tell the most.
  std::vector<size_t> order(questions.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return outcomes[a].confidence > outcomes[b].confidence; });
  const auto& entries = source().faq.entries();
  std::map<std::string, size_t> shown;
  details["answers"] = Json::array();
  for (const size_t i : order) {
    const Asked& outcome = outcomes[i];
    const bool given = outcome.confidence >= decision.least_confidence;
    const std::string kind = given ? (outcome.rank == 1 ? "right" : outcome.has_answer ? "wrong" : "answered off topic") : outcome.has_answer ? "handed over" : "handed over off topic";
    if (++shown[kind] > kExamples) continue;
    details["answers"].push_back({{"kind", kind}, {"question", questions[i].text}, {"answered", entries[static_cast<size_t>(outcome.first)].questions.front()},
                                {"right", outcome.has_answer ? Json(entries[static_cast<size_t>(questions[i].entry)].questions.front()) : Json(nullptr)}, {"confidence", outcome.confidence}});
  }
  return {.measured = std::move(json), .text = page, .details = std::move(details), .example_request = {{"model", answerer.name()}, {"message", questions.front().text}}};
}

}  // namespace danlu::app
