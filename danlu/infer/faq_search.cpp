#include "danlu/infer/faq_search.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/text/token_ids.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/linear.h"

namespace danlu::infer {
namespace {

constexpr int64_t kTextsAtOnce = 64;

enum Feature : uint8_t { kQuestions, kText, kPassage, kNone };

std::vector<std::string> whole_texts(const data::Faq& faq, std::span<const std::vector<std::string>> questions) {
  std::vector<std::string> texts;
  for (size_t entry = 0; entry < questions.size(); ++entry) {
    std::string& text = texts.emplace_back(faq.entries()[entry].answer);
    for (const std::string& question : questions[entry]) text += "\n" + question;
  }
  return texts;
}

std::vector<std::vector<std::string>> passages(const data::Faq& faq) {
  std::vector<std::vector<std::string>> all;
  for (const data::FaqEntry& entry : faq.entries()) all.push_back(data::passages_of(entry.answer));
  return all;
}

}  // namespace

FaqSearch::OfEntries FaqSearch::flat(std::span<const std::vector<std::string>> texts) {
  OfEntries all;
  for (size_t entry = 0; entry < texts.size(); ++entry) {
    all.texts.insert(all.texts.end(), texts[entry].begin(), texts[entry].end());
    all.entries.insert(all.entries.end(), texts[entry].size(), static_cast<int64_t>(entry));
  }
  return all;
}

FaqSearch::FaqSearch(const data::Faq& faq, std::span<const std::vector<std::string>> questions, models::Retriever& model, const data::TextTokens& tokens)
    : FaqSearch(faq, questions, flat(questions), model, tokens) {}

FaqSearch::FaqSearch(const data::Faq& faq, std::span<const std::vector<std::string>> questions, OfEntries flat_questions, models::Retriever& model, const data::TextTokens& tokens)
    : model_(model),
      tokens_(tokens),
      entries_(faq.size()),
      questions_(flat_questions.texts, data::TermKind::grams),
      texts_(whole_texts(faq, questions), data::TermKind::grams),
      question_entries_(std::move(flat_questions.entries)) {
  OfEntries pieces = flat(passages(faq));
  passages_ = embed(pieces.texts);
  for (const float x : passages_.span()) {
    if (!std::isfinite(x)) throw DataError("infer.faq_search", fmt::format("the model makes {} of a passage; expected finite numbers; its weights are damaged", x));
  }
  passage_entries_ = std::move(pieces.entries);
}

Tensor FaqSearch::embed(const std::vector<std::string>& texts) const {
  const NoGrad no_grad;
  Tensor found;
  std::vector<std::vector<int64_t>> ids;
  for (const std::string& text : texts) ids.push_back(tokens_.encode(text));
  // Texts of one length side by side: a batch is as long as its longest.
  std::vector<int64_t> order(texts.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return ids[static_cast<size_t>(a)].size() < ids[static_cast<size_t>(b)].size(); });
  for (int64_t begin = 0; begin < std::ssize(order); begin += kTextsAtOnce) {
    const int64_t end = std::min(begin + kTextsAtOnce, std::ssize(order));
    std::vector<const std::vector<int64_t>*> rows;
    for (int64_t i = begin; i < end; ++i) rows.push_back(&ids[static_cast<size_t>(order[static_cast<size_t>(i)])]);
    const Tensor vectors = model_(data::pad(rows));
    if (begin == 0) found = Tensor::empty({std::ssize(texts), vectors.size(1)});
    for (int64_t i = begin; i < end; ++i) {
      const int64_t text = order[static_cast<size_t>(i)];
      found.rows(text, text + 1).copy_from(vectors.rows(i - begin, i - begin + 1));
    }
  }
  return found;
}

Tensor FaqSearch::embed_query(std::span<const QueryPart> query) const {
  Tensor sum;
  for (const QueryPart& part : query) {
    const std::vector<int64_t> ids = tokens_.encode(part.text);
    const Tensor vector = model_(data::pad({&ids}));
    if (!sum.defined()) sum = Tensor::zeros(vector.shape());
    for (int64_t i = 0; i < sum.numel(); ++i) sum.mutable_data()[i] += static_cast<float>(part.weight) * vector.data()[i];
  }
  double square = 0;
  for (const float x : sum.span()) square += static_cast<double>(x) * x;
  if (!std::isfinite(square)) return Tensor::zeros(sum.shape());  // of what the model has no finite numbers for nothing is near
  const auto scale = static_cast<float>(square > 0 ? 1 / std::sqrt(square) : 0);
  for (int64_t i = 0; i < sum.numel(); ++i) sum.mutable_data()[i] *= scale;
  return sum;
}

std::vector<float> FaqSearch::features(std::span<const QueryPart> query) const {
  const NoGrad no_grad;
  std::vector<float> x(static_cast<size_t>((entries_ + 1) * kFeatures), 0.0f);
  const auto at = [&](int64_t entry, Feature feature) -> float& { return x[static_cast<size_t>(entry * kFeatures + feature)]; };
  const auto keep_most = [&](std::span<const int64_t> entries, std::span<const float> scores, Feature feature) {
    for (size_t i = 0; i < entries.size(); ++i) at(entries[i], feature) = std::max(at(entries[i], feature), scores[i]);
  };
  keep_most(question_entries_, questions_.scores(query), kQuestions);
  const std::vector<float> texts = texts_.scores(query);
  for (int64_t entry = 0; entry < entries_; ++entry) at(entry, kText) = texts[static_cast<size_t>(entry)];
  keep_most(passage_entries_, linear(embed_query(query), passages_).span(), kPassage);
  at(entries_, kNone) = 1;
  return x;
}

std::vector<std::vector<std::string>> all_questions(const data::Faq& faq) {
  std::vector<std::vector<std::string>> all;
  for (const data::FaqEntry& entry : faq.entries()) all.push_back(entry.questions);
  return all;
}

}  // namespace danlu::infer
