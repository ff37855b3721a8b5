#include "danlu/data/text/ngrams.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/utf8.h"
#include "danlu/data/text/code_points.h"
#include "danlu/data/text/normalizer.h"
#include "danlu/data/text/unicode_classes.h"
#include "danlu/data/text/word_characters.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.ngrams";
constexpr int64_t kLongest = 10;

enum class Role { inside, alone, between };

// In a text as words, which are runs of letters, marks and digits, and single ideographs and kana.
Role role_in_words(uint32_t code) {
  if (!is_of_word(code)) return Role::between;
  return is_ideograph_or_kana(code) ? Role::alone : Role::inside;
}

// In a text as what stands between spaces.
Role role_between_spaces(uint32_t code) { return code <= ' ' || (UnicodeClasses::get()[code] & kSpace) != 0 ? Role::between : Role::inside; }

// Calls visit(part), which views the text, for its parts in order, until it returns false.
template <class Visit>
void for_each_part(std::string_view text, Role (*role_of)(uint32_t), const Visit& visit) {
  bool goes_on = true;
  for_each_utf8_run(text, [&](std::string_view run, bool is_valid) {
    if (!is_valid) return;
    size_t begin = 0, at = 0;
    const auto end_part = [&](size_t next) {
      if (at > begin && goes_on) goes_on = visit(run.substr(begin, at - begin));
      begin = next;
    };
    while (at < run.size() && goes_on) {
      const CodePoint point = code_point_at(run.data() + at);
      const Role role = role_of(point.code);
      if (role != Role::inside) end_part(role == Role::alone ? at : at + point.bytes);
      at += point.bytes;
      if (role == Role::alone) end_part(at);
    }
    end_part(at);
  });
}

// In small letters and NFC.
void normalize_word(std::string_view word, std::string& small, std::string& buffer) {
  buffer.clear();
  for (size_t at = 0; at < word.size();) {
    const CodePoint point = code_point_at(word.data() + at);
    append_utf8(buffer, static_cast<uint32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(point.code))));
    at += point.bytes;
  }
  std::string normal;
  small = normalize(buffer, Normalizer::nfc, normal);
}

// Calls of_words(ngram) and of_characters(ngram) for those of a text, from space to space, until one returns false. Returns how many bytes of
// the text were read until then.
class NgramReader {
 public:
  NgramReader(const std::vector<int64_t>& words, const std::vector<int64_t>& characters) : words_(words), characters_(characters) {}

  template <class OfWords, class OfCharacters>
  size_t read(std::string_view text, const OfWords& of_words, const OfCharacters& of_characters) {
    size_t count = 0;  // of words so far; the last few of them are in last_
    size_t end = text.size();
    const auto go_on = [&](bool more, std::string_view read) {
      if (!more) end = static_cast<size_t>(read.data() - text.data()) + read.size();
      return more;
    };
    for_each_part(text, role_between_spaces, [&](std::string_view part) {
      bool goes_on = true;
      for_each_part(part, role_in_words, [&](std::string_view word) {
        normalize_word(word, last_[count++ % last_.size()], buffer_);
        return goes_on = go_on(words_.empty() || read_words(count, of_words), word);
      });
      return goes_on && go_on(characters_.empty() || read_characters(part, of_characters), part);
    });
    return end;
  }

 private:
  // Those that end with word number `count`.
  template <class Visit>
  bool read_words(size_t count, const Visit& visit) {
    for (auto n = static_cast<size_t>(words_[0]); n <= std::min(static_cast<size_t>(words_[1]), count); ++n) {
      buffer_.clear();
      for (size_t i = count - n; i < count; ++i) {
        if (!buffer_.empty()) buffer_ += ' ';
        buffer_ += last_[i % last_.size()];
      }
      if (!visit(std::string_view(buffer_))) return false;
    }
    return true;
  }

