#include "danlu/app/report/plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <regex>

namespace danlu::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> matches(const std::string& text, const std::string& pattern) {
  std::vector<std::string> found;
  const std::regex regex(pattern);
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) found.push_back((*it)[1]);
  return found;
}

// Each line as its points, "x,y x,y".
std::vector<std::string> lines(const std::string& svg) { return matches(svg, "<polyline class=\"line\"[^>]* points=\"([^\"]*)\""); }
std::vector<std::string> values(const std::string& svg) { return matches(svg, "<polyline class=\"line\"[^>]* data-y=\"([^\"]*)\""); }

std::vector<std::pair<double, double>> points(const std::string& line) {
  std::vector<std::pair<double, double>> found;
  for (const std::string& pair : matches(line, "([\\d.-]+,[\\d.-]+)")) found.emplace_back(std::stod(pair), std::stod(pair.substr(pair.find(',') + 1)));
  return found;
}

void expect_finite(const std::string& svg) {
  EXPECT_FALSE(std::regex_search(svg, std::regex("=\"[^\"]*\\b(nan|inf)\\b", std::regex::icase))) << svg;
}

Plot plot_of(std::vector<double> x, std::vector<double> y) {
  return {.title = "Loss", .x_label = "epoch", .y_label = "loss", .series = {{.name = "training", .x = std::move(x), .y = std::move(y)}}};
}

TEST(Plot, ALineGoesThroughItsPoints) {
  const std::string svg = draw(plot_of({1, 2, 3}, {3, 1, 2}));
  ASSERT_EQ(lines(svg).size(), 1u);
  const auto p = points(lines(svg)[0]);
  ASSERT_EQ(p.size(), 3u);
  EXPECT_NEAR(p[1].first - p[0].first, p[2].first - p[1].first, 0.11);  // equal steps
  EXPECT_NEAR((p[1].second - p[0].second) / (p[1].second - p[2].second), 2, 0.01);
  EXPECT_GT(p[1].second, p[0].second) << "less is further down";
  EXPECT_THAT(values(svg), ElementsAre("3 1 2 "));
  EXPECT_THAT(svg, HasSubstr("aria-label=\"Loss\""));
}

TEST(Plot, WhatIsNotFiniteInterruptsALine) {
  const std::string svg = draw(plot_of({1, 2, 3, 4, 5, 6, 7}, {5, 4, NAN, 2, HUGE_VAL, 1, 0.5}));
  expect_finite(svg);
  EXPECT_THAT(values(svg), ElementsAre("5 4 ", "1 0.5 "));
  EXPECT_THAT(svg, HasSubstr("class=\"points\"")) << "a point alone is a dot";
}

TEST(Plot, NothingFiniteIsNoFigure) {
  EXPECT_EQ(draw(plot_of({}, {})), "");
  EXPECT_EQ(draw(plot_of({1, 2}, {NAN, -HUGE_VAL})), "");
  EXPECT_EQ(draw({.title = "Loss", .x_label = "", .y_label = ""}), "");
}

TEST(Plot, OnePointIsADot) {
  const std::string svg = draw(plot_of({1}, {0.5}));
  expect_finite(svg);
  EXPECT_TRUE(lines(svg).empty());
  EXPECT_THAT(svg, HasSubstr("class=\"points\""));
}

TEST(Plot, ALevelLineIsInTheMiddleOfSomething) {
  for (const double level : {0.0, 0.5, -3.0, 1e-12, 1e12}) {
    const std::string svg = draw(plot_of({1, 2, 3}, {level, level, level}));
    expect_finite(svg);
    ASSERT_EQ(lines(svg).size(), 1u) << level;
    for (const auto& [x, y] : points(lines(svg)[0])) EXPECT_TRUE(y >= 0 && y <= 264) << level << " is drawn at " << y;
  }
}

