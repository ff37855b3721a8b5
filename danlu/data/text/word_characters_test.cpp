#include "danlu/data/text/word_characters.h"

#include <gtest/gtest.h>

namespace danlu::data {
namespace {

TEST(WordCharacters, AreLettersMarksAndNumbersOfAnyScript) {
  for (const uint32_t code : {U'a', U'Z', U'7', U'\u00DF', U'\u0301', U'\u0436', U'\u6625', U'\u3042', U'\uD55C', U'\u3005', U'\u0663'}) EXPECT_TRUE(is_of_word(code)) << code;
  for (const uint32_t code : {U' ', U'.', U'_', U'\n', U'\u3002', U'\uFF0C', U'\u300C', U'\u2014', U'\u20AC'}) EXPECT_FALSE(is_of_word(code)) << code;
}

TEST(WordCharacters, ScriptsWithoutSpacesAreKnown) {
  EXPECT_TRUE(is_ideograph_or_kana(U'\u6625'));
  EXPECT_TRUE(is_ideograph_or_kana(U'\u3042'));
  EXPECT_FALSE(is_ideograph_or_kana(U'\uD55C')) << "Korean words have spaces between them";
  EXPECT_TRUE(is_hangul(U'\uD55C'));
  EXPECT_FALSE(is_ideograph_or_kana(U'a'));
}

}  // namespace
}  // namespace danlu::data
