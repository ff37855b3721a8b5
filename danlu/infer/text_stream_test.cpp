#include "danlu/infer/text_stream.h"

#include <gtest/gtest.h>

#include "danlu/base/utf8.h"

namespace danlu::infer {
namespace {

// What each push shows, with finish() last.
std::vector<std::string> shown(const std::vector<std::string>& stop, const std::vector<std::string>& pushes) {
  TextStream stream(stop);
  std::vector<std::string> texts;
  for (const std::string& bytes : pushes) texts.push_back(stream.push(bytes));
  texts.push_back(stream.finish());
  return texts;
}

using Texts = std::vector<std::string>;

TEST(TextStream, ShowsWholeCharactersOnly) {
  EXPECT_EQ(shown({}, {"\xE6\x98", "\xA5\xE7", "\x9C", "\xA0!"}), (Texts{"", "春", "", "眠!", ""}));
  EXPECT_EQ(shown({}, {"\xF0", "\x9F", "\x98", "\x80"}), (Texts{"", "", "", "😀", ""}));
}

TEST(TextStream, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(shown({}, {"a\xFF", "b"}), (Texts{"a\uFFFD", "b", ""}));
  EXPECT_EQ(shown({}, {"\xE6\x98", "x"}), (Texts{"", "\uFFFDx", ""}));
  EXPECT_EQ(shown({}, {"\xE6\x98"}), (Texts{"", "\uFFFD"}));
  EXPECT_EQ(shown({}, {"\xED\xA0\x80"}), (Texts{"\uFFFD\uFFFD\uFFFD", ""}));  // a surrogate: no byte of it begins a character
}

TEST(TextStream, EndsBeforeAStopStringWhereverTokensAreCut) {
  EXPECT_EQ(shown({"END"}, {"one E", "ND two", " three"}), (Texts{"one ", "", "", ""}));
  EXPECT_EQ(shown({"END"}, {"oneEN", "tEND"}), (Texts{"one", "ENt", ""}));
  EXPECT_EQ(shown({"END"}, {"one E", "N"}), (Texts{"one ", "", "EN"}));
  EXPECT_EQ(shown({"b c", "a"}, {"x b", " c a"}), (Texts{"x ", "", ""}));
  EXPECT_EQ(shown({"aab"}, {"aa", "ab"}), (Texts{"", "a", ""}));  // the second a may begin it too
  EXPECT_EQ(shown({"。"}, {"晓\xE3", "\x80\x82处"}), (Texts{"晓", "", ""}));
  EXPECT_EQ(shown({""}, {"abc"}), (Texts{"abc", ""}));
}

// Whatever the cuts: the concatenation is the text up to the first stop string.
TEST(TextStream, CutsChangeNothing) {
  const std::string text = "abaababaab春眠不觉晓abab";
  for (const std::string& stop : {std::string("abaab春"), std::string("baab"), std::string("不"), std::string("zz")}) {
    const std::string expected = text.substr(0, text.find(stop));
    for (unsigned cuts = 0; cuts < 4096; ++cuts) {
      TextStream stream({stop});
      std::string all, piece;
      for (size_t i = 0; i < text.size(); ++i) {
        piece += text[i];
        if (((cuts >> i % 12) & 1) == 0) continue;
        const std::string more = stream.push(std::exchange(piece, {}));
        EXPECT_TRUE(is_utf8(more));
        all += more;
      }
      all += stream.push(piece);
      all += stream.finish();
      ASSERT_EQ(all, expected) << stop << " " << cuts;
    }
  }
}

}  // namespace
}  // namespace danlu::infer
