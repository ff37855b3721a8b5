#include "danlu/app/recipe/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "danlu/base/error.h"

namespace danlu::app {
namespace {

using testing::HasSubstr;

std::string error_of(const std::string& text) {
  try {
    parse_yaml(text, "r.yaml");
  } catch (const ConfigError& error) {
    return error.message();
  }
  return "no error for: " + text;
}

TEST(Yaml, ScalarsHaveTheTypesOfTheCoreSchema) {
  const Json json = parse_yaml(
                        "a: 3\nb: 1e-3\nc: true\nd: yes\ne: \"3\"\nf: ~\ng:\nh: 1.5\ni: -7\nj: +2\nk: .5\nl: 'null'\n"
                        "m: inf\nn: 0x1F\no: 1_000\np: 2024-01-05\nq: v1.2\n",
                        "r.yaml")
                        .json;
  EXPECT_EQ(json.dump(),
            R"({"a":3,"b":0.001,"c":true,"d":"yes","e":"3","f":null,"g":null,"h":1.5,"i":-7,"j":2,"k":0.5,"l":"null",)"
            R"("m":"inf","n":"0x1F","o":"1_000","p":"2024-01-05","q":"v1.2"})");
}

TEST(Yaml, NestsInBothStyles) {
  const Json json =
      parse_yaml("model:\n  layers:\n    - conv: {filters: 32}\n    - relu\ndata: {source: a.csv}\n", "r.yaml").json;
  EXPECT_EQ(json.dump(), R"({"model":{"layers":[{"conv":{"filters":32}},"relu"]},"data":{"source":"a.csv"}})");
}

TEST(Yaml, EmptyTextHasNoKeys) {
  EXPECT_EQ(parse_yaml("", "r.yaml").json, Json::object());
  EXPECT_EQ(parse_yaml("# only this\n", "r.yaml").json, Json::object());
}

TEST(Yaml, KnowsTheLineOfAKeyOrOfTheOneAbove) {
  const YamlDocument document = parse_yaml("name: a\ntrain:\n  epochs: 3\n  optimizer:\n    type: sgd\n", "r.yaml");
  const Locate locate = document.locate();
  EXPECT_EQ(locate("name"), "r.yaml:1");
  EXPECT_EQ(locate("train.optimizer.type"), "r.yaml:5");
  EXPECT_EQ(locate("train.optimizer.lr"), "r.yaml:4");
  EXPECT_EQ(locate("evaluate"), "r.yaml");
}

TEST(Yaml, ErrorsNameLineAndColumn) {
  EXPECT_THAT(error_of("a: 1\nb: [1, 2\n"), HasSubstr("r.yaml:"));
  EXPECT_THAT(error_of("a: 1\n  b: 2\n"), HasSubstr("r.yaml:2:"));
  EXPECT_THAT(error_of("a: 1\nb: 2\na: 3\n"), HasSubstr("r.yaml:3:1: key \"a\" is given twice"));
  EXPECT_THAT(error_of("x:\n  a: 1\n  a: 3\n"), HasSubstr("key \"x.a\" is given twice"));
  EXPECT_THAT(error_of("[1, 2]: 3\n"), HasSubstr("r.yaml:1:1: got a key that is not a word"));
  EXPECT_THAT(error_of("- 1\n- 2\n"), HasSubstr("expected keys"));
  EXPECT_THAT(error_of("just text"), HasSubstr("expected keys"));
  EXPECT_THAT(error_of("a: 1\n---\nb: 2\n"), HasSubstr("second document"));
  EXPECT_THAT(error_of("a: !!binary aGVsbG8=\n"), HasSubstr("got the tag"));
  EXPECT_THAT(error_of("a: \xff\n"), HasSubstr("byte 3 is not UTF-8"));
}

TEST(Yaml, RefusesWhatCouldExpandOrNestWithoutBound) {
  EXPECT_THAT(error_of("a: &x [1]\nb: *x\n"), HasSubstr("r.yaml:2:4: got an alias"));
  std::string bomb = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string last = std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + last + ", *a" + last + "]\n";
  }
  EXPECT_THAT(error_of(bomb), HasSubstr("got an alias"));
  EXPECT_THAT(error_of("a: " + std::string(5000, '[') + std::string(5000, ']')), HasSubstr("more than 64 levels"));
  EXPECT_THAT(error_of("a: " + std::string(5000, '{')), HasSubstr("more than 64 levels"));
  EXPECT_THAT(error_of("a: \"" + std::string(2 << 20, 'x') + "\""), HasSubstr("expected at most 1048576"));
}

TEST(Yaml, WhatIsWrittenReadsBackTheSame) {
  const Json json = {{"name", "a: b # c"},
                     {"empty", ""},
                     {"words", {"no", "NULL", "?", " spaced ", "3", "- x", "tab\tline\nend", "\"quoted\"", "ü"}},
                     {"number", 0.1},
                     {"tiny", 1e-300},
                     {"none", nullptr},
                     {"nothing", Json::array()},
                     {"group", {{"deep", {{"er", true}}}, {"odd: key", 1}, {"empty", Json::object()}}},
                     {"layers", {{{"conv", {{"filters", 32}, {"names", {"a", "b,c"}}}}}, "relu", {{"max_pool", 2}}}}};
  const std::string text = to_yaml(json);
  EXPECT_EQ(parse_yaml(text, "r.yaml").json, json) << text;
}

TEST(Yaml, CommentsStandAboveTheirKeys) {
  EXPECT_EQ(to_yaml({{"train", {{"epochs", 5}, {"lr", 1}}}}, {{"train.epochs", "derived: one\nand two"}}),
            "train:\n  # derived: one\n  # and two\n  epochs: 5\n  lr: 1\n");
}

TEST(Yaml, ValuesOfACommandLine) {
  EXPECT_EQ(parse_yaml_value("[64, 32]", "command line").dump(), "[64,32]");
  EXPECT_EQ(parse_yaml_value("", "command line"), nullptr);
  EXPECT_THROW(parse_yaml_value("[64", "command line"), ConfigError);
  EXPECT_THROW(parse_yaml_value("1\nother: 2", "command line").dump(), ConfigError);
}

}  // namespace
}  // namespace danlu::app
