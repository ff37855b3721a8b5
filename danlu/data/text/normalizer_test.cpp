#include "danlu/data/text/normalizer.h"

#include <gtest/gtest.h>
#include <utf8proc.h>

#include <chrono>
#include <cstdlib>
#include <memory>

#include "danlu/base/rng.h"
#include "danlu/base/utf8.h"
#include "danlu/data/image/testing.h"

namespace danlu::data {
namespace {

std::string by_utf8proc(const std::string& text, int form) {
  utf8proc_uint8_t* out = nullptr;
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), std::ssize(text), &out,
                                 static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | form));
  const std::unique_ptr<utf8proc_uint8_t, void (*)(void*)> owner(out, std::free);
  return {reinterpret_cast<const char*>(out), static_cast<size_t>(size)};
}

TEST(Normalizer, BringsTextIntoNormalForm) {
  EXPECT_EQ(normalize("e\u0301", Normalizer::nfc), "é");
  EXPECT_EQ(normalize("ﬁ ①", Normalizer::nfc), "ﬁ ①");
  EXPECT_EQ(normalize("ﬁ ① Ａ", Normalizer::nfkc), "fi 1 A");
  EXPECT_EQ(normalize("\u212B", Normalizer::nfc), "Å") << "a singleton";
  EXPECT_EQ(normalize("\u1100\u1161\u11A8", Normalizer::nfc), "각");
  EXPECT_EQ(normalize("\uAC00\u11A7", Normalizer::nfc), "\uAC00\u11A7")
      << "the one jamo there that composes with nothing";
  EXPECT_EQ(normalize("a\u0315\u0300", Normalizer::nfc), "à\u0315") << "marks are put in order";
  EXPECT_EQ(normalize("e\u0301", Normalizer::none), "e\u0301");
  EXPECT_EQ(normalize("", Normalizer::nfc), "");
}

TEST(Normalizer, NormalTextIsNotCopied) {
  std::string buffer;
  const std::string text = "plain text, 春眠不觉晓, é";
  EXPECT_EQ(normalize(text, Normalizer::nfc, buffer).data(), text.data());
}

TEST(Normalizer, PiecewiseIsAsAWhole) {
  Rng rng(4);
  const std::pair<uint32_t, uint32_t> ranges[] = {
      {'a', 'z'},       {0xC0, 0x17F},    {0x300, 0x34F},   {0x900, 0x97F},   {0x9BE, 0x9D7},   {0x1100, 0x11FF},
      {0xAC00, 0xAC20}, {0x1E00, 0x1EFF}, {0x3040, 0x30FF}, {0xF900, 0xFA2D}, {0xFB1D, 0xFB4F}, {0x1D15E, 0x1D164}};
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (int64_t n = rng.below(12); n > 0; --n) {
      const auto& [low, high] = ranges[rng.below(std::size(ranges))];
      const auto code = static_cast<uint32_t>(low + rng.below(high - low + 1));
      if (code != 0x11A7) append_utf8(text, code);  // which utf8proc 2.8 swallows
    }
    ASSERT_EQ(normalize(text, Normalizer::nfc), by_utf8proc(text, 0)) << testing::PrintToString(text);
    ASSERT_EQ(normalize(text, Normalizer::nfkc), by_utf8proc(text, UTF8PROC_COMPAT)) << testing::PrintToString(text);
  }
}

TEST(Normalizer, InvalidBytesStay) {
  EXPECT_EQ(normalize("e\u0301\xFF\xE6\x98"
                      "e\u0301",
                      Normalizer::nfc),
            "é\xFF\xE6\x98é");
}

TEST(Normalizer, ManyMarksTakeNoQuadraticTime) {
  std::string text = "a";
  for (int i = 0; i < 200000; ++i) text += i % 2 ? "\u0301" : "\u0316";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(normalize(text, Normalizer::nfc).substr(0, 4), "á\u0316");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST(Normalizer, NamesOfForms) {
  EXPECT_EQ(normalizer_named("nfkc"), Normalizer::nfkc);
  EXPECT_TRUE(
      contains(error_of([] { normalizer_named("nfd"); }), "got normalizer \"nfd\"; expected none, nfc or nfkc"));
}

}  // namespace
}  // namespace danlu::data
