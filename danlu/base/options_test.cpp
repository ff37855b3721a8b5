#include "danlu/base/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "danlu/base/error.h"

namespace danlu {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

struct OptimizerOptions {
  std::string type = "adamw";
  double lr = 1e-3;
  bool nesterov = false;
  void describe(OptionVisitor& v) {
    v.choice("type", type, {"sgd", "adam", "adamw"}, "update rule");
    v.field("lr", lr, {0, 10}, "step size");
    v.field("nesterov", nesterov, "look ahead");
  }
};

struct ColumnOptions {
  std::string type = "auto";
  void describe(OptionVisitor& v) { v.choice("type", type, {"auto", "number", "category"}, "how to read it"); }
};

struct TrainOptions {
  int64_t epochs = 10;
  std::optional<int64_t> patience;
  std::optional<double> clip;
  std::vector<int64_t> hidden = {64};
  std::vector<double> decay;
  std::vector<std::string> metrics;
  std::string name = "run";
  Json extra;
  OptimizerOptions optimizer;
  std::map<std::string, ColumnOptions> columns;
  void describe(OptionVisitor& v) {
    v.field("epochs", epochs, {1, 1e6}, "passes over the data");
    v.field("patience", patience, {1}, "evaluations without gain");
    v.field("clip", clip, {0}, "largest gradient norm");
    v.field("hidden", hidden, {1, 65536}, "units of each layer");
    v.field("decay", decay, {}, "weights");
    v.field("metrics", metrics, "what to report");
    v.field("name", name, "of the run");
    v.field("extra", extra, "anything");
    v.group("optimizer", optimizer, "how weights move");
    v.map("columns", columns, "per column");
  }
};

TrainOptions read(const std::string& text) {
  TrainOptions options;
  read_options(parse_json(text, "test"), options);
  return options;
}

std::string error_of(const std::string& text) {
  try {
    read(text);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Options, ReadsEveryKindOfField) {
  const TrainOptions o = read(R"({"epochs": 1e2, "patience": 3, "clip": 0.5, "hidden": [8, 4], "decay": 0.1,
      "metrics": "auc", "name": "n", "extra": {"any": [1]},
      "optimizer": {"type": "sgd", "lr": 1, "nesterov": true}, "columns": {"age": {"type": "number"}, "sex": null}})");
  EXPECT_EQ(o.epochs, 100);
  EXPECT_EQ(o.patience, 3);
  EXPECT_EQ(o.clip, 0.5);
  EXPECT_THAT(o.hidden, ElementsAre(8, 4));
  EXPECT_THAT(o.decay, ElementsAre(0.1)) << "one value stands for a list of one";
  EXPECT_THAT(o.metrics, ElementsAre("auc"));
  EXPECT_EQ(o.name, "n");
  EXPECT_EQ(o.extra["any"][0], 1);
  EXPECT_EQ(o.optimizer.type, "sgd");
  EXPECT_EQ(o.optimizer.lr, 1);
  EXPECT_TRUE(o.optimizer.nesterov);
  EXPECT_EQ(o.columns.at("age").type, "number");
  EXPECT_EQ(o.columns.at("sex").type, "auto");
}

TEST(Options, AbsentFieldsKeepTheirValues) {
  TrainOptions options;
  options.epochs = 7;
  options.optimizer.lr = 2;
  read_options(Json::parse(R"({"optimizer": {"type": "adam"}, "patience": null})"), options);
  EXPECT_EQ(options.epochs, 7);
  EXPECT_EQ(options.optimizer.lr, 2);
  EXPECT_EQ(options.optimizer.type, "adam");
  EXPECT_FALSE(options.patience.has_value());
}

TEST(Options, UnknownKeyNamesTheNearest) {
  EXPECT_THAT(error_of(R"({"epoch": 3})"), HasSubstr(R"(unknown key "epoch"; did you mean "epochs"?)"));
  EXPECT_THAT(error_of(R"({"optimizer": {"learning_rate": 3}})"),
              HasSubstr(R"(unknown key "optimizer.learning_rate"; known here: type, lr, nesterov)"));
  EXPECT_THAT(error_of(R"({"columns": {"age": {"typ": "number"}}})"),
              HasSubstr(R"(unknown key "columns.age.typ"; did you mean "type"?)"));
}

TEST(Options, WrongTypeSaysWhatIsExpected) {
  EXPECT_THAT(error_of(R"({"epochs": "many"})"), HasSubstr(R"(epochs: got "many"; expected a whole number)"));
  EXPECT_THAT(error_of(R"({"epochs": 2.5})"), HasSubstr("epochs: got 2.5; expected a whole number"));
  EXPECT_THAT(error_of(R"({"epochs": 18446744073709551615})"), HasSubstr("expected a whole number of 63 bits"));
  EXPECT_THAT(error_of(R"({"clip": true})"), HasSubstr("clip: got true; expected a number"));
  EXPECT_THAT(error_of(R"({"name": 3})"), HasSubstr("name: got 3; expected a text"));
  EXPECT_THAT(error_of(R"({"hidden": [8, "x"]})"), HasSubstr(R"(hidden: got "x"; expected a whole number)"));
  EXPECT_THAT(error_of(R"({"hidden": {"a": 1}})"),
              HasSubstr("hidden: got {\"a\":1}; expected a list of whole numbers"));
  EXPECT_THAT(error_of(R"({"metrics": [1]})"), HasSubstr("metrics: got 1; expected a list of texts"));
  EXPECT_THAT(error_of(R"({"optimizer": "adam"})"), HasSubstr(R"(optimizer: got "adam"; expected a group of keys)"));
  EXPECT_THAT(error_of(R"({"optimizer": {"nesterov": "yes"}})"),
              HasSubstr("optimizer.nesterov: got \"yes\"; expected true or false"));
  EXPECT_THAT(error_of("[1]"), HasSubstr("top level: got [1]; expected a group of keys"));
}

TEST(Options, RangeAndChoiceAreChecked) {
  EXPECT_THAT(error_of(R"({"epochs": 0})"), HasSubstr("epochs: got 0; expected a number in [1, 1000000]"));
  EXPECT_THAT(error_of(R"({"clip": -1})"), HasSubstr("clip: got -1; expected a number >= 0"));
  EXPECT_THAT(error_of(R"({"hidden": [8, 0]})"), HasSubstr("hidden: got 0; expected a number in [1, 65536]"));
  EXPECT_THAT(error_of(R"({"optimizer": {"type": "adamw2"}})"),
              HasSubstr(R"(optimizer.type: got "adamw2"; expected one of sgd, adam, adamw; did you mean "adamw"?)"));
}

struct AverageOptions {
  double memory = 0.9;
  void describe(OptionVisitor& v) { v.field("memory", memory, {0, 1, true}, "part of the average that is kept"); }
};

TEST(Options, ARangeMayEndBelowItsUpperBound) {
  AverageOptions options;
  read_options(Json{{"memory", 0.999999}}, options);
  EXPECT_EQ(options.memory, 0.999999);
  try {
    read_options(Json{{"memory", 1}}, options);
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("memory: got 1; expected a number in [0, 1)"));
  }
  EXPECT_THAT(help_options<AverageOptions>(), HasSubstr("(in [0, 1))"));
  const Json field = schema_options<AverageOptions>()["properties"]["memory"];
  EXPECT_EQ(field["exclusiveMaximum"], 1);
  EXPECT_FALSE(field.contains("maximum"));
}