  template <class Visit>
  bool read_characters(std::string_view part, const Visit& visit) {
    normalize_word(part, small_, buffer_);
    buffer_.assign(1, ' ').append(small_).append(1, ' ');
    starts_.clear();
    for (size_t at = 0; at < buffer_.size(); at += code_point_at(buffer_.data() + at).bytes) starts_.push_back(at);
    starts_.push_back(buffer_.size());
    const size_t length = starts_.size() - 1;
    for (auto n = static_cast<size_t>(characters_[0]); n <= std::min(static_cast<size_t>(characters_[1]), length); ++n) {
      for (size_t i = 0; i + n <= length; ++i) {
        if (!visit(std::string_view(buffer_).substr(starts_[i], starts_[i + n] - starts_[i]))) return false;
      }
    }
    return true;
  }

  const std::vector<int64_t>&words_, &characters_;
  std::array<std::string, kLongest> last_;
  std::string small_, buffer_;
  std::vector<size_t> starts_;
};

bool is_range(const std::vector<int64_t>& range) { return range.empty() || (range.size() == 2 && range[0] >= 1 && range[0] <= range[1] && range[1] <= kLongest); }

}  // namespace

void NgramOptions::describe(OptionVisitor& v) {
  v.field("words", words, {1, kLongest}, "the shortest and the longest n-gram of words: [1, 2] are words and pairs; []: none");
  v.field("characters", characters, {1, kLongest}, "the shortest and the longest n-gram of characters between two spaces; []: none");
  v.field("min_documents", min_documents, {1, 1e9}, "an n-gram must be in so many texts");
  v.field("max_size", max_size, {1, 1e8}, "n-grams at most: those in most texts");
}

void check_ngrams(const NgramOptions& options, const Locate& locate, const std::string& prefix) {
  const auto fail = [&](const char* key, const std::string& message) {
    const std::string path = prefix.empty() ? key : prefix + "." + key, place = locate ? locate(path) : "";
    throw ConfigError(kWhere, fmt::format("{}{}{}: {}", place, place.empty() ? "" : ": ", path, message));
  };
  for (const auto& [key, range] : {std::pair{"words", &options.words}, {"characters", &options.characters}}) {
    if (!is_range(*range)) fail(key, fmt::format("got [{}]; expected the shortest and the longest n, like [1, 2], or []", fmt::join(*range, ", ")));
  }
  if (options.words.empty() && options.characters.empty()) fail("words", "got none, and no characters either; expected n-grams of one of them");
}

std::vector<std::string_view> word_parts(std::string_view text) {
  std::vector<std::string_view> parts;
  size_t begin = 0;
  for_each_part(text, role_in_words, [&](std::string_view word) {
    const auto end = static_cast<size_t>(word.data() - text.data()) + word.size();
    parts.push_back(text.substr(begin, end - begin));
    begin = end;
    return true;
  });
  if (begin == text.size()) return parts;
  if (parts.empty()) parts.push_back(text);
  else parts.back() = std::string_view(parts.back().data(), parts.back().size() + text.size() - begin);
  return parts;
}

NgramVocabulary::NgramVocabulary(const NgramOptions& options, std::vector<std::string> word_ngrams, std::vector<std::string> character_ngrams)
    : words_(options.words), characters_(options.characters), word_ngrams_(std::move(word_ngrams)), character_ngrams_(std::move(character_ngrams)),
      word_ids_(number(word_ngrams_, 1)), character_ids_(number(character_ngrams_, 1 + static_cast<int64_t>(word_ngrams_.size()))) {}

NgramVocabulary::Ids NgramVocabulary::number(const std::vector<std::string>& ngrams, int64_t first) {
  Ids ids;
  ids.reserve(ngrams.size());
  for (const std::string& ngram : ngrams) ids.emplace(ngram, first++);
  return ids;
}

NgramVocabulary NgramVocabulary::from_json(const SavedState& state) {
  NgramOptions options;
  for (const auto& [key, range] : {std::pair{"words", &options.words}, {"characters", &options.characters}}) {
    range->clear();
    for (const double n : state.numbers(key)) range->push_back(n >= 1 && n <= kLongest ? static_cast<int64_t>(n) : 0);
    if (!is_range(*range)) state.fail(key, fmt::format("two numbers from 1 to {}, or none", kLongest));
  }
  NgramVocabulary vocabulary(options, state.texts("word_ngrams"), state.texts("character_ngrams"));
  for (const auto& [key, list, ids] : {std::tuple{"word_ngrams", &vocabulary.word_ngrams_, &vocabulary.word_ids_},
                                       {"character_ngrams", &vocabulary.character_ngrams_, &vocabulary.character_ids_}}) {
    if (list->size() != ids->size()) state.fail(key, "n-grams that are all different");
  }
  if (vocabulary.size() == 0) state.fail("word_ngrams", "at least one n-gram");
  return vocabulary;
}

