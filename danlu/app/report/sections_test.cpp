// What the sections of a page say of runs of several kinds.
#include "danlu/app/report/sections.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "danlu/base/files.h"
#include "danlu/base/format.h"
#include "danlu/base/temporary_directory.h"

namespace danlu::app {
namespace {

using testing::HasSubstr;
using testing::Not;

// A run of `model` with a report.json.
class Sections : public testing::Test {
 protected:
  Sections() : run_(directory_.path() / "run") { make_directories(run_.path()); }
  RunFiles files(const std::string& model, const Json& report, const Json& info = Json::object()) const {
    Json all = {{"name", "run"}, {"status", "finished"}, {"parameters", 33}};
    all.update(info);
    write_json(run_.file("run.json"), all);
    write_file_atomic(run_.file("resolved.yaml"), fmt::format("name: run\nmodel: {{type: {}}}\n", model));
    write_json(run_.file("report.json"), report);
    return RunFiles(run_);
  }
  TemporaryDirectory directory_;
  RunDirectory run_;
};

Json measure(double value) { return {{"value", value}, {"low", value - 0.1}, {"high", value + 0.1}}; }

TEST_F(Sections, ModelsHaveTheNamesThatPeopleCallThem) {
  const std::pair<const char*, const char*> expected[] = {
      {"mlp", ">An MLP of 33 parameters"}, {"rnn", ">An RNN of"},          {"bag_of_ngrams", ">A bag of n-grams of"}, {"bag_of_tokens", ">A bag of tokens of"}, {"encoder", ">An encoder of"},
      {"resnet", ">A ResNet of"},          {"logistic", ">A logistic regression of"}, {"retriever", ">A retriever of"}, {"gpt", ">A language model of"}};
  for (const auto& [type, words] : expected) EXPECT_THAT(headline(files(type, {{"task", "binary"}})), HasSubstr(words)) << type;
  EXPECT_THAT(headline(files("two_tower", {{"task", "recommendation"}, {"samples", 9}})), HasSubstr(">A recommender (two tower) of"));
  EXPECT_THAT(headline(files("kmeans", {{"task", "clustering"}}, {{"training", {{"seconds", 2.0}, {"epochs", 7}}}})), HasSubstr("A k-means of 33 parameters, fitted in 2"));
}

TEST_F(Sections, WhetherAMeasureIsAShareIsSaidByItsMetricAlone) {
  const RunFiles run = files("mlp", {{"task", "multitask"}, {"metrics", {{"recall_cost.rmse", measure(12.5)}, {"sold.accuracy", measure(0.5)}, {"recall@10", measure(0.25)}}}});
  for (const Measure& m : measures(run)) EXPECT_EQ(m.is_share, m.key != "recall_cost.rmse") << m.key;
  EXPECT_THAT(headline(run), HasSubstr("<div class=\"value\">12.5"));
}

TEST_F(Sections, IntervalsAreOfTheLevelThatTheyWereMadeFor) {
  const Json metrics = {{"accuracy", measure(0.5)}};
  const RunFiles narrow = files("mlp", {{"task", "binary"}, {"confidence", 0.9}, {"metrics", metrics}});
  for (const std::string& page : {headline(narrow), quality_section(narrow)}) {
    EXPECT_THAT(page, HasSubstr("90 % interval"));
    EXPECT_THAT(page, Not(HasSubstr("95 % interval")));
  }
  EXPECT_THAT(headline(files("gpt", {{"metrics", metrics}})), HasSubstr("95 % interval"));
}

TEST_F(Sections, AForecasterLearnsFromPeriodsAndAnswersWindows) {
  const Json info = {{"training", {{"seconds", 2.0}, {"terms", 800}}}};
  const std::string page = speed_section(files("mlp", {{"task", "forecast"}, {"samples_per_second", 30.0}}, info));
  EXPECT_THAT(page, HasSubstr("400 periods a second"));
  EXPECT_THAT(page, HasSubstr("30 windows a second, in batches"));
  EXPECT_THAT(speed_section(files("mlp", {{"task", "binary"}, {"samples_per_second", 30.0}}, info)), HasSubstr("400 samples a second"));
}

TEST_F(Sections, WhatWasAskedStandsBesideTheRightAnswer) {
  const auto answer = [](const char* kind, const char* question, const Json& right) { return Json{{"kind", kind}, {"question", question}, {"answered", "Ordering"}, {"right", right}, {"confidence", 0.7}}; };
  const std::string page = faq_section(files("retriever", {{"task", "faq"}, {"least_confidence", 0.5}, {"answers", {answer("wrong", "How do I return it?", "Returning <it>"), answer("handed over off topic", "Who wrote Faust?", nullptr)}}}));
  EXPECT_THAT(page, HasSubstr("Returning &lt;it&gt;"));
  EXPECT_EQ(page.find("no answer"), page.rfind("no answer")) << "of the question off topic alone";
  EXPECT_THAT(page, HasSubstr("no answer"));
}

}  // namespace
}  // namespace danlu::app
