#include "danlu/data/text/token_ids.h"

#include <gmock/gmock.h>

#include "danlu/base/error.h"

namespace danlu::data {
namespace {

using testing::ElementsAre;

TEST(TokenIds, RowsArePaddedToTheLongest) {
  const std::vector<int64_t> one{3, 4}, none, three{5, 6, 7};
  const Tensor x = pad({&one, &none, &three});
  ASSERT_EQ(x.shape(), (Shape{3, 3}));
  EXPECT_THAT(std::vector<int64_t>(x.span<int64_t>().begin(), x.span<int64_t>().end()), ElementsAre(3, 4, 0, 0, 0, 0, 5, 6, 7));
  EXPECT_EQ(pad({&none}).shape(), (Shape{1, 1})) << "one place at least";
}

TEST(TokenIds, LengthsAreBounded) {
  EXPECT_NO_THROW(check_length(1));
  EXPECT_NO_THROW(check_length(1 << 20));
  EXPECT_THROW(check_length(0), ConfigError);
  EXPECT_THROW(check_length((1 << 20) + 1), ConfigError);
}

TEST(TokenIds, OfALongTextTheBeginningIsLookedAt) {
  const std::string text(1000, 'a');
  EXPECT_EQ(beginning_of(text, 2).size(), 128u);
  EXPECT_EQ(beginning_of(text, 1000).size(), 1000u);
}

}  // namespace
}  // namespace danlu::data
