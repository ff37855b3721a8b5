#include "danlu/data/text/text_tokens.h"

#include <gmock/gmock.h>

#include "danlu/base/error.h"
#include "danlu/data/text/bpe_trainer.h"
#include "danlu/data/text/token_ids.h"

namespace danlu::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

Tokenizer tokenizer() {
  BpeTrainer trainer({.vocab_size = 270, .min_frequency = 2, .special_tokens = {}});
  trainer.add("the red red rose, the grey grey stone, a red rose, a stone");
  return Tokenizer(trainer.train());
}

TEST(TextTokens, AreThoseOfTheFoldedTextAndOne) {
  const TextTokens tokens(tokenizer(), 64);
  std::vector<int64_t> expected;
  for (const TokenId id : tokenizer().encode("the red rose")) expected.push_back(id + 1);
  EXPECT_EQ(tokens.encode("the red rose"), expected);
  EXPECT_EQ(tokens.encode("The RED \uff32ose"), expected) << "case and width do not matter";
  EXPECT_EQ(tokens.vocab_size(), tokenizer().vocab_size() + 1);
  EXPECT_TRUE(tokens.encode("").empty());
}

TEST(TextTokens, ALongTextIsCutOff) {
  const TextTokens tokens(tokenizer(), 3);
  EXPECT_EQ(tokens.encode(std::string(10 << 20, 'z')).size(), 3u);
  for (const int64_t length : {0, -1, (1 << 20) + 1}) EXPECT_THAT([&] { TextTokens(tokenizer(), length); }, ThrowsMessage<ConfigError>(HasSubstr("expected 1 to 1048576"))) << length;
}

TEST(TextTokens, ComeBackFromJsonOfWhichNothingIsBelieved) {
  const TextTokens tokens(tokenizer(), 16);
  const Json good = tokens.to_json();
  const TextTokens again = TextTokens::from_json(good, "p.json");
  EXPECT_EQ(again.to_json(), good);
  EXPECT_EQ(again.encode("The red stone"), tokens.encode("The red stone"));
  for (const auto& [key, value] : std::vector<std::pair<const char*, Json>>{{"length", 0}, {"length", 1.5}, {"length", 1e12}, {"length", "x"}, {"tokenizer", 3}, {"tokenizer", Json::object()}}) {
    Json bad = good;
    bad[key] = value;
    EXPECT_THAT([&] { TextTokens::from_json(bad, "p.json"); }, ThrowsMessage<DataError>(HasSubstr("p.json"))) << key << " " << value;
    bad.erase(key);
    EXPECT_THAT([&] { TextTokens::from_json(bad, "p.json"); }, ThrowsMessage<DataError>(AllOf(HasSubstr("p.json"), HasSubstr(key)))) << key;
  }
}

TEST(Pad, RowsAreAsLongAsTheLongest) {
  const std::vector<int64_t> two{7, 8}, one{9}, none;
  const Tensor x = pad({&one, &two, &none});
  EXPECT_EQ(x.shape(), (Shape{3, 2}));
  EXPECT_THAT(std::vector<int64_t>(x.span<int64_t>().begin(), x.span<int64_t>().end()), ElementsAre(9, 0, 7, 8, 0, 0));
  EXPECT_EQ(pad({&none}).shape(), (Shape{1, 1}));
}

}  // namespace
}  // namespace danlu::data
