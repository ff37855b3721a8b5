#include "danlu/data/text/bpe_merges.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>

#include "danlu/base/rng.h"

namespace danlu::data {
namespace {

using Pairs = std::vector<std::pair<TokenId, TokenId>>;

// Token i is byte i.
std::vector<std::string> bytes() {
  std::vector<std::string> vocab;
  for (int byte = 0; byte < 256; ++byte) vocab.emplace_back(1, static_cast<char>(byte));
  return vocab;
}

std::vector<PieceCounter::Count> counts_of(const std::map<std::string, int64_t>& pieces) {
  std::vector<PieceCounter::Count> counts;
  for (const auto& [piece, count] : pieces) counts.push_back({piece, count});
  return counts;
}

// The definition: count all pairs of all pieces anew for every merge.
Pairs naive_merges(const std::map<std::string, int64_t>& pieces, int64_t merges, int64_t min_frequency) {
  std::vector<std::pair<std::vector<TokenId>, int64_t>> words;
  for (const auto& [piece, count] : pieces) {
    words.emplace_back();
    for (const char byte : piece) words.back().first.push_back(static_cast<unsigned char>(byte));
    words.back().second = count;
  }
  Pairs learned;
  while (std::ssize(learned) < merges) {
    std::map<std::pair<TokenId, TokenId>, int64_t> counts;
    for (const auto& [word, count] : words) {
      for (size_t i = 0; i + 1 < word.size(); ++i) counts[{word[i], word[i + 1]}] += count;
    }
    auto best = counts.end();
    for (auto it = counts.begin(); it != counts.end(); ++it) {  // smaller ids first
      if (best == counts.end() || it->second > best->second) best = it;
    }
    if (best == counts.end() || best->second < min_frequency) break;
    const auto [left, right] = best->first;
    const auto token = static_cast<TokenId>(256 + learned.size());
    learned.push_back(best->first);
    for (auto& [word, unused] : words) {
      std::vector<TokenId> merged;
      for (size_t i = 0; i < word.size(); ++i) {
        const bool both = i + 1 < word.size() && word[i] == left && word[i + 1] == right;
        merged.push_back(both ? token : word[i]);
        i += both;
      }
      word = merged;
    }
  }
  return learned;
}

Pairs learned_merges(const std::map<std::string, int64_t>& pieces, int64_t merges, int64_t min_frequency,
                     std::vector<std::string> vocab = bytes()) {
  Pairs pairs;
  for (const auto& merge : learn_merges(counts_of(pieces), merges, min_frequency, {}, vocab)) {
    EXPECT_EQ(merge.result, static_cast<TokenId>(256 + pairs.size()));
    EXPECT_EQ(vocab[static_cast<size_t>(merge.result)],
              vocab[static_cast<size_t>(merge.left)] + vocab[static_cast<size_t>(merge.right)]);
    pairs.emplace_back(merge.left, merge.right);
  }
  return pairs;
}

TEST(BpeMerges, OfThePaper) {
  // Figure 1 of Sennrich et al., with an end of word: "es", "est", "est.", "lo", "low" come out first.
  std::vector<std::string> vocab = bytes();
  const std::map<std::string, int64_t> pieces{{"low.", 5}, {"lower.", 2}, {"newest.", 6}, {"widest.", 3}};
  learn_merges(counts_of(pieces), 5, 2, {}, vocab);
  EXPECT_EQ(std::vector<std::string>(vocab.begin() + 256, vocab.end()),
            (std::vector<std::string>{"es", "t.", "est.", "lo", "low"}));
}

TEST(BpeMerges, AreThoseOfTheDefinition) {
  Rng rng(4);
  for (int round = 0; round < 150; ++round) {
    // Few letters make many ties, runs of one letter, and pairs that overlap.
    const int64_t letters = 1 + rng.below(5), longest = 2 + rng.below(15);
    std::map<std::string, int64_t> pieces;
    for (int64_t n = 1 + rng.below(60); n > 0; --n) {
      std::string piece;
      for (int64_t length = 1 + rng.below(longest); length > 0; --length) {
        piece.push_back(static_cast<char>('a' + rng.below(letters)));
      }
      pieces[piece] += 1 + rng.below(4);
    }
    const int64_t min_frequency = 1 + rng.below(4);
    EXPECT_EQ(learned_merges(pieces, 200, min_frequency), naive_merges(pieces, 200, min_frequency)) << round;
  }
}

TEST(BpeMerges, CountsBeyond32Bits) {
  const int64_t large = int64_t{1} << 40;
  EXPECT_EQ(learned_merges({{"ab", large}, {"cd", large + 1}, {"ef", 1}}, 9, 2), (Pairs{{'c', 'd'}, {'a', 'b'}}));
}

TEST(BpeMerges, StopWhenThereIsNoMore) {
  EXPECT_EQ(learned_merges({}, 10, 1), Pairs{});
  EXPECT_EQ(learned_merges({{"a", 5}, {"", 3}}, 10, 1), Pairs{});
  EXPECT_EQ(learned_merges({{"abab", 1}}, 10, 1), (Pairs{{'a', 'b'}, {256, 256}}));
  EXPECT_EQ(learned_merges({{"abab", 1}}, 1, 1), (Pairs{{'a', 'b'}}));
  EXPECT_EQ(learned_merges({{"abab", 1}}, 0, 1), Pairs{});
}

TEST(BpeMerges, LeaveReservedTokensUnmerged) {
  std::vector<std::string> vocab = bytes();
  const auto merges = learn_merges(counts_of({{"<|x|>", 100}, {"ab", 2}}), 10, 2, {"<|x|>"}, vocab);
  EXPECT_EQ(merges.size(), 4u);  // three within, the fourth would spell the token; and "ab"
  for (size_t id = 256; id < vocab.size(); ++id) EXPECT_NE(vocab[id], "<|x|>");
  EXPECT_EQ(vocab.back(), "ab");
}

}  // namespace
}  // namespace danlu::data
