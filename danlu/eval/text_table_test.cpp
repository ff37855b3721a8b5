#include "danlu/eval/text_table.h"

#include <gtest/gtest.h>

namespace danlu::eval {
namespace {

TEST(TextTable, AlignsByWhatIsSeen) {
  TextTable table({TextTable::Align::left, TextTable::Align::right});
  table.add_row({"class", "n"});
  table.add_row({"恶性", "10"});
  table.add_row({"bénin", "200"});
  EXPECT_EQ(table.str(),
            "  class    n\n"
            "  恶性    10\n"
            "  bénin  200\n");
}

TEST(TextTable, ShortRowsAndTrailingSpaces) {
  TextTable table({TextTable::Align::left});
  table.add_row({"a", "b"});
  table.add_row({"longer"});
  EXPECT_EQ(table.str(0), "a       b\nlonger\n");
}

TEST(DisplayWidth, OfScripts) {
  EXPECT_EQ(display_width(""), 0);
  EXPECT_EQ(display_width("abc"), 3);
  EXPECT_EQ(display_width("é"), 1);
  EXPECT_EQ(display_width("e\u0301"), 1);  // with a combining accent
  EXPECT_EQ(display_width("丹炉"), 4);
  EXPECT_EQ(display_width("한글"), 4);
  EXPECT_EQ(display_width("🔥"), 2);
  EXPECT_EQ(display_width("\xff\xe4\xb8"), 3);  // bytes that are no character
}

TEST(DisplayText, CannotSteerATerminal) { EXPECT_EQ(display_text("red\x1b[31m\nnext\xff 丹"), "red?[31m?next? 丹"); }

}  // namespace
}  // namespace danlu::eval