TEST(Options, ErrorsNameTheLineOfTheFile) {
  TrainOptions options;
  const Locate locate = [](std::string_view key) {
    return key == "train.optimizer.lr" ? "recipe.yaml:4" : "recipe.yaml:1";
  };
  try {
    read_options(Json::parse(R"({"optimizer": {"lr": "fast"}})"), options, locate, "train");
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(), R"([config] recipe.yaml:4: train.optimizer.lr: got "fast"; expected a number)");
  }
}

TEST(Options, LongValuesAreCutBetweenCharacters) {
  std::string long_text = "x";
  for (int i = 0; i < 50; ++i) long_text += "丹";
  const std::string words = error_of(to_line(Json{{"epochs", long_text}}));
  EXPECT_THAT(words, HasSubstr("...; expected a whole number"));
  EXPECT_NO_THROW(static_cast<void>(Json(words).dump())) << "valid UTF-8";
}

TEST(Options, WriteThenReadIsTheIdentity) {
  const TrainOptions options = read(R"({"patience": 3, "hidden": [], "columns": {"age": {"type": "number"}}})");
  const Json written = write_options(options);
  EXPECT_EQ(written["epochs"], 10) << "defaults are written too";
  EXPECT_TRUE(written["clip"].is_null());
  EXPECT_EQ(written["columns"]["age"]["type"], "number");
  TrainOptions again;
  again.hidden = {1, 2};
  read_options(written, again);
  EXPECT_EQ(write_options(again), written);
}

