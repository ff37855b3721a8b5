#include "danlu/base/utf8.h"

#include <gtest/gtest.h>

namespace danlu {

TEST(Utf8, ValidAndInvalid) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("plain ascii, longer than a word"));
  EXPECT_TRUE(is_utf8("丹炉 \xF0\x9F\x94\xA5"));
  EXPECT_EQ(find_invalid_utf8("ab\xFF"), 2u);
  EXPECT_EQ(find_invalid_utf8("\xC0\x80"), 0u) << "overlong";
  EXPECT_EQ(find_invalid_utf8("\xED\xA0\x80"), 0u) << "surrogate";
  EXPECT_EQ(find_invalid_utf8("\xF4\x90\x80\x80"), 0u) << "above U+10FFFF";
  EXPECT_EQ(find_invalid_utf8("12345678\xE4\xB8"), 8u) << "cut short";
}

TEST(Utf8, KnowsACharacterThatIsYetToEnd) {
  EXPECT_EQ(incomplete_utf8_tail(""), 0u);
  EXPECT_EQ(incomplete_utf8_tail("春"), 0u);
  EXPECT_EQ(incomplete_utf8_tail("a\xE6"), 1u);
  EXPECT_EQ(incomplete_utf8_tail("a\xE6\x98"), 2u);
  EXPECT_EQ(incomplete_utf8_tail("\xF0\x9F\x98"), 3u);
  EXPECT_EQ(incomplete_utf8_tail("\xE0\x80"), 0u);  // overlong: will never be a character
  EXPECT_EQ(incomplete_utf8_tail("\xFF"), 0u);
  EXPECT_EQ(incomplete_utf8_tail("\x98"), 0u);
}

// The expected texts are those of Python: bytes.decode(errors="replace").
TEST(Utf8, ReplacesWhatIsInvalid) {
  EXPECT_EQ(replace_invalid_utf8("春眠"), "春眠");
  EXPECT_EQ(replace_invalid_utf8("a\xFFz"), "a\uFFFDz");
  EXPECT_EQ(replace_invalid_utf8("\xF0\x9F\x98z"), "\uFFFDz");
  EXPECT_EQ(replace_invalid_utf8("\xE0\x80"), "\uFFFD\uFFFD");
  EXPECT_EQ(replace_invalid_utf8("\xE6\x98\xE6\x98\xA5"), "\uFFFD春");
}

TEST(Utf8, WritesCharacters) {
  std::string text;
  for (const uint32_t code : {0x61, 0x7F, 0x80, 0x7FF, 0x800, 0x6625, 0xFFFF, 0x10000, 0x10FFFF}) append_utf8(text, code);
  EXPECT_EQ(text, "a\x7F\u0080\u07FF\u0800春\uFFFF\U00010000\U0010FFFF");
}

}  // namespace danlu
