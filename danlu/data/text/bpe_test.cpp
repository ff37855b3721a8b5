#include "danlu/data/text/bpe.h"

#include <gtest/gtest.h>

#include <chrono>

#include "danlu/base/rng.h"
#include "danlu/data/image/testing.h"

namespace danlu::data {
namespace {

std::vector<std::string> bytes() {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
  return tokens;
}

// Random merges over the letters a to d, of tokens of up to 12 letters.
TokenizerModel random_model(uint64_t seed, int64_t merges) {
  Rng rng(seed);
  TokenizerModel model;
  model.vocab = bytes();
  std::vector<TokenId> known = {'a', 'b', 'c', 'd'};
  for (int64_t tries = 0; tries < 100 * merges && std::ssize(model.merges) < merges; ++tries) {
    const TokenId left = known[static_cast<size_t>(rng.below(std::ssize(known)))];
    const TokenId right = known[static_cast<size_t>(rng.below(std::ssize(known)))];
    const std::string both = model.vocab[static_cast<size_t>(left)] + model.vocab[static_cast<size_t>(right)];
    if (both.size() > 12) continue;
    auto id = static_cast<TokenId>(std::find(model.vocab.begin(), model.vocab.end(), both) - model.vocab.begin());
    if (id == std::ssize(model.vocab)) {
      model.vocab.push_back(both);
      known.push_back(id);
    }
    model.merges.push_back({left, right, id});  // a token may be made in several ways, and a pair stand twice
  }
  return model;
}

// Word by word what byte-pair encoding is.
std::vector<TokenId> reference(const TokenizerModel& model, const std::string& piece) {
  std::vector<TokenId> ids(piece.size());
  std::transform(piece.begin(), piece.end(), ids.begin(), [](char c) { return static_cast<unsigned char>(c); });
  for (;;) {
    int64_t best_rank = std::ssize(model.merges), best = -1;
    for (int64_t i = 0; i + 1 < std::ssize(ids); ++i) {
      for (int64_t rank = std::ssize(model.merges) - 1; rank >= 0; --rank) {
        const auto& merge = model.merges[static_cast<size_t>(rank)];
        if (merge.left != ids[static_cast<size_t>(i)] || merge.right != ids[static_cast<size_t>(i) + 1]) continue;
        if (rank < best_rank) best_rank = rank, best = i;
        break;
      }
    }
    if (best < 0) return ids;
    ids[static_cast<size_t>(best)] = model.merges[static_cast<size_t>(best_rank)].result;
    ids.erase(ids.begin() + best + 1);
  }
}

TokenizerModel of_characters(std::vector<std::string> vocab) {
  TokenizerModel model;
  model.byte_level = false;
  model.vocab = std::move(vocab);
  return model;
}

std::vector<TokenId> encoded(const Bpe& bpe, Bpe::Workspace& work, const std::string& piece) {
  std::vector<TokenId> ids;
  bpe.encode(piece, piece.data() + piece.size(), work, ids);
  return ids;
}

TEST(Bpe, MergesByRankThenFromTheLeft) {
  Rng rng(7);
  for (uint64_t seed = 0; seed < 8; ++seed) {
    const TokenizerModel model = random_model(seed, 60);
    const Bpe bpe(model);
    Bpe::Workspace work;
    for (int i = 0; i < 400; ++i) {
      // Lengths on both sides of those that the cache takes, and of those that need a heap.
      std::string piece(static_cast<size_t>(1 + rng.below(i % 4 == 0 ? 200 : 40)), 'a');
      for (char& c : piece) c = static_cast<char>('a' + rng.below(4));
      const std::vector<TokenId> expected = reference(model, piece);
      ASSERT_EQ(encoded(bpe, work, piece), expected) << "seed " << seed << ", piece " << piece;
      ASSERT_EQ(encoded(bpe, work, piece), expected) << "a second time, from the cache";
    }
  }
}

TEST(Bpe, PiecesInTheMiddleOfMemoryAreTheSame) {
  const TokenizerModel model = random_model(3, 60);
  const Bpe bpe(model);
  Bpe::Workspace work, fresh;
  const std::string text = "abcdabcabdacbdabcdbacbdbcaabcddcbaabcdabcbdabcdbabcdabcabdacbd";
  for (size_t begin = 0; begin < text.size(); ++begin) {
    for (size_t size = 1; begin + size <= text.size(); ++size) {
      std::vector<TokenId> ids;
      bpe.encode(std::string_view(text).substr(begin, size), text.data() + text.size(), work, ids);
      ASSERT_EQ(ids, encoded(bpe, fresh, text.substr(begin, size)));
    }
  }
}

TEST(Bpe, TimeOfLongPiecesIsNearlyLinear) {
  const TokenizerModel model = random_model(1, 60);
  const Bpe bpe(model);
  Bpe::Workspace work;
  Rng rng(2);
  std::string piece(2'000'000, 'a');
  for (char& c : piece) c = static_cast<char>('a' + rng.below(4));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_LT(encoded(bpe, work, piece).size(), piece.size());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

TEST(Bpe, SymbolsWithoutATokenBecomeUnkOrNothing) {
  TokenizerModel model = of_characters({"<unk>", "春", "a"});
  Bpe::Workspace with, without;
  EXPECT_EQ(encoded(Bpe(model), without, "a春b春"), (std::vector<TokenId>{2, 1, 1}));
  model.unk = 0;
  EXPECT_EQ(encoded(Bpe(model), with, "a春b😀"), (std::vector<TokenId>{2, 1, 0, 0}));
  EXPECT_EQ(encoded(Bpe(model), with, "\xFF\x80"), (std::vector<TokenId>{0, 0}));
}

TEST(Bpe, CharactersMergeToo) {
  TokenizerModel model = of_characters({"春", "眠", "春眠"});
  model.merges = {{0, 1, 2}};
  Bpe::Workspace work;
  EXPECT_EQ(encoded(Bpe(model), work, "春眠眠"), (std::vector<TokenId>{2, 1}));
}

TEST(Bpe, WholePiecesThatAreTokensMayStay) {
  TokenizerModel model;
  model.vocab = bytes();
  model.vocab.insert(model.vocab.end(), {"ab", "abc"});
  model.merges = {{'a', 'b', 256}};
  Bpe::Workspace merging, whole;
  EXPECT_EQ(encoded(Bpe(model), merging, "abc"), (std::vector<TokenId>{256, 'c'}));
  model.ignore_merges = true;
  EXPECT_EQ(encoded(Bpe(model), whole, "abc"), (std::vector<TokenId>{257}));
}

TEST(Bpe, NeverMakesSpecialTokens) {
  TokenizerModel model;
  model.vocab = bytes();
  model.vocab.push_back("ab");
  model.merges = {{'a', 'b', 256}};
  model.ignore_merges = true;
  model.added = {{256, "ab", true}};
  Bpe::Workspace work;
  EXPECT_EQ(encoded(Bpe(model), work, "ab"), (std::vector<TokenId>{'a', 'b'}));
}

TEST(Bpe, RefusesMergesThatDoNotFit) {
  TokenizerModel model;
  model.vocab = bytes();
  model.vocab.push_back("ab");
  model.vocab.push_back("");
  const auto error_with = [&](TokenizerModel::Merge merge) {
    model.merges = {merge};
    return error_of([&] { Bpe bpe(model); });
  };
  EXPECT_TRUE(contains(error_with({'a', 'b', 300}), "got merge 0 with id 300"));
  EXPECT_TRUE(contains(error_with({-1, 'b', 256}), "got merge 0 with id -1"));
  EXPECT_TRUE(contains(error_with({'a', 257, 'a'}), "got merge 0 with id 257")) << "an id without a token";
  EXPECT_TRUE(contains(error_with({'a', 'c', 256}), "got merge 0 of tokens 97 and 99 into 256"));
  EXPECT_TRUE(contains(error_with({'a', 'b', 'a'}), "expected the bytes of both")) << "a cycle";
}

TEST(Bpe, RefusesTokensOfCharactersThatAreNoUtf8) {
  const TokenizerModel model = of_characters({"a", "\xE6\x98"});
  EXPECT_TRUE(contains(error_of([&] { Bpe bpe(model); }), "got token 1 with byte 0xE6, which is not valid UTF-8"));
}

}  // namespace
}  // namespace danlu::data
