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

}  // namespace danlu
