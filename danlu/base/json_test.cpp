#include "danlu/base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "danlu/base/error.h"
#include "danlu/base/temporary_directory.h"

namespace danlu {
namespace {

using testing::HasSubstr;

std::string error_of(std::string_view text) {
  try {
    parse_json(text, "config.json");
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(Json, KeepsTheOrderOfKeys) {
  EXPECT_EQ(to_line(parse_json(R"({"z": 1, "a": [true, null, "丹"], "m": 0.5})", "t")),
            R"({"z":1,"a":[true,null,"丹"],"m":0.5})");
}

TEST(Json, ErrorsNameSourceLineAndColumn) {
  EXPECT_THAT(error_of("{\n  \"a\": 1,\n  \"b\": x\n}"), HasSubstr("[base.json] config.json:3:8: not valid JSON"));
  EXPECT_THAT(error_of(""), HasSubstr("config.json:1:1: not valid JSON"));
  EXPECT_THAT(error_of("{\"a\": 1"), HasSubstr("config.json:1:8:"));
  EXPECT_THAT(error_of("[1] trailing"), HasSubstr("config.json:1:7:"));
  EXPECT_THAT(error_of("\"\xFF\""), HasSubstr("ill-formed UTF-8"));
}

TEST(Json, NumberThatNoDoubleHoldsIsAnErrorOfTheData) {
  EXPECT_THAT(error_of("{\"lr\": 1e999}"), HasSubstr("not valid JSON"));
}

TEST(Json, DepthIsLimited) {
  const auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(error_of(nested(128)), "");
  EXPECT_THAT(error_of(nested(130)), HasSubstr("config.json: got more than 128 nested levels"));
  EXPECT_THAT(error_of(std::string(1 << 20, '[')), HasSubstr("more than 128 nested levels"));
}

TEST(Json, FilesRoundTrip) {
  const TemporaryDirectory directory;
  const Json value = parse_json(R"({"b": 1, "a": [1.5, "x"]})", "t");
  write_json(directory / "value.json", value);
  EXPECT_EQ(read_json(directory / "value.json"), value);
  EXPECT_EQ(read_file(directory / "value.json").back(), '\n');
  write_file_atomic(directory / "bad.json", "{");
  EXPECT_THROW(read_json(directory / "bad.json"), DataError);
  EXPECT_THROW(read_json(directory / "value.json", 3), FileError);
}

TEST(Json, WhatJsonCannotSayIsReplaced) {
  EXPECT_EQ(to_line(Json{{"nan", std::numeric_limits<double>::quiet_NaN()}}), R"({"nan":null})");
  EXPECT_EQ(to_line(Json("a\xFF")), "\"a\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace danlu
