#include "danlu/data/text/token_shards.h"

#include <gtest/gtest.h>

#include <numeric>

#include "danlu/data/image/testing.h"

namespace danlu::data {
namespace {

std::vector<int64_t> all_of(const TokenShards& tokens) {
  std::vector<int64_t> ids(static_cast<size_t>(tokens.size()));
  tokens.read(0, ids);
  return ids;
}

// Three documents of 10, 0 and 20 tokens below 100, in shards of 8.
void write_three(const fs::path& directory, const TokenStreamInfo& info) {
  TokenShardWriter writer(directory, "train", info, 8);
  for (const int count : {10, 0, 20}) {
    std::vector<TokenId> ids(static_cast<size_t>(count));
    std::iota(ids.begin(), ids.end(), count);
    writer.add_document(ids);
  }
  writer.finish();
}

// Changes one byte of a file; a negative offset counts from the end.
void damage(const fs::path& path, int64_t offset, char value) {
  std::string bytes = read_file(path);
  bytes[static_cast<size_t>(offset < 0 ? std::ssize(bytes) + offset : offset)] = value;
  write_file_atomic(path, bytes);
}

TEST(TokenShards, GiveBackWhatWasWritten) {
  for (const int64_t vocab_size : {101, 65536, 65537, 200000}) {
    const TemporaryDirectory directory;
    write_three(directory.path(), {.vocab_size = vocab_size, .eos = 100});
    const TokenShards tokens(directory.path(), "train");
    EXPECT_EQ(tokens.info().vocab_size, vocab_size);
    EXPECT_EQ(tokens.info().eos, 100);
    EXPECT_FALSE(tokens.info().bos.has_value());
    EXPECT_EQ(tokens.shards(), 5);  // 34 ids in shards of 8
    EXPECT_EQ(fs::file_size(directory / "train-00000.tokens"), 64u + 8u * (vocab_size <= 65536 ? 2u : 4u));

    std::vector<int64_t> expected{100};  // eos alone stands before the first document too
    for (int64_t i = 10; i < 20; ++i) expected.push_back(i);
    expected.insert(expected.end(), {100, 100});
    for (int64_t i = 20; i < 40; ++i) expected.push_back(i);
    expected.push_back(100);
    EXPECT_EQ(all_of(tokens), expected);
    for (int64_t begin = 0; begin <= tokens.size(); ++begin) {
      for (int64_t end = begin; end <= tokens.size(); ++end) {
        std::vector<int64_t> part(static_cast<size_t>(end - begin));
        tokens.read(begin, part);
        EXPECT_EQ(part, std::vector<int64_t>(expected.begin() + begin, expected.begin() + end));
      }
    }
    std::vector<int64_t> beyond(2);
    EXPECT_TRUE(contains(error_of([&] { tokens.read(33, beyond); }), "got tokens 33 to 35; expected at most 34"));
  }
}

TEST(TokenShards, BeginDocumentsWithBosIfThereIsOne) {
  const TemporaryDirectory directory;
  TokenShardWriter writer(directory.path(), "train", {.vocab_size = 10, .bos = 8, .eos = 9});
  const std::vector<TokenId> a{1, 2}, b{3};
  writer.add_document(a);
  writer.add_document(b);
  EXPECT_EQ(writer.documents(), 2);
  EXPECT_EQ(writer.size(), 7);
  writer.finish();
  EXPECT_EQ(all_of(TokenShards(directory.path(), "train")), (std::vector<int64_t>{8, 1, 2, 9, 8, 3, 9}));
}

TEST(TokenShards, AreReplacedAsAWhole) {
  const TemporaryDirectory directory;
  write_three(directory.path(), {.vocab_size = 101, .eos = 100});
  TokenShardWriter writer(directory.path(), "train", {.vocab_size = 101}, 8);
  EXPECT_FALSE(fs::exists(directory / "train-00000.tokens"));
  EXPECT_FALSE(fs::exists(directory / "train-00004.tokens"));
  const std::vector<TokenId> ids(9, 7);
  writer.add(ids);
  // What a killed run leaves is not taken for the data.
  EXPECT_TRUE(contains(error_of([&] { TokenShards(directory.path(), "train"); }),
                       "train-00001.tokens: the file is missing, and the one before it is not the last"));
  writer.finish();
  EXPECT_EQ(all_of(TokenShards(directory.path(), "train")), std::vector<int64_t>(9, 7));
}

TEST(TokenShards, RefuseDamagedFiles) {
  struct Case {
    const char* file;
    int64_t offset;
    char value;
    const char* message;
  };
  for (const Case& c : {Case{"train-00000.tokens", 0, 'X', "does not begin with DANLUTOK"},
                        Case{"train-00000.tokens", 8, 2, "got version 2; expected 1"},
                        Case{"train-00000.tokens", 12, 4, "in ids of 4 bytes"},
                        Case{"train-00000.tokens", 24, 9, "expected 9 ids of 2"},
                        Case{"train-00000.tokens", 31, 127, "ids of 2"},
                        Case{"train-00001.tokens", 16, 0, "got shard number 0; expected 1"},
                        Case{"train-00001.tokens", 32, 102, "got another vocabulary than in the shard before"},
                        Case{"train-00000.tokens", 40, 120, "got bos -1 and eos 120; expected less than 101"},
                        Case{"train-00001.tokens", -1, 9, "do not have the checksum"}}) {
    const TemporaryDirectory directory;
    write_three(directory.path(), {.vocab_size = 101, .eos = 100});
    damage(directory / c.file, c.offset, c.value);
    const std::string message = error_of([&] { TokenShards(directory.path(), "train"); });
    EXPECT_TRUE(contains(message, c.message));
    EXPECT_TRUE(contains(message, c.file));
    EXPECT_TRUE(contains(message, "prepare the data again"));
  }
  const TemporaryDirectory directory;
  write_three(directory.path(), {.vocab_size = 101, .eos = 100});
  damage(directory / "train-00001.tokens", -1, 9);
  EXPECT_EQ(TokenShards(directory.path(), "train", false).size(), 34);  // when contents are not checked
  write_file_atomic(directory / "train-00001.tokens", "short");
  EXPECT_TRUE(contains(error_of([&] { TokenShards(directory.path(), "train"); }), "got 5 bytes; expected a header"));
  EXPECT_TRUE(contains(error_of([&] { TokenShards(directory.path(), "test"); }), "cannot open"));
}

TEST(TokenShards, RefuseTokensOutsideTheVocabulary) {
  const TemporaryDirectory directory;
  TokenShardWriter writer(directory.path(), "train", {.vocab_size = 10});
  const std::vector<TokenId> high{1, 10}, negative{-1};
  EXPECT_TRUE(contains(error_of([&] { writer.add(high); }), "got token 10; expected 0 to 9"));
  EXPECT_TRUE(contains(error_of([&] { writer.add(negative); }), "got token -1; expected 0 to 9"));
  EXPECT_EQ(writer.size(), 0);
  EXPECT_TRUE(contains(error_of([&] { writer.finish(); }), "got no tokens for \"train\""));
  EXPECT_TRUE(contains(error_of([&] { TokenShards({1, 10}, {.vocab_size = 10}); }), "got token 10"));
  EXPECT_TRUE(contains(error_of([&] { TokenShardWriter(directory.path(), "t", {.vocab_size = 0}); }),
                       "got a vocabulary of 0"));
  EXPECT_TRUE(contains(error_of([&] { TokenShardWriter(directory.path(), "t", {.vocab_size = 5, .eos = 5}); }),
                       "got eos 5; expected 0 to 4"));
}

}  // namespace
}  // namespace danlu::data
