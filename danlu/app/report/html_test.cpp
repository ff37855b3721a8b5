#include "danlu/app/report/html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "danlu/app/report/page.h"

namespace danlu::app {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(Html, TextBecomesNoMarkup) {
  EXPECT_EQ(escaped("<script>alert(\"1\")</script>"), "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;");
  EXPECT_EQ(escaped("a' onload='b & c"), "a&#39; onload=&#39;b &amp; c");
  EXPECT_EQ(escaped("two\nlines\tand a tab"), "two\nlines\tand a tab");
  EXPECT_EQ(escaped(std::string_view("\0\x01\x1b[31m\x7f", 8)), "???[31m?");
  EXPECT_EQ(escaped("丹炉 caf\xe9"), "丹炉 caf\xef\xbf\xbd");
  EXPECT_EQ(escaped(""), "");
}

TEST(Html, NumbersForPeople) {
  EXPECT_EQ(number_text(0.97364), "0.9736");
  EXPECT_EQ(number_text(0), "0.0000");
  EXPECT_EQ(number_text(-3.14159), "-3.1416");
  EXPECT_EQ(number_text(42.195), "42.20");
  EXPECT_EQ(number_text(512.25), "512.2");
  EXPECT_EQ(number_text(-12340.2), "-12,340");
  EXPECT_EQ(number_text(3.14e-7), "3.14e-07");
  EXPECT_EQ(number_text(2e9), "2e+09");
  EXPECT_EQ(number_text(kNan), "undefined");
  EXPECT_EQ(number_text(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(percent_text(0.9736), "97.4 %");
  EXPECT_EQ(percent_text(kNan), "undefined");
}

TEST(Html, CountsAndSizes) {
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(1000), "1,000");
  EXPECT_EQ(count_text(-421642), "-421,642");
  EXPECT_EQ(count_text(-100), "-100");
  EXPECT_EQ(bytes_text(999), "999 bytes");
  EXPECT_EQ(bytes_text(17300000), "17.3 MB");
  EXPECT_EQ(seconds_text(0.0000421), "42.1 µs");
  EXPECT_EQ(seconds_text(0.00042), "0.42 ms");
  EXPECT_EQ(seconds_text(1.06), "1.1 s");
  EXPECT_EQ(seconds_text(200), "3 min 20 s");
}

TEST(Html, TimesForPeople) {
  EXPECT_EQ(time_text("2026-11-03T02:40:07Z"), "3 November 2026, 02:40 UTC");
  EXPECT_EQ(time_text("2026-13-03T02:40:07Z"), "2026-13-03T02:40:07Z");
  EXPECT_EQ(time_text("<b>"), "<b>");
  EXPECT_EQ(time_text(""), "");
}

TEST(Html, WordsOfAnyKind) {
  EXPECT_EQ(word_text("name"), "name");
  EXPECT_EQ(word_text(nullptr), "-");
  EXPECT_EQ(word_text(3), "3");
  EXPECT_EQ(word_text({{"a", 1}}), "{\"a\":1}");
}

TEST(Html, ATableMarksItsNumbers) {
  HtmlTable table("lr");
  EXPECT_TRUE(table.empty());
  table.head({"name", "value"});
  EXPECT_TRUE(table.empty()) << "a head alone is no table";
  table.add({"a", "1", "2"});
  EXPECT_FALSE(table.empty());
  EXPECT_THAT(table.str(), HasSubstr("<thead><tr><th>name</th><th class=\"r\">value</th></tr>"));
  EXPECT_THAT(table.str(), HasSubstr("<td>a</td><td class=\"r\">1</td><td class=\"r\">2</td>")) << "cells after the last letter follow it";
}

TEST(Html, NothingToSayIsNoSection) {
  EXPECT_EQ(section("Title", ""), "");
  EXPECT_EQ(figures(""), "");
  EXPECT_THAT(section("Title", "<p>body</p>"), HasSubstr("<h2>Title</h2>\n<p>body</p>"));
}

TEST(Html, APageRunsItsOwnScriptOnly) {
  const std::string page = html_page("A <b>", "<p>body</p>");
  EXPECT_THAT(page, HasSubstr("<title>A &lt;b&gt;</title>"));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_THAT(page, Not(HasSubstr("script-src 'unsafe-inline'")));
  const size_t at = page.find("'nonce-");
  ASSERT_NE(at, std::string::npos);
  const std::string nonce = page.substr(at + 7, page.find('\'', at + 7) - at - 7);
  EXPECT_GE(nonce.size(), 16u);
  EXPECT_THAT(page, HasSubstr("<script nonce=\"" + nonce + "\">"));
  EXPECT_THAT(page, Not(HasSubstr("refresh")));
  EXPECT_THAT(html_page("A", "<p>body</p>", 5), HasSubstr("<meta http-equiv=\"refresh\" content=\"5\">"));
  EXPECT_THAT(html_page("A", "<p>another</p>"), Not(HasSubstr(nonce))) << "a page cannot guess the word of another";
}

}  // namespace
}  // namespace danlu::app
