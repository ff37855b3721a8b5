#include "danlu/data/text/clean.h"

#include <gtest/gtest.h>

#include "danlu/base/rng.h"
#include "danlu/data/text/text_edits.h"

namespace danlu::data {
namespace {

Document document(std::string text) { return {.text = std::move(text), .place = "a.txt:1"}; }

// The text after cleaning; "dropped" if it was.
std::string cleaned(TextCleaner& cleaner, const std::string& text) {
  Document d = document(text);
  return cleaner.clean(d) ? d.text : "dropped";
}

TEST(TextEdits, RemoveControlCharacters) {
  EXPECT_EQ(without_control_characters("\x1B[32m《春晓》\x1B[m\n\x1B[1;31mred\x1B[0m"), "《春晓》\nred");
  EXPECT_EQ(without_control_characters("\x1B]0;title\a"
                                       "a\x1B]8;;x\x1B\\b\x1B]never closed\nc\x1BMd\x1B"),
            "ab\ncd");
  EXPECT_EQ(without_control_characters("_\bu_\bn n\bno\bo \n\bx"), "un no \nx");  // overstruck by typewriters
  EXPECT_EQ(without_control_characters("é\be"), "e");
  EXPECT_EQ(without_control_characters("a\r\nb\rc\fd\xC2\x85" "e\r"), "a\nb\nc\nd\ne\n");
  EXPECT_EQ(without_control_characters(std::string("a\0b\x01\x7F\tc\xC2\x9F\xEF\xBB\xBF", 13)), "ab\tc");
  const std::string fine = "tabs\tand lines\n© é \uFFFD 春眠不觉晓 👩‍🚀\xC2\xA0";
  EXPECT_EQ(without_control_characters(fine), fine);
  EXPECT_EQ(without_control_characters("\xC2"), "\xC2");
  EXPECT_EQ(without_control_characters("\x1B["), "");
}

TEST(TextEdits, RemoveHtml) {
  EXPECT_EQ(without_html("<!DOCTYPE html><html><head><title>T</title><script>if (a<b) x();</script>"
                         "<style>p {}</style></head><body><!-- no <b> --><p class=\"x\">One &amp; two</p>3 &lt; 4<br/>五"),
            "T\nOne & two\n3 < 4\n五");
  EXPECT_EQ(without_html("a < b, c<d> e <3 &copy; &#26149;&#x7720; &nbsp;| &unknown; &#0; &#xD800; &amp"),
            "a < b, c e <3 © 春眠  | &unknown; &#0; &#xD800; &amp");
  EXPECT_EQ(without_html("never <b closed"), "never <b closed");
  EXPECT_EQ(without_html("<script>never closed"), "never closed");
  EXPECT_EQ(without_html("<!-- never closed"), "<!-- never closed");
  EXPECT_EQ(without_html("\n <p>a \n\n\n <p>\n <pre>\n  b</pre>\n\n"), "a\n\n  b\n\n");
  EXPECT_EQ(without_html("<SCRIPT>x</SCRIPT>y</P>"), "y\n");
}

TEST(TextEdits, RemoveControlTokens) {
  EXPECT_EQ(without_control_tokens("a<|vq_14660|>b <|endoftext|>"), "ab ");
  EXPECT_EQ(without_control_tokens("<|im_<|x|>start|>"), "");  // does not come together from its parts
  EXPECT_EQ(without_control_tokens("if (a <| b) c |> d"), "if (a <| b) c |> d");
  EXPECT_EQ(without_control_tokens("|> <||> <|"), "|> <||> <|");
}

TEST(TextEdits, TakeAnyBytesInLinearTime) {
  Rng rng(5);
  const std::string alphabet = "<>|&;#!-/\x1B[]\b\n\r ab\xC2\x80\xE6\x98\xEF\xBB";
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (int64_t n = rng.below(60); n > 0; --n) text.push_back(alphabet[static_cast<size_t>(rng.below(std::ssize(alphabet)))]);
    EXPECT_LE(without_control_characters(text).size(), text.size());
    EXPECT_LE(without_html(text).size(), text.size());
    EXPECT_LE(without_control_tokens(text).size(), text.size());
    measure_quality(text);
  }
  for (const char* part : {"<", "<a", "<!--", "<script>", "&", "&#", "<|", "|>", "\x1B[", "\x1B]", "\b", "<|a"}) {
    std::string text;
    while (text.size() < 3'000'000) text += part;
    without_control_tokens(without_html(without_control_characters(text)));
  }
}

TEST(TextCleaner, EditsAndCounts) {
  TextCleaner cleaner({.html = true, .min_characters = 3});
  EXPECT_EQ(cleaned(cleaner, "<b>cafe\xCC\x81</b>\r\n"), "café\n");
  EXPECT_EQ(cleaned(cleaner, "plain text"), "plain text");
  EXPECT_EQ(cleaned(cleaner, " a \n b "), "dropped");
  EXPECT_EQ(cleaned(cleaner, "\x1B[1mplain text\x1B[0m"), "dropped");  // the same but for its dirt
  EXPECT_EQ(cleaned(cleaner, "<|x|>春眠不"), "春眠不");
  const CleanReport& report = cleaner.report();
  EXPECT_EQ(report.documents, 5);
  EXPECT_EQ(report.kept, 3);
  EXPECT_EQ(report.bytes_after, 6 + 10 + 9);
  EXPECT_EQ(report.to_json().at("changed").dump(),
            R"({"html":2,"control_characters":1,"control_tokens":1,"normalize":1})");
  EXPECT_EQ(report.to_json().at("dropped").dump(), R"({"min_characters":1,"duplicates":1})");
  EXPECT_NE(report.text().find("dropped by duplicates: 1\n"), std::string::npos);
}

TEST(TextCleaner, LeavesWhatItIsToldToLeave) {
  TextCleaner cleaner({.control_characters = false, .control_tokens = false, .normalize = "none", .min_characters = 0,
                       .duplicates = false});
  for (const std::string text : {"a\r\n<|x|>e\xCC\x81", "a\r\n<|x|>e\xCC\x81", "", "\xFF\xFE"}) {
    EXPECT_EQ(cleaned(cleaner, text), text);
  }
  TextCleaner nfkc({.normalize = "nfkc"});
  EXPECT_EQ(cleaned(nfkc, "ﬁ１２"), "fi12");
}

TEST(TextCleaner, NeverDropsPiecesOfADocument) {
  TextCleaner cleaner({.min_characters = 100});
  Document piece = document("ab\r\n");
  piece.last = false;
  EXPECT_TRUE(cleaner.clean(piece));
  EXPECT_EQ(piece.text, "ab\n");
  piece = document("c");
  piece.first = false;
  EXPECT_TRUE(cleaner.clean(piece));
  EXPECT_EQ(cleaner.report().documents, 1);
  EXPECT_EQ(cleaner.report().kept, 1);
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST(TextQuality, MeasuresWordsAndLines) {
  const TextQuality q = measure_quality("The cat sat.\n- on #1 ...\n\n  The cat sat.\n* end…\n");
  EXPECT_EQ(q.words, 12);
  EXPECT_DOUBLE_EQ(q.symbols, 3.0 / 12);
  EXPECT_DOUBLE_EQ(q.bullets, 2.0 / 4);
  EXPECT_DOUBLE_EQ(q.ellipses, 2.0 / 4);
  EXPECT_DOUBLE_EQ(q.alphabetic, 8.0 / 12);
  EXPECT_DOUBLE_EQ(q.duplicate_lines, 12.0 / (12 + 11 + 12 + 8));
  const TextQuality zh = measure_quality("春眠不觉晓，处处闻啼鸟。夜来“风雨”声");
  EXPECT_EQ(zh.words, 15);
  EXPECT_EQ(zh.word_length, 0);
  EXPECT_DOUBLE_EQ(zh.alphabetic, 1);
  EXPECT_EQ(measure_quality("").words, 0);
}

TEST(TextQuality, NamesTheRuleThatATextIsAgainst) {
  const std::string prose = "It was the best of times and the worst of times, as the old story has it.\n";
  const auto rule = [](const std::string& text, QualityOptions options = {}) -> std::string {
    const char* name = failed_rule(measure_quality(text), options);
    return name == nullptr ? "" : name;
  };
  std::string story;
  for (int i = 0; i < 10; ++i) story += "Day " + std::to_string(i) + ": " + prose;
  EXPECT_EQ(rule(story), "");
  EXPECT_EQ(rule(repeated("春眠不觉晓，处处闻啼鸟", 6)), "");
  EXPECT_EQ(rule(prose), "min_words");
  EXPECT_EQ(rule(story, {.max_words = 100}), "max_words");
  EXPECT_EQ(rule(repeated("a b c d e ", 20)), "min_word_length");
  EXPECT_EQ(rule(repeated("incomprehensibilities ", 60)), "max_word_length");
  EXPECT_EQ(rule(repeated("word # ... ", 60)), "min_word_length");
  EXPECT_EQ(rule(repeated("wordings #tag ", 60)), "max_symbols");
  EXPECT_EQ(rule(repeated("1234 5678 word ", 60)), "min_alphabetic");
  EXPECT_EQ(rule(repeated("- some words that stand in a list\n", 20)), "max_bullets");
  EXPECT_EQ(rule(repeated("some words that do not come to any end at all...\n", 20)), "max_ellipses");
  EXPECT_EQ(rule(repeated(prose, 10)), "max_duplicate_lines");
}

}  // namespace
}  // namespace danlu::data
