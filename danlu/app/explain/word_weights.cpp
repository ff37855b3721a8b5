#include "danlu/app/explain/word_weights.h"

#include <algorithm>
#include <vector>

namespace danlu::app {
namespace {

constexpr size_t kClasses = 8, kWords = 10;

// As it is counted: without the marks around it, small letters for large ones of ASCII. Empty for marks alone.
std::string plain(const std::string& text) {
  const auto says_something = [](unsigned char c) { return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto first = std::find_if(text.begin(), text.end(), says_something);
  const auto last = std::find_if(text.rbegin(), text.rend(), says_something).base();
  std::string word = first < last ? std::string(first, last) : std::string();
  for (char& c : word) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return word;
}

}  // namespace

void WordWeights::add(const infer::Explanation& text) {
  OfClass& of_class = classes_[text.label];
  ++of_class.texts;
  ++texts_;
  for (const infer::Explanation::Part& part : text.parts) {
    const std::string word = plain(part.value);
    if (word.empty()) continue;
    Weight& weight = of_class.words[word];
    weight.contribution += part.contribution;
    ++weight.times;
  }
}

Json WordWeights::to_json() const {
  if (texts_ == 0) return nullptr;
  std::vector<const std::pair<const std::string, OfClass>*> most;
  for (const auto& entry : classes_) most.push_back(&entry);
  std::stable_sort(most.begin(), most.end(), [](auto* a, auto* b) { return a->second.texts > b->second.texts; });
  if (most.size() > kClasses) most.resize(kClasses);
  Json classes = Json::array();
  for (const auto* entry : most) {
    std::vector<std::pair<std::string, Weight>> words(entry->second.words.begin(), entry->second.words.end());
    std::stable_sort(words.begin(), words.end(), [](auto& a, auto& b) { return a.second.contribution > b.second.contribution; });
    const auto list = [&](auto begin, auto end, double sign) {
      Json all = Json::array();
      for (auto word = begin; word != end && all.size() < kWords && sign * word->second.contribution > 0; ++word) {
        all.push_back({{"word", word->first}, {"contribution", word->second.contribution}, {"times", word->second.times}});
      }
      return all;
    };
    classes.push_back({{"class", entry->first}, {"texts", entry->second.texts}, {"for", list(words.begin(), words.end(), 1)}, {"against", list(words.rbegin(), words.rend(), -1)}});
  }
  return {{"texts", texts_}, {"classes", std::move(classes)}};
}

}  // namespace danlu::app