TEST(Plot, EpochsHaveWholeTicks) {
  for (const auto& [last, expected] : {std::pair{2.0, std::vector<std::string>{"1", "2"}}, {3.0, {"1", "2", "3"}}, {12.0, {"2", "4", "6", "8", "10", "12"}},
                                      {30.0, {"5", "10", "15", "20", "25", "30"}}}) {
    Plot plot = plot_of({1, last}, {1, 2});
    plot.whole_x = true;
    EXPECT_EQ(matches(draw(plot), "text-anchor=\"middle\">([^<]*)</text>"), expected) << last;
  }
}

TEST(Plot, ManyMagnitudesAreLogarithmic) {
  const std::string svg = draw(plot_of({1, 2, 3, 4}, {1000, 100, 10, 1}));
  const auto p = points(lines(svg).at(0));
  EXPECT_NEAR(p[1].second - p[0].second, p[3].second - p[2].second, 0.11);
  for (const char* tick : {">1<", ">10<", ">100<", ">1000<"}) EXPECT_THAT(svg, HasSubstr(tick));
  const std::string with_zero = draw(plot_of({1, 2, 3, 4}, {1000, 100, 10, 0}));
  expect_finite(with_zero);
  EXPECT_THAT(with_zero, Not(HasSubstr(">1<")));
}

TEST(Plot, ManyPointsAreThinnedAndTheirPeaksKept) {
  std::vector<double> x, y;
  for (int i = 0; i < 20000; ++i) x.push_back(i), y.push_back(i == 12345 ? 9 : 1 + 1e-5 * i);
  const std::string svg = draw(plot_of(x, y));
  EXPECT_LT(points(lines(svg).at(0)).size(), 100u);
  EXPECT_THAT(values(svg).at(0), HasSubstr(" 9 "));
}

TEST(Plot, TheKeyNamesSeveralSeries) {
  Plot plot = plot_of({1, 2}, {1, 2});
  EXPECT_THAT(draw(plot), Not(HasSubstr("class=\"key\"")));
  plot.series.push_back({.name = "<b>", .x = {1, 2}, .y = {2, 1}, .colour = 1});
  EXPECT_THAT(draw(plot), HasSubstr("</i>training</span>"));
  EXPECT_THAT(draw(plot), HasSubstr("</i>&lt;b&gt;</span>"));
}

TEST(Confusion, RowsAreShares) {
  const std::vector<std::string> names = {"cat", "dog & co", "fox"};
  const std::string svg = draw_confusion(names, {{9, 1, 0}, {0, 1200, 0}, {0, 0, 0}});
  expect_finite(svg);
  EXPECT_EQ(matches(svg, "(class=\"cell right\")").size(), 3u);
  EXPECT_EQ(matches(svg, "(class=\"cell wrong\")").size(), 6u);
  EXPECT_THAT(svg, HasSubstr("1 of 10 cat (10.0 %)&#10;called dog &amp; co"));
  EXPECT_THAT(svg, HasSubstr("1,200 of 1,200 dog &amp; co (100.0 %)"));
}

TEST(Confusion, LongNamesAreCutBetweenCharacters) {
  const std::vector<std::string> names = {"一二三四五六七八九十一二三四五六", "short"};
  EXPECT_THAT(draw_confusion(names, {{1, 0}, {0, 1}}), HasSubstr(">一二三四五六七八九十一二三…</text>"));
}

TEST(Interval, StaysOnItsScale) {
  EXPECT_EQ(draw_interval(NAN, {0, 1}, {0, 1}), "");
  EXPECT_EQ(draw_interval(0.5, {NAN, NAN}, {0, 1}), "");
  EXPECT_EQ(draw_interval(0.5, {0.4, 0.6}, {1, 1}), "");
  const std::string svg = draw_interval(1.2, {-1, 2}, {0, 1});
  EXPECT_THAT(svg, HasSubstr("x1=\"4.0\" x2=\"116.0\""));
  EXPECT_THAT(svg, HasSubstr("cx=\"116.0\""));
}

}  // namespace
}  // namespace danlu::app
