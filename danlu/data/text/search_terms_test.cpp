#include "danlu/data/text/search_terms.h"

#include <gmock/gmock.h>

namespace danlu::data {
namespace {

using testing::ElementsAre;

TEST(SearchTerms, WordsWithoutCaseAndPunctuation) {
  EXPECT_THAT(search_terms("Inserting PAGE-breaks, 2nd time!", TermKind::words), ElementsAre("inserting", "page", "breaks", "2nd", "time"));
  EXPECT_THAT(search_terms("Stra\u00dfe \uff21\uff22\uff23 e\u0301t\u00e9", TermKind::words), ElementsAre("strasse", "abc", "\u00e9t\u00e9"));
}

TEST(SearchTerms, WhatHoldsAQuestionTogetherIsLeftOut) {
  EXPECT_THAT(search_terms("How do I turn off the printer?", TermKind::words), ElementsAre("turn", "off", "printer"));
  EXPECT_TRUE(search_terms("and what is it?", TermKind::grams).empty());
  EXPECT_TRUE(search_terms(" \t?!", TermKind::words).empty());
  EXPECT_TRUE(search_terms("", TermKind::grams).empty());
}

TEST(SearchTerms, GramsOfFourWithTheEdgesOfTheWord) {
  EXPECT_THAT(search_terms("page", TermKind::grams), ElementsAre("_pag", "page", "age_"));
  EXPECT_THAT(search_terms("tab", TermKind::grams), ElementsAre("_tab", "tab_"));
  EXPECT_THAT(search_terms("pc x", TermKind::grams), ElementsAre("_pc_", "_x_"));
  EXPECT_THAT(search_terms("\u00fcber", TermKind::grams), ElementsAre("_\u00fcbe", "\u00fcber", "ber_"));
}

TEST(SearchTerms, PairsOfCharactersWhereNoSpacesAre) {
  EXPECT_THAT(search_terms("安装软件包", TermKind::grams), ElementsAre("安装", "装软", "软件", "件包"));
  EXPECT_THAT(search_terms("用apt装", TermKind::words), ElementsAre("用", "apt", "装"));
  EXPECT_THAT(search_terms("如何安装", TermKind::words), ElementsAre("何安", "安装"));
}

TEST(SearchTerms, PunctuationOfEveryScriptDivides) {
  EXPECT_THAT(search_terms("人々の。木々、「山」・ー", TermKind::words), ElementsAre("人々", "々の", "木々", "山", "ー"));
}

TEST(SearchTerms, BytesThatAreNoTextDivide) {
  EXPECT_THAT(search_terms("page\xff\xfe" "break", TermKind::words), ElementsAre("page", "break"));
  EXPECT_EQ(folded("A\xc3"), "a ");
}

}  // namespace
}  // namespace danlu::data
