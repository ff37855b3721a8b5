#include "danlu/base/error.h"

#include <gtest/gtest.h>

#include "danlu/base/check.h"

namespace danlu {

TEST(Error, KeepsItsParts) {
  const DataError error("data.csv", "got 3 cells; expected 4");
  EXPECT_STREQ(error.what(), "[data.csv] got 3 cells; expected 4");
  EXPECT_EQ(error.where(), "data.csv");
  EXPECT_EQ(error.message(), "got 3 cells; expected 4");
}

TEST(Check, NamesTheConditionAndThePlace) {
  DANLU_CHECK(1 + 1 == 2, "arithmetic");
  try {
    DANLU_CHECK(1 + 1 == 3, "arithmetic");
    FAIL() << "no error";
  } catch (const InternalError& error) {
    const std::string words = error.what();
    EXPECT_NE(words.find("error_test.cpp:"), std::string::npos) << words;
    EXPECT_NE(words.find("1 + 1 == 3 does not hold: arithmetic"), std::string::npos) << words;
  }
}

}  // namespace danlu
