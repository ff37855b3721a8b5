#include "danlu/infer/prompt_lookup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace danlu::infer {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Tokens = std::vector<data::TokenId>;

TEST(PromptLookup, IsWhatFollowedTheSameTokens) {
  EXPECT_THAT(look_up(Tokens{1, 2, 3, 4, 5, 6, 9, 2, 3}, 2), ElementsAre(4, 5));
  EXPECT_THAT(look_up(Tokens{1, 2, 3, 4, 5, 9, 2, 3}, 4), ElementsAre(4, 5, 9, 2));
}

TEST(PromptLookup, OneTokenInCommonIsNothing) {
  EXPECT_THAT(look_up(Tokens{1, 2, 3, 9, 2}, 4), IsEmpty());
  EXPECT_THAT(look_up(Tokens{1, 2, 3}, 4), IsEmpty());
  EXPECT_THAT(look_up(Tokens{7}, 4), IsEmpty());
  EXPECT_THAT(look_up(Tokens{}, 4), IsEmpty());
  EXPECT_THAT(look_up(Tokens{2, 3, 4, 2, 3}, 0), IsEmpty());
}

TEST(PromptLookup, MoreInCommonIsBetterAndOfEqualsTheLatest) {
  EXPECT_THAT(look_up(Tokens{1, 2, 3, 40, 8, 2, 3, 50, 1, 2, 3}, 1), ElementsAre(40));
  EXPECT_THAT(look_up(Tokens{2, 3, 40, 8, 2, 3, 50, 9, 2, 3}, 1), ElementsAre(50));
}

TEST(PromptLookup, ARepetitionGoesOn) {
  EXPECT_THAT(look_up(Tokens{5, 1, 2, 1, 2, 1, 2}, 5), ElementsAre(1, 2, 1, 2, 1));
  EXPECT_THAT(look_up(Tokens{4, 4, 4}, 3), ElementsAre(4, 4, 4));
}

}  // namespace
}  // namespace danlu::infer
