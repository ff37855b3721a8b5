#include "danlu/learn/tune/space.h"

#include <gmock/gmock.h>

#include "danlu/base/error.h"

namespace danlu::tune {
namespace {

using testing::HasSubstr;

Json lr(const Json& range) { return {{"train.optimizer.lr", range}}; }

std::string refusal(const Json& json) {
  try {
    parse_space(json, [](std::string_view) { return "recipe.yaml:7"; }, "tune.space");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Space, ReadsEveryForm) {
  const Space space = parse_space({{"train.optimizer.lr", {{"log_uniform", {1e-4, 1e-1}}}},
                                   {"model", {{"dropout", {{"uniform", {0, 0.5}}}}, {"hidden", {{"choice", {{64}, {128, 64}}}}}}},
                                   {"train.batch_size", {{"int", {16, 256}}, {"log", true}}}});
  ASSERT_EQ(space.size(), 4u);
  EXPECT_EQ(space[0].name(), "train.optimizer.lr");
  EXPECT_TRUE(space[0].log());
  EXPECT_EQ(space[1].name(), "model.dropout");
  EXPECT_EQ(space[2].choices()[1], Json({128, 64}));
  EXPECT_EQ(space[3].kind(), Parameter::Kind::integer);
  EXPECT_EQ(space[3].size(), 241);
  EXPECT_EQ(size(space), std::nullopt);
  EXPECT_EQ(size({space[2], space[3]}), 482);
}

TEST(Space, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(refusal(lr({{"log_uniform", {0, 0.1}}})), HasSubstr("recipe.yaml:7: tune.space.train.optimizer.lr: got [0,0.1]; expected a range above 0"));
  EXPECT_THAT(refusal(lr({{"int", {-1, 4}}, {"log", true}})), HasSubstr("expected a range above 0"));
  EXPECT_THAT(refusal(lr({{"choice", Json::array()}})), HasSubstr("choice: got []; expected a list of at least one value"));
  EXPECT_THAT(refusal(lr({{"choice", {1, 2, 1}}})), HasSubstr("choice: 1 is given twice"));
  EXPECT_THAT(refusal(lr({{"uniform", {0.5, 0.1}}})), HasSubstr("expected the lower bound first"));
  EXPECT_THAT(refusal(lr({{"uniform", {1, 1}}})), HasSubstr("expected the lower bound first"));
  EXPECT_THAT(refusal(lr({{"uniform", {1, 2, 3}}})), HasSubstr("expected two numbers"));
  EXPECT_THAT(refusal(lr({{"int", {1.5, 3}}})), HasSubstr("expected two whole numbers"));
  EXPECT_THAT(refusal(lr({{"unifrom", {0, 1}}})), HasSubstr("got \"unifrom\"; expected one of uniform, log_uniform, int, choice; did you mean \"uniform\"?"));
  EXPECT_THAT(refusal(lr({{"uniform", {0, 1}}, {"log", true}})), HasSubstr("log: true beside int alone"));
  EXPECT_THAT(refusal(lr({{"uniform", {0, 1}}, {"choice", {1}}})), HasSubstr("expected one of"));
  EXPECT_THAT(refusal(lr(3)), HasSubstr("got 3; expected a group"));
  EXPECT_THAT(refusal(lr(Json::object())), HasSubstr("got nothing"));
  EXPECT_THAT(refusal(Json::array()), HasSubstr("got []; expected a group"));
  EXPECT_THAT(refusal({{"a.b", {{"uniform", {0, 1}}}}, {"a", {{"b", {{"uniform", {0, 1}}}}}}}), HasSubstr("is given twice"));
}

TEST(Parameter, UnitAndBack) {
  const Parameter rate = Parameter::real("lr", 1e-4, 1e-1, true), width = Parameter::integer("n", 1, 64, true);
  EXPECT_EQ(rate.from_unit(0), 1e-4);
  EXPECT_EQ(rate.from_unit(1), 1e-1);
  EXPECT_EQ(rate.from_unit(0.5), 0.003162) << "four digits";
  EXPECT_NEAR(rate.to_unit(rate.from_unit(0.3)), 0.3, 1e-4);
  double before = 0;
  for (int n = 1; n <= 64; ++n) {
    EXPECT_EQ(width.from_unit(width.to_unit(n)), n);
    const auto [from, to] = width.cell(n);
    EXPECT_NEAR(from, before, 1e-12) << "cells follow one another";
    before = to;
  }
  EXPECT_NEAR(before, 1, 1e-12);
  EXPECT_EQ(width.from_unit(0), 1);
  EXPECT_EQ(width.from_unit(1), 64);
}

TEST(Parameter, RandomPointsFillTheSpaceEvenly) {
  const Space space = {Parameter::integer("n", 1, 3), Parameter::real("lr", 1e-3, 1e-1, true)};
  std::array<int, 4> seen{};
  int small = 0;
  Rng rng(2);
  for (int i = 0; i < 3000; ++i) {
    const Point point = random_point(space, rng);
    ++seen[static_cast<size_t>(point[0])];
    small += point[1] < 1e-2 ? 1 : 0;
  }
  for (int n = 1; n <= 3; ++n) EXPECT_NEAR(seen[static_cast<size_t>(n)], 1000, 100);
  EXPECT_NEAR(small, 1500, 100);
}

TEST(Space, PointsThroughJson) {
  const Space space = {Parameter::real("lr", 1e-4, 1e-1, true), Parameter::integer("n", 1, 64), Parameter::choice("hidden", {Json{64}, Json{128, 64}})};
  const Point point = {0.003162, 7, 1};
  EXPECT_EQ(to_line(to_json(space, point)), R"({"lr":0.003162,"n":7,"hidden":[128,64]})");
  EXPECT_EQ(from_json(space, parse_json(to_line(to_json(space, point)), "")), point);
  EXPECT_FALSE(from_json(space, Json{{"lr", 0.01}, {"n", 65}, {"hidden", {64}}}));
  EXPECT_FALSE(from_json(space, Json{{"lr", 0.01}, {"n", 6.5}, {"hidden", {64}}}));
  EXPECT_FALSE(from_json(space, Json{{"lr", 0.01}, {"n", 6}, {"hidden", {63}}}));
  EXPECT_FALSE(from_json(space, Json{{"lr", 0.01}, {"n", 6}}));
}

}  // namespace
}  // namespace danlu::tune
