#include "danlu/infer/answerer.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/utf8.h"
#include "danlu/data/table/saved_state.h"
#include "danlu/data/text/trim.h"
#include "danlu/eval/choice_model.h"
#include "danlu/infer/bounded_model.h"
#include "danlu/infer/bundle_directory.h"
#include "danlu/learn/train/checkpoint.h"

namespace danlu::infer {
namespace {

constexpr const char* kWhere = "infer.answerer";
constexpr BundleFormat kFormat = {"danlu-faq", 1, "a FAQ"};
constexpr const char* kFaqFile = "faq.json";
constexpr double kMostWeight = 1e6;  // of a feature: far above what a choice model finds, and far below what overflows

// Throws DataError for what is no text of a dialogue.
void check_text(std::string_view text, const char* what) {
  if (text.size() > Answerer::kLongestQuestion) throw DataError(kWhere, fmt::format("got {} of {} bytes; expected at most {}", what, text.size(), Answerer::kLongestQuestion));
  if (!is_utf8(text)) throw DataError(kWhere, fmt::format("got {} that is not UTF-8; expected text", what));
}

}  // namespace

Json AnswerDecision::to_json() const { return {{"weights", weights}, {"least_confidence", least_confidence}, {"context", context}}; }

AnswerDecision AnswerDecision::from_json(const Json& json, const std::string& source) {
  const data::SavedState state(json, source);
  AnswerDecision decision{state.numbers("weights"), state.number("least_confidence"), state.number("context")};
  const bool bounded = std::all_of(decision.weights.begin(), decision.weights.end(), [](double w) { return std::abs(w) <= kMostWeight; });
  if (std::ssize(decision.weights) != FaqSearch::kFeatures || !bounded) state.fail("weights", fmt::format("{} numbers from -{:g} to {:g}", FaqSearch::kFeatures, kMostWeight, kMostWeight));
  if (!(decision.least_confidence >= 0)) state.fail("least_confidence", "a number from 0");
  if (!(decision.context >= 0 && decision.context <= 1)) state.fail("context", "a number from 0 to 1");
  return decision;
}

Answerer::Answerer(const fs::path& given) {
  const fs::path directory = bundle_directory(given), config_path = directory / kConfigFile;
  config_ = read_json(config_path);
  try {
    check_format(config_, kFormat, config_path.string(), kWhere);
    name_ = config_.at("name").get<std::string>();
    notice_ = config_.at("notice").get<std::string>();
    hand_over_ = config_.at("hand_over").get<std::string>();
    decision_ = AnswerDecision::from_json(config_.at("decision"), config_path.string());
  } catch (const Json::exception& error) {
    throw DataError(kWhere, fmt::format("{}: {}", config_path.string(), error.what()));
  }
  const fs::path faq_path = directory / kFaqFile, tokens_path = directory / kPreprocessFile, weights = directory / kModelFile;
  faq_ = data::Faq::from_json(read_json(faq_path), faq_path.string());
  tokens_ = std::make_unique<data::TextTokens>(data::TextTokens::from_json(read_json(tokens_path), tokens_path.string()));
  make_bounded(weights, config_path.string(), kWhere, [&] { model_ = models::make_retriever(config_.at("model"), tokens_->vocab_size(), tokens_->length()); });
  train::load_checkpoint(weights, *model_);
  model_->eval();
  try {
    search_ = std::make_unique<FaqSearch>(faq_, all_questions(faq_), *model_, *tokens_);
  } catch (const DataError& error) {
    throw DataError(kWhere, fmt::format("{}: {}", weights.string(), error.message()));
  }
}

Answer Answerer::answer(std::string_view question, std::span<const std::string> before) const {
  check_text(question, "a question");
  if (data::trimmed(question).empty()) throw DataError(kWhere, "got an empty question; expected some words");
  before = before.last(decision_.context > 0 ? std::min(before.size(), kTurns) : 0);
  for (const std::string& turn : before) check_text(turn, "an earlier question");

  std::vector<double> best;
  double confidence = -1;
  std::vector<QueryPart> query{{question, 1}};
  for (size_t reading = 0; reading <= before.size(); ++reading) {
    if (reading > 0) query.push_back({before[before.size() - reading], query.back().weight * decision_.context});
    std::vector<double> p = eval::choice_probabilities(search_->features(query), decision_.weights);
    const double most = *std::max_element(p.begin(), p.end() - 1);  // the last one is "none of them"
    if (reading > 0 && !(most > confidence)) continue;
    confidence = most;
    best = std::move(p);
  }

  std::vector<size_t> order(static_cast<size_t>(faq_.size()));
  std::iota(order.begin(), order.end(), size_t{0});
  const size_t shown = std::min(order.size(), kSources);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(), [&](size_t a, size_t b) { return best[a] != best[b] ? best[a] > best[b] : a < b; });
  Answer answer;
  answer.confidence = confidence;
  answer.hand_over = !(confidence >= decision_.least_confidence);
  answer.text = answer.hand_over ? hand_over_ : faq_.entries()[order.front()].answer;
  for (size_t i = 0; i < shown; ++i) {
    const data::FaqEntry& entry = faq_.entries()[order[i]];
    answer.sources.push_back({entry.id, entry.questions.front(), entry.url, best[order[i]]});
  }
  answer.notice = notice_;
  return answer;
}

Json to_json(const Answer& a) {
  Json sources = Json::array();
  for (const Answer::Source& s : a.sources) {
    Json source = {{"id", s.id}, {"question", s.question}};
    if (!s.url.empty()) source["url"] = s.url;
    source["confidence"] = s.confidence;
    sources.push_back(std::move(source));
  }
  Json json = {{"answer", a.text}, {"hand_over", a.hand_over}, {"confidence", a.confidence}, {"sources", std::move(sources)}};
  if (!a.notice.empty()) json["notice"] = a.notice;
  return json;
}

bool is_answerer(const fs::path& given) { return has_format(given, kFormat); }

void write_answerer(const fs::path& directory, const AnswererBundle& bundle, const models::Retriever& model, const data::Faq& faq, const data::TextTokens& tokens) {
  make_directories(directory);
  train::save_checkpoint(directory / kModelFile, model, nullptr, Json::object());
  write_json(directory / kFaqFile, faq.to_json());
  write_json(directory / kPreprocessFile, tokens.to_json());
  Json config = format_fields(kFormat);
  config.update({{"name", bundle.name}, {"notice", bundle.notice}, {"hand_over", bundle.hand_over}, {"entries", faq.size()}, {"questions", faq.num_questions()}, {"decision", bundle.decision.to_json()},
                 {"model", bundle.model}, {"training", bundle.training}});
  write_json(directory / kConfigFile, config);
}

}  // namespace danlu::infer
