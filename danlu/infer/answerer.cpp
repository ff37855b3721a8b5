#include "danlu/infer/answerer.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <numeric>
#include <optional>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/utf8.h"
#include "danlu/data/table/saved_state.h"
#include "danlu/engine/tensor/allocator.h"
#include "danlu/eval/choice_model.h"
#include "danlu/learn/train/checkpoint.h"

namespace danlu::infer {
namespace {

constexpr const char* kWhere = "infer.answerer";
constexpr const char* kFormat = "danlu-faq";
constexpr int64_t kFormatVersion = 1;
constexpr const char* kModelFile = "model.safetensors";
constexpr const char* kConfigFile = "config.json";
constexpr const char* kFaqFile = "faq.json";
constexpr const char* kTokensFile = "preprocess.json";

fs::path bundle_of(const fs::path& given) { return fs::exists(given / "bundle" / kConfigFile) ? given / "bundle" : given; }

// With room for no more weights than their file can hold: absurd widths are refused before their memory is taken.
std::unique_ptr<models::Retriever> read_model(const fs::path& directory, const Json& config, const data::TextTokens& tokens) {
  const fs::path weights = directory / kModelFile;
  const std::string source = (directory / kConfigFile).string();
  std::error_code error;
  const auto file_bytes = fs::file_size(weights, error);
  if (error) throw FileError(kWhere, fmt::format("cannot read {}: {}", weights.string(), error.message()));
  constexpr int64_t kSpare = 1 << 20;  // rounding of small blocks
  std::unique_ptr<models::Retriever> model;
  try {
    const AllocationLimit limit(2 * static_cast<int64_t>(file_bytes) + kSpare);
    model = models::make_retriever(config.at("model"), tokens.vocab_size(), tokens.length());
  } catch (const Json::exception& wrong) {
    throw DataError(kWhere, fmt::format("{}: {}", source, wrong.what()));
  } catch (const ConfigError& refused) {
    throw DataError(kWhere, fmt::format("{}: {}", source, refused.message()));
  } catch (const ShapeError& refused) {
    throw DataError(kWhere, fmt::format("{}: {}", source, refused.message()));
  } catch (const std::bad_alloc&) {
    throw DataError(kWhere, fmt::format("{}: describes a model that is larger than {} ({} bytes)", source, weights.string(), file_bytes));
  }
  train::load_checkpoint(weights, *model);
  model->eval();
  return model;
}

}  // namespace

Json AnswerDecision::to_json() const { return {{"weights", weights}, {"least_confidence", least_confidence}, {"context", context}}; }

AnswerDecision AnswerDecision::from_json(const Json& json, const std::string& source) {
  const data::SavedState state(json, source);
  AnswerDecision decision{state.numbers("weights"), state.number("least_confidence"), state.number("context")};
  if (std::ssize(decision.weights) != FaqSearch::kFeatures) state.fail("weights", fmt::format("{} numbers", FaqSearch::kFeatures));
  if (!(decision.least_confidence >= 0)) state.fail("least_confidence", "a number from 0");
  if (!(decision.context >= 0 && decision.context <= 1)) state.fail("context", "a number from 0 to 1");
  return decision;
}

Answerer::Answerer(const fs::path& given) {
  const fs::path directory = bundle_of(given), config_path = directory / kConfigFile;
  config_ = read_json(config_path);
  try {
    if (config_.at("format") != kFormat) throw DataError(kWhere, fmt::format("{}: not the configuration of a FAQ", config_path.string()));
    if (config_.at("format_version").get<int64_t>() > kFormatVersion) {
      throw DataError(kWhere, fmt::format("{}: format_version: got {}; this program reads up to {}: take a newer danlu", config_path.string(), to_line(config_.at("format_version")), kFormatVersion));
    }
    name_ = config_.at("name").get<std::string>();
    notice_ = config_.at("notice").get<std::string>();
    hand_over_ = config_.at("hand_over").get<std::string>();
    decision_ = AnswerDecision::from_json(config_.at("decision"), config_path.string());
  } catch (const Json::exception& error) {
    throw DataError(kWhere, fmt::format("{}: {}", config_path.string(), error.what()));
  }
  const fs::path faq_path = directory / kFaqFile, tokens_path = directory / kTokensFile;
  faq_ = data::Faq::from_json(read_json(faq_path), faq_path.string());
  tokens_ = std::make_unique<data::TextTokens>(data::TextTokens::from_json(read_json(tokens_path), tokens_path.string()));
  model_ = read_model(directory, config_, *tokens_);
  search_ = std::make_unique<FaqSearch>(faq_, all_questions(faq_), *model_, *tokens_);
}

Answer Answerer::answer(std::string_view question, std::span<const std::string> before) const {
  if (question.size() > kLongestQuestion) throw DataError(kWhere, fmt::format("got a question of {} bytes; expected at most {}", question.size(), kLongestQuestion));
  if (!is_utf8(question)) throw DataError(kWhere, "got a question that is not UTF-8; expected text");
  if (question.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos) throw DataError(kWhere, "got an empty question; expected some words");

  std::vector<double> best;
  double confidence = -1;
  std::vector<QueryPart> query{{question, 1}};
  const size_t readings = 1 + (decision_.context > 0 ? std::min(before.size(), kTurns) : 0);
  for (size_t reading = 0; reading < readings; ++reading) {
    if (reading > 0) query.push_back({before[before.size() - reading], query.back().weight * decision_.context});
    std::vector<double> p = eval::choice_probabilities(search_->features(query), decision_.weights);
    const double most = *std::max_element(p.begin(), p.end() - 1);  // the last one is "none of them"
    if (most <= confidence) continue;
    confidence = most;
    best = std::move(p);
  }

  std::vector<size_t> order(static_cast<size_t>(faq_.size()));
  std::iota(order.begin(), order.end(), size_t{0});
  const size_t shown = std::min(order.size(), kSources);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(), [&](size_t a, size_t b) { return best[a] != best[b] ? best[a] > best[b] : a < b; });
  Answer answer;
  answer.confidence = confidence;
  answer.hand_over = confidence < decision_.least_confidence;
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

bool is_answerer(const fs::path& given) {
  const fs::path path = bundle_of(given) / kConfigFile;
  if (!fs::exists(path)) return false;
  const Json config = read_json(path);
  return config.is_object() && config.value("format", Json()) == kFormat;
}

void write_answerer(const fs::path& directory, const AnswererBundle& bundle, const models::Retriever& model, const data::Faq& faq, const data::TextTokens& tokens) {
  make_directories(directory);
  train::save_checkpoint(directory / kModelFile, model, nullptr, Json::object());
  write_json(directory / kFaqFile, faq.to_json());
  write_json(directory / kTokensFile, tokens.to_json());
  write_json(directory / kConfigFile, {{"format", kFormat}, {"format_version", kFormatVersion}, {"name", bundle.name}, {"notice", bundle.notice}, {"hand_over", bundle.hand_over},
                                       {"entries", faq.size()}, {"questions", faq.num_questions()}, {"decision", bundle.decision.to_json()}, {"model", bundle.model}, {"training", bundle.training}});
}

}  // namespace danlu::infer
