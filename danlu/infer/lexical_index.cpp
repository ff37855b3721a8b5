#include "danlu/infer/lexical_index.h"

#include <algorithm>
#include <cmath>

namespace danlu::infer {
namespace {

constexpr double kK1 = 1.2, kB = 0.75;  // as usual

}  // namespace

LexicalIndex::LexicalIndex(std::span<const std::string> texts, data::TermKind kind) : kind_(kind), num_texts_(std::ssize(texts)) {
  std::vector<double> lengths;
  double total = 0;
  for (const std::string& text : texts) {
    const std::vector<std::string> terms = data::search_terms(text, kind);
    for (const std::string& term : terms) {
      std::vector<Posting>& list = postings_[term];
      const auto number = static_cast<int64_t>(lengths.size());
      if (list.empty() || list.back().text != number) list.push_back({number, 0});
      list.back().saturation += 1;  // a count, of which the loop below makes what it is worth
    }
    lengths.push_back(static_cast<double>(terms.size()));
    total += lengths.back();
  }
  const double mean = total > 0 ? total / static_cast<double>(num_texts_) : 1;
  for (auto& [term, list] : postings_) {
    for (Posting& p : list) {
      const double count = p.saturation;
      p.saturation = static_cast<float>(count * (kK1 + 1) / (count + kK1 * (1 - kB + kB * lengths[static_cast<size_t>(p.text)] / mean)));
    }
  }
}

double LexicalIndex::idf(size_t texts_with_it) const {
  const auto n = static_cast<double>(texts_with_it);
  return std::log1p((static_cast<double>(num_texts_) - n + 0.5) / (n + 0.5));
}

std::vector<float> LexicalIndex::scores(std::span<const QueryPart> query) const {
  std::vector<std::pair<std::string, double>> terms;  // in the order of the question, so that sums are the same every time
  std::unordered_map<std::string, size_t> known;
  for (const QueryPart& part : query) {
    for (std::string& term : data::search_terms(part.text, kind_)) {
      const auto [at, is_new] = known.try_emplace(term, terms.size());
      if (is_new) terms.emplace_back(std::move(term), part.weight);
      else terms[at->second].second = std::max(terms[at->second].second, part.weight);
    }
  }
  std::vector<float> scores(static_cast<size_t>(num_texts_), 0.0f);
  double most = 0;
  for (const auto& [term, weight] : terms) {
    const auto found = postings_.find(term);
    const double value = weight * idf(found == postings_.end() ? 0 : found->second.size());
    most += value * (kK1 + 1);
    if (found == postings_.end()) continue;
    for (const Posting& p : found->second) scores[static_cast<size_t>(p.text)] += static_cast<float>(value) * p.saturation;
  }
  if (most > 0) {
    for (float& score : scores) score = static_cast<float>(score / most);
  }
  return scores;
}

}  // namespace danlu::infer
