#include "danlu/data/text/pattern_scanner.h"

#include <array>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/options.h"
#include "danlu/data/text/code_points.h"
#include "danlu/data/text/unicode_classes.h"

namespace danlu::data {
namespace {

constexpr const char* kNames[] = {"gpt2", "cl100k", "qwen"};
const std::string kPatterns[] = {
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)",
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
};

// Classes of ASCII, known when this is compiled.
constexpr std::array<uint8_t, 128> kAscii = [] {
  std::array<uint8_t, 128> classes{};
  for (size_t c = 0; c < 128; ++c) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) classes[c] = kLetter;
    if (c >= '0' && c <= '9') classes[c] = kNumber;
    if (c == ' ' || (c >= 0x09 && c <= 0x0D)) classes[c] = kSpace;
    if (c == '\n' || c == '\r') classes[c] = kSpace | kNewline;
  }
  return classes;
}();

// Reads a text that is known to be UTF-8.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : end_(text.data() + text.size()) {}

  const char* end() const { return end_; }

  // The class of the character at p < end(), and its length.
  uint8_t class_at(const char* p, size_t& bytes) const {
    const auto lead = static_cast<unsigned char>(*p);
    if (lead < 0x80) {
      bytes = 1;
      return kAscii[lead];
    }
    const CodePoint point = code_point_at(p);
    bytes = point.bytes;
    return classes_[point.code] & (kLetter | kNumber | kSpace);
  }
  bool is(uint8_t wanted, const char* p) const {
    size_t bytes;
    return p < end_ && class_at(p, bytes) == wanted;
  }
  // The end of the characters of one class that begin at p.
  const char* skip(uint8_t wanted, const char* p) const {
    while (p < end_) {
      size_t bytes;
      if (class_at(p, bytes) != wanted) break;
      p += bytes;
    }
    return p;
  }
  const char* skip_newlines(const char* p) const {
    while (p < end_ && (*p == '\r' || *p == '\n')) ++p;
    return p;
  }

  // 's|'t|'re|'ve|'m|'ll|'d: its length at the ' at p, or 0.
  template <bool any_case>
  size_t contraction(const char* p) const {
    const auto letter = [&](int i) {
      if (end_ - p <= i) return '\0';
      const char c = p[i];
      return any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    };
    const char first = letter(1), second = letter(2);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
    if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l')) return 3;
    // The long s is an s of another case.
    return any_case && first == '\xC5' && second == '\xBF' ? 3 : 0;
  }

  // \s+(?!\S)|\s+ at a space: all spaces up to the end of the text, else all but the last, if there are several.
  // With newlines \s*[\r\n]+ comes first.
  template <bool newlines>
  const char* spaces(const char* p) const {
    const char *last = p, *newline = nullptr;
    for (const char* q = p;;) {
      size_t bytes = 0;
      if (q == end_ || !(class_at(q, bytes) & kSpace)) {
        if (newlines && newline != nullptr) return newline;
        return q == end_ || last == p ? q : last;
      }
      last = q;
      q += bytes;
      if (newlines && (*last == '\n' || *last == '\r')) newline = q;
    }
  }

 private:
  const UnicodeClasses& classes_ = UnicodeClasses::get();
  const char* end_;
};

struct Gpt2Pattern {
  // The end of the piece that begins at p < end.
  static const char* next(const Scanner& scanner, const char* p) {
    if (*p == '\'') {
      if (const size_t length = scanner.contraction<false>(p)) return p + length;
    }
    const char* start = *p == ' ' && p + 1 < scanner.end() ? p + 1 : p;
    size_t bytes;
    const uint8_t kind = scanner.class_at(start, bytes);
    if (!(kind & kSpace)) return scanner.skip(kind, start + bytes);
    return scanner.spaces<false>(p);
  }
};

// cl100k and qwen, which differ in how many digits make a number.
template <int digits>
struct Cl100kPattern {
  static const char* next(const Scanner& scanner, const char* p) {
    if (*p == '\'') {
      if (const size_t length = scanner.contraction<true>(p)) return p + length;
    }
    size_t bytes;
    const uint8_t kind = scanner.class_at(p, bytes);
    if (kind == kLetter) return scanner.skip(kLetter, p + bytes);
    if (kind == kNumber) {
      p += bytes;
      for (int i = 1; i < digits && scanner.is(kNumber, p); ++i) {
        scanner.class_at(p, bytes);
        p += bytes;
      }
      return p;
    }
    const char* second = p + bytes;
    if (!(kind & kNewline) && scanner.is(kLetter, second)) return scanner.skip(kLetter, second);
    if (kind == kOther) return scanner.skip_newlines(scanner.skip(kOther, second));
    if (*p == ' ' && scanner.is(kOther, second)) return scanner.skip_newlines(scanner.skip(kOther, second));
    return scanner.spaces<true>(p);
  }
};

template <class Pattern>
class PatternScanner final : public Splitter {
 public:
  void split(std::string_view text, PieceSink& pieces) const override {
    const Scanner scanner(text);
    for (const char* p = text.data(); p < scanner.end();) {
      const char* next = Pattern::next(scanner, p);
      pieces.push({p, static_cast<size_t>(next - p)});
      p = next;
    }
  }
};

}  // namespace

const std::string& split_pattern(const std::string& name) {
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (name == kNames[i]) return kPatterns[i];
  }
  const std::vector<std::string> names(std::begin(kNames), std::end(kNames));
  throw ConfigError("data.pre_tokenizer", fmt::format("got pattern \"{}\"; expected one of {}{}", name,
                                                      fmt::join(names, ", "), did_you_mean(name, names)));
}

std::unique_ptr<const Splitter> make_pattern_scanner(const PreTokenizerStep& step) {
  // Every character belongs to a match: inverted, all pieces are matches as well.
  if (step.kind != PreTokenizerStep::Kind::split || step.behavior != PreTokenizerStep::Behavior::isolated)
    return nullptr;
  if (step.pattern == kPatterns[0]) return std::make_unique<PatternScanner<Gpt2Pattern>>();
  if (step.pattern == kPatterns[1]) return std::make_unique<PatternScanner<Cl100kPattern<3>>>();
  if (step.pattern == kPatterns[2]) return std::make_unique<PatternScanner<Cl100kPattern<1>>>();
  return nullptr;
}

}  // namespace danlu::data