Json NgramVocabulary::to_json() const {
  return {{"words", words_}, {"characters", characters_}, {"word_ngrams", word_ngrams_}, {"character_ngrams", character_ngrams_}};
}

std::vector<int64_t> NgramVocabulary::encode(std::string_view text, int64_t most) const { return read(text, most).ids; }

size_t NgramVocabulary::bytes_read(std::string_view text, int64_t most) const { return read(text, most).bytes; }

NgramVocabulary::Read NgramVocabulary::read(std::string_view text, int64_t most) const {
  if (most <= 0) return {};
  std::vector<int64_t> ids;
  const auto look_up = [&](const Ids& known) {
    return [&](std::string_view ngram) {
      const auto found = known.find(ngram);
      if (found != known.end()) ids.push_back(found->second);
      return static_cast<int64_t>(ids.size()) < most;
    };
  };
  const size_t bytes = NgramReader(words_, characters_).read(text, look_up(word_ids_), look_up(character_ids_));
  return {std::move(ids), bytes};
}

NgramCounter::NgramCounter(const NgramOptions& options) : options_(options) { check_ngrams(options_); }

void NgramCounter::add(std::string_view text) {
  ++documents_;
  const auto count_in = [&](Counts& counts) {
    return [&](std::string_view ngram) {
      auto found = counts.find(ngram);
      if (found == counts.end()) found = counts.emplace(ngram, Count()).first;
      Count& count = found->second;
      if (count.last != documents_) ++count.documents;
      count.last = documents_;
      return true;
    };
  };
  NgramReader(options_.words, options_.characters).read(text, count_in(words_), count_in(characters_));
}

NgramVocabulary NgramCounter::vocabulary() const {
  struct Ngram {
    int64_t documents;
    bool of_characters;
    const std::string* text;
  };
  std::vector<Ngram> all;
  for (const Counts* counts : {&words_, &characters_}) {
    for (const auto& [text, count] : *counts) {
      if (count.documents >= options_.min_documents) all.push_back({count.documents, counts == &characters_, &text});
    }
  }
  if (all.empty()) {
    throw DataError(kWhere, fmt::format("got no n-gram that is in {} of {} training texts; expected some to learn from; lower ngrams.min_documents, or see whether the column "
                                        "has texts", options_.min_documents, documents_));
  }
  const auto in_order = [](const Ngram& a, const Ngram& b) { return std::tie(a.of_characters, *a.text) < std::tie(b.of_characters, *b.text); };
  if (static_cast<int64_t>(all.size()) > options_.max_size) {
    std::sort(all.begin(), all.end(), [&](const Ngram& a, const Ngram& b) { return a.documents != b.documents ? a.documents > b.documents : in_order(a, b); });
    all.resize(static_cast<size_t>(options_.max_size));
  }
  std::sort(all.begin(), all.end(), in_order);
  std::vector<std::string> of_words, of_characters;
  for (const Ngram& ngram : all) (ngram.of_characters ? of_characters : of_words).push_back(*ngram.text);
  return {options_, std::move(of_words), std::move(of_characters)};
}

std::vector<float> NgramCounter::idf(const NgramVocabulary& vocabulary) const {
  std::vector<float> idf = {0};
  const auto texts = static_cast<double>(documents_);
  const auto append = [&](const std::vector<std::string>& ngrams, const Counts& counts) {
    for (const std::string& ngram : ngrams) idf.push_back(static_cast<float>(std::log((1 + texts) / (1 + static_cast<double>(counts.at(ngram).documents))) + 1));
  };
  append(vocabulary.word_ngrams_, words_);
  append(vocabulary.character_ngrams_, characters_);
  return idf;
}

}  // namespace danlu::data
