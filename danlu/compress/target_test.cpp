#include "danlu/compress/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "danlu/base/error.h"

namespace danlu::compress {
namespace {

TEST(Target, IsRead) {
  EXPECT_EQ(parse_target("int8").kind, Target::Kind::int8);
  EXPECT_EQ(parse_target("sparse=0.95").share, 0.95);
  EXPECT_EQ(parse_target("sparse").share, 0.9);
  EXPECT_EQ(parse_target("channels=0.25").share, 0.25);
  const Target two_of_four = parse_target("2:4");
  EXPECT_EQ(two_of_four.n, 2);
  EXPECT_EQ(two_of_four.m, 4);
  EXPECT_EQ(two_of_four.share, 0.5);
  for (const char* text : {"int8", "sparse=0.9", "2:4", "channels=0.5"}) EXPECT_EQ(parse_target(text).name().find_first_of(":= /"), std::string::npos);
  EXPECT_EQ(parse_target("sparse=0.9").name(), "sparse-0.9");
}

TEST(Target, OthersAreRefused) {
  for (const char* text : {"", "int4", "sparse=", "sparse=1", "sparse=0", "sparse=-1", "sparse=nan", "sparse=0.9x", "4:2", "0:4", "2:2", "2:", ":4", "2:1000", "channels=2", "int8=3"}) {
    EXPECT_THAT([&] { parse_target(text); }, testing::ThrowsMessage<ConfigError>(testing::HasSubstr("--to: got"))) << text;
  }
  EXPECT_THAT([] { parse_target("spars=0.9"); }, testing::ThrowsMessage<ConfigError>(testing::HasSubstr("did you mean \"sparse\"?")));
}

}  // namespace
}  // namespace danlu::compress
