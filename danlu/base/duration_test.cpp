#include "danlu/base/duration.h"

#include <gtest/gtest.h>

#include "danlu/base/error.h"

namespace danlu {
namespace {

TEST(Duration, Units) {
  EXPECT_EQ(parse_duration("90", "x"), 90);
  EXPECT_EQ(parse_duration("90s", "x"), 90);
  EXPECT_EQ(parse_duration("20m", "x"), 1200);
  EXPECT_EQ(parse_duration("20min", "x"), 1200);
  EXPECT_EQ(parse_duration("1.5h", "x"), 5400);
  EXPECT_EQ(parse_duration("2d", "x"), 172800);
}

TEST(Duration, RefusesWhatIsNone) {
  for (const char* text : {"", "m", "0", "-5m", "20 m", "20x", "nan", "inf", "1e999"}) {
    try {
      parse_duration(text, "--deadline");
      FAIL() << text;
    } catch (const ConfigError& error) {
      EXPECT_NE(error.message().find("--deadline: got \"" + std::string(text) + "\"; expected a time like"), std::string::npos)
          << error.message();
    }
  }
}

}  // namespace
}  // namespace danlu