TEST(Options, HelpShowsNameDefaultRangeAndMeaning) {
  const std::string help = help_options<TrainOptions>();
  EXPECT_THAT(help, StartsWith("epochs: 10 "));
  EXPECT_THAT(help, HasSubstr("passes over the data (in [1, 1000000])"));
  EXPECT_THAT(help, HasSubstr("\n  type: adamw"));
  EXPECT_THAT(help, HasSubstr("update rule (sgd | adam | adamw)"));
}

TEST(Options, SchemaSaysTheSameAsTheReader) {
  const Json schema = schema_options<TrainOptions>();
  EXPECT_EQ(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(schema["additionalProperties"], false);
  const Json& fields = schema["properties"];
  EXPECT_EQ(fields["epochs"]["type"], "integer");
  EXPECT_EQ(fields["epochs"]["minimum"], 1);
  EXPECT_EQ(fields["epochs"]["description"], "passes over the data");
  EXPECT_EQ(fields["patience"]["type"], Json::array({"integer", "null"}));
  EXPECT_EQ(fields["hidden"]["items"]["maximum"], 65536);
  EXPECT_EQ(fields["optimizer"]["properties"]["type"]["enum"], Json::array({"sgd", "adam", "adamw"}));
  EXPECT_EQ(fields["optimizer"]["additionalProperties"], false);
  EXPECT_EQ(fields["columns"]["additionalProperties"], true) << "the names are the user's";
}

TEST(Options, TypeAloneOrWithItsOptions) {
  const std::vector<std::string> types = {"sgd", "adamw"};
  const auto split = [&](const char* text) { return split_type(Json::parse(text), types, "adamw", {}, "train.optimizer"); };
  EXPECT_EQ(split("null").type, "adamw");
  EXPECT_EQ(split(R"("sgd")").type, "sgd");
  EXPECT_EQ(split(R"({"lr": 1})").type, "adamw");
  const TypedOptions both = split(R"({"type": "sgd", "lr": 1})");
  EXPECT_EQ(both.type, "sgd");
  EXPECT_EQ(both.options, Json::parse(R"({"lr": 1})"));
  try {
    split(R"({"type": "adam"})");
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(),
                 R"([config] train.optimizer.type: got "adam"; expected one of sgd, adamw; did you mean "adamw"?)");
  }
  EXPECT_THROW(split("3"), ConfigError);
  EXPECT_THROW(split(R"({"type": 3})"), ConfigError);
}

TEST(Options, DidYouMean) {
  EXPECT_EQ(did_you_mean("hiden", {"epochs", "hidden"}), "; did you mean \"hidden\"?");
  EXPECT_EQ(did_you_mean("wholly-other", {"epochs", "hidden"}), "");
  EXPECT_EQ(did_you_mean("x", {"lr"}), "") << "nothing in common";
  EXPECT_EQ(did_you_mean("x", {}), "");
}

}  // namespace
}  // namespace danlu
