#include "danlu/data/faq/faq.h"

#include <gmock/gmock.h>

#include "danlu/base/error.h"
#include "danlu/data/table/csv.h"

namespace danlu::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

FaqTable read(const std::string& csv, const FaqOptions& options = {}) { return read_faq(parse_csv(csv, "faq.csv"), options); }

void expect_refused(const std::string& csv, const std::string& words, const FaqOptions& options = {}) {
  try {
    read(csv, options);
    ADD_FAILURE() << "not refused: " << csv;
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr(words));
  }
}

TEST(Faq, RowsOfOneAnswerAreOneEntry) {
  const FaqTable table = read("question,answer,url\nHow do I pay?,By card.,u#1\n Paying , By card. ,u#2\nWhere is it?,On its way.,\nhow do i PAY?,By card.,\n");
  ASSERT_EQ(table.faq.size(), 2);
  EXPECT_THAT(table.faq.entries()[0].questions, ElementsAre("How do I pay?", "Paying"));
  EXPECT_EQ(table.faq.entries()[0].answer, "By card.");
  EXPECT_EQ(table.faq.entries()[0].url, "u#1");
  EXPECT_EQ(table.faq.entries()[1].id, "2");
  EXPECT_EQ(table.repeated_rows, 1);
  EXPECT_EQ(table.faq.num_questions(), 3);
  const Faq again = Faq::from_json(table.faq.to_json(), "faq.json");
  EXPECT_EQ(again.hash(), table.faq.hash());
}

TEST(Faq, WhatIsNoQuestionWithAnAnswerIsRefusedOrLeftOut) {
  expect_refused("question,answer\nHow?,\n", "faq.csv:2 column \"answer\": got nothing; expected an answer");
  expect_refused("question,answer\n  ,x\n", "faq.csv:2 column \"question\": got nothing");
  const std::string contrary = "question,answer\nHow?,So.\nOther,Thus.\nhow?,Thus.\n";
  expect_refused(contrary, "faq.csv:4 column \"question\": got \"how?\", which line 2 answers otherwise");
  FaqOptions drop;
  drop.on_bad_row = "drop";
  const FaqTable kept = read(contrary + "x,\nNew?,\n", drop);
  EXPECT_EQ(kept.faq.num_questions(), 2);
  EXPECT_EQ(kept.bad_rows, 3);
  EXPECT_EQ(read("question,answer\nHow?,So.\nhow?,Thus.\nWhy?,Thus.\n", drop).faq.size(), 2) << "an answer that lost its first question has another";
  expect_refused("question,answer\n", "got a header and no rows");
  expect_refused("question,answer\n,\n", "got no question with an answer from 1 rows", drop);
  expect_refused("frage,answer\nx,y\n", "question");
  FaqOptions link;
  link.url = "link";
  expect_refused("question,answer\nx,y\n", "link", link);
}

TEST(Faq, OfABundleNothingIsBelieved) {
  for (const char* json : {R"({})", R"({"entries": 3})", R"({"entries": []})", R"({"entries": [{"id": "1", "questions": [], "answer": "x", "url": ""}]})",
                           R"({"entries": [{"id": "1", "questions": ["q"], "answer": "", "url": ""}]})",
                           R"({"entries": [{"id": "1", "questions": ["q", " \t"], "answer": "x", "url": ""}]})", R"({"entries": [{"id": "1", "questions": ["q"], "answer": "\n ", "url": ""}]})",
                           R"({"entries": [{"id": "1", "questions": ["q"], "answer": "x", "url": ""}, {"id": "1", "questions": ["r"], "answer": "y", "url": ""}]})"}) {
    try {
      Faq::from_json(parse_json(json, "test"), "faq.json");
      ADD_FAILURE() << json;
    } catch (const DataError& error) {
      EXPECT_THAT(error.what(), HasSubstr("faq.json: ")) << json;
    }
  }
}

TEST(Faq, QuestionsOfAnotherTable) {
  EXPECT_THAT(read_questions(parse_csv("topic,question\na,Who?\nb,\nc,who?\nd,When?\n", "other.csv"), {}), ElementsAre("Who?", "When?"));
}

TEST(Passages, AreParagraphsOfAboutOneLength) {
  EXPECT_THAT(passages_of("One.\n\nTwo.\n\nThree is longer than that.", 14), ElementsAre("One. Two.", "Three is longer than that."));
  EXPECT_THAT(passages_of("First sentence here. Second sentence there. Third one.", 22), ElementsAre("First sentence here.", "Second sentence there. Third one."));
  EXPECT_TRUE(passages_of("  \n \n").empty());
  const std::string long_word(100, 'x');
  EXPECT_THAT(passages_of(long_word, 40), ElementsAre(std::string(40, 'x'), std::string(60, 'x')));
  std::string umlauts;
  for (int i = 0; i < 60; ++i) umlauts += "\u00fc";
  for (const std::string& passage : passages_of(umlauts, 41)) EXPECT_EQ(passage.size() % 2, 0u) << "no character is cut in two";
}

}  // namespace
}  // namespace danlu::data
