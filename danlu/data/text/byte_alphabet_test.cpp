#include "danlu/data/text/byte_alphabet.h"

#include <gtest/gtest.h>

#include <string>

namespace danlu::data {
namespace {

TEST(ByteAlphabet, IsThatOfGpt2) {
  EXPECT_EQ(to_printable(" Hi\n"), "ĠHiĊ");
  EXPECT_EQ(to_printable("\t\x7F\xA0\xAD"), "ĉġłŃ");
  EXPECT_EQ(to_printable("é"), "Ã©");
  EXPECT_EQ(printable_order()[0], '!');
  EXPECT_EQ(printable_order()[255], 0xAD);
}

TEST(ByteAlphabet, EveryByteComesBack) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  EXPECT_EQ(from_printable(to_printable(all)), all);
}

TEST(ByteAlphabet, RefusesWhatStandsForNoByte) {
  EXPECT_EQ(from_printable("a b"), std::nullopt);
  EXPECT_EQ(from_printable("▁a"), std::nullopt);
  EXPECT_EQ(from_printable("\xC4"), std::nullopt);
  EXPECT_EQ(from_printable("\xC4z"), std::nullopt);
  EXPECT_EQ(from_printable("ń"), std::nullopt) << "U+0144 is the first one behind the alphabet";
}

}  // namespace
}  // namespace danlu::data
