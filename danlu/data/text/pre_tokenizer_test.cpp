#include "danlu/data/text/pre_tokenizer.h"

#include <gtest/gtest.h>

#include <chrono>

#include "danlu/base/rng.h"
#include "danlu/base/utf8.h"
#include "danlu/data/image/testing.h"
#include "danlu/data/text/pattern_scanner.h"
#include "danlu/data/text/regex_splitter.h"

namespace danlu::data {
namespace {

using Behavior = PreTokenizerStep::Behavior;
using Pieces = std::vector<std::string>;

Pieces split(const std::vector<PreTokenizerStep>& steps, const std::string& text) {
  Pieces pieces;
  PreTokenizer(steps).split(text, [&](std::string_view piece) { pieces.emplace_back(piece); });
  return pieces;
}

class Collect final : public PieceSink {
 public:
  Pieces pieces;

 private:
  void take(std::span<const std::string_view> views) override {
    pieces.insert(pieces.end(), views.begin(), views.end());
  }
};

Pieces split_by(const Splitter& splitter, const std::string& text) {
  Collect collect;
  splitter.split(text, collect);
  collect.flush();
  return collect.pieces;
}

// Text in which what the patterns look for stands close together.
std::string random_text(Rng& rng) {
  static const Pieces parts = {" ",  "  ", "\n", "\r\n", "\t",   "\u00A0", "\u3000", "\u2028", "\u0085", "'",
                               "'s", "'S", "'ſ", "'T",   "'ll",  "'lL",    "'re",    "'vE",    "'m",     "'d",
                               "a",  "Zz", "é",  "ß",    "春",   "眠",     "1",      "23",     "456",    "٣",
                               "Ⅷ",  "½",  "!",  "?!",   "/",    "\"",     "。",     "😀",      "ͤ",       "\u200D",
                               "ﬆ",  "_",  "ǅ",  "ʰ",    "\x01", "\u000B"};
  std::string text;
  for (int64_t n = rng.below(16); n > 0; --n) {
    if (rng.below(8) > 0) {
      text += parts[static_cast<size_t>(rng.below(std::ssize(parts)))];
    } else {
      const auto code = static_cast<uint32_t>(1 + rng.below(0x700));
      if (code != 0x180E) append_utf8(text, code);
    }
  }
  return text;
}

TEST(PreTokenizer, ScannersCutWherePcre2Does) {
  for (const char* name : {"gpt2", "cl100k", "qwen"}) {
    const PreTokenizerStep step{.pattern = split_pattern(name)};
    const auto scanner = make_pattern_scanner(step);
    ASSERT_TRUE(scanner) << name;
    const RegexSplitter regex(step);
    Rng rng(11);
    for (int i = 0; i < 40000; ++i) {
      const std::string text = random_text(rng);
      ASSERT_EQ(split_by(*scanner, text), split_by(regex, text)) << name << ": " << testing::PrintToString(text);
    }
  }
}

TEST(PreTokenizer, PatternsOfTheFamilies) {
  const std::string text = "I've 12345 cats\n\n  don't";
  EXPECT_EQ(split({{.pattern = split_pattern("gpt2")}}, text),
            (Pieces{"I", "'ve", " 12345", " cats", "\n\n ", " don", "'t"}));
  EXPECT_EQ(split({{.pattern = split_pattern("cl100k")}}, text),
            (Pieces{"I", "'ve", " ", "123", "45", " cats", "\n\n", " ", " don", "'t"}));
  EXPECT_EQ(split({{.pattern = split_pattern("qwen")}}, text),
            (Pieces{"I", "'ve", " ", "1", "2", "3", "4", "5", " cats", "\n\n", " ", " don", "'t"}));
  EXPECT_TRUE(contains(error_of([] { split_pattern("gpt3"); }), "did you mean \"gpt2\""));
}

// What tokenizers.pre_tokenizers.Split makes of the same, by hand.
TEST(PreTokenizer, BehaviorsAreThoseOfHuggingFace) {
  const auto with = [](Behavior behavior, bool invert = false) {
    return split({{.pattern = "-", .invert = invert, .behavior = behavior}}, "-the--end-");
  };
  EXPECT_EQ(with(Behavior::removed), (Pieces{"the", "end"}));
  EXPECT_EQ(with(Behavior::isolated), (Pieces{"-", "the", "-", "-", "end", "-"}));
  EXPECT_EQ(with(Behavior::merged_with_previous), (Pieces{"-", "the-", "-", "end-"}));
  EXPECT_EQ(with(Behavior::merged_with_next), (Pieces{"-the", "-", "-end", "-"}));
  EXPECT_EQ(with(Behavior::contiguous), (Pieces{"-", "the", "--", "end", "-"}));
  EXPECT_EQ(with(Behavior::removed, true), (Pieces{"-", "-", "-", "-"}));
}

TEST(PreTokenizer, Digits) {
  using Kind = PreTokenizerStep::Kind;
  EXPECT_EQ(split({{.kind = Kind::digits, .pattern = {}, .individual_digits = true}}, "a12½b"),
            (Pieces{"a", "1", "2", "½", "b"}));
  EXPECT_EQ(split({{.kind = Kind::digits, .pattern = {}}}, "a12½b"), (Pieces{"a", "12½", "b"}));
}

TEST(PreTokenizer, StepsWorkOnThePiecesOfTheStepBefore) {
  const std::vector<PreTokenizerStep> steps = {
      {.pattern = R"(\p{N}{1,3})"}, {.pattern = "[一-龥]+"}, {.pattern = R"(\s?\p{L}+|\s+)"}};
  Pieces expected;
  std::string text;
  for (int i = 0; i < 300; ++i) {  // more pieces than a batch holds
    text += "12345春天 come";
    expected.insert(expected.end(), {"123", "45", "春天", " come"});
  }
  EXPECT_EQ(split(steps, text), expected);
  EXPECT_EQ(split({}, "one piece"), Pieces{"one piece"});
  EXPECT_EQ(split(steps, ""), Pieces{});
}

TEST(PreTokenizer, BytesThatAreNoUtf8AreApart) {
  EXPECT_EQ(split({{.pattern = split_pattern("gpt2")}}, "ab\xFF\xFE 12\xE6\x98"),
            (Pieces{"ab", "\xFF\xFE", " 12", "\xE6\x98"}));
}

TEST(PreTokenizer, MatchesOfNothingEnd) {
  EXPECT_EQ(split({{.pattern = "x*"}}, "axxb"), (Pieces{"a", "xx", "b"}));
  EXPECT_EQ(split({{.pattern = "^|$"}}, "a\nb"), (Pieces{"a", "\n", "b"}));
}

TEST(PreTokenizer, RefusesPatternsThatAreNone) {
  EXPECT_TRUE(contains(error_of([] { split({{.pattern = "a(b"}}, "x"); }), "got pattern \"a(b\", wrong at offset 3"));
  EXPECT_TRUE(contains(error_of([] { split({{.pattern = "\\C"}}, "x"); }), "wrong at offset"));
}

TEST(PreTokenizer, RefusesWhatOnigurumaReadsInAnotherWay) {
  for (const char* pattern : {"[a-z&&[^aeiou]]", "[a[bc]]", "\\h+", "(?m).", "(*UTF)a", "[]"}) {
    EXPECT_TRUE(
        contains(error_of([&] { split({{.pattern = pattern}}, "x"); }), "expected what PCRE2 and Oniguruma read alike"))
        << pattern;
  }
  EXPECT_EQ(split({{.pattern = R"([[:digit:]\[\]]+|\\h)"}}, "a1[2]\\h"), (Pieces{"a", "1[2]", "\\h"}));
}

TEST(PreTokenizer, PatternsThatRunAwayAreAnError) {
  const auto start = std::chrono::steady_clock::now();
  const std::string text(40, 'a');
  EXPECT_TRUE(contains(error_of([&] { split({{.pattern = "(a|aa)+$(?<=b)"}}, text); }),
                       "expected a pattern that matches in "
                       "bounded time"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

}  // namespace
}  // namespace danlu::data
