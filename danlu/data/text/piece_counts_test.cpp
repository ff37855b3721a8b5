#include "danlu/data/text/piece_counts.h"

#include <gtest/gtest.h>

#include <map>

#include "danlu/base/rng.h"
#include "danlu/base/threads.h"

namespace danlu::data {
namespace {

using Counts = std::map<std::string, int64_t>;

TokenizerModel words_and_spaces() {
  TokenizerModel model;
  model.pre_tokenizer.push_back({.pattern = R"( ?\p{L}+| ?[^\s\p{L}]+|\s+(?!\S)|\s+)"});
  return model;
}

Counts counts_of(PieceCounter& counter) {
  Counts counts;
  for (const auto& [piece, count] : counter.counts()) counts[std::string(piece)] = count;
  return counts;
}

// Words of 1 to 7 letters, the short ones often; lines of all lengths.
std::string random_text(uint64_t seed, size_t bytes) {
  Rng rng(seed);
  std::string text;
  while (text.size() < bytes) {
    for (int64_t length = 1 + rng.below(7); length > 0; --length) text.push_back(static_cast<char>('a' + rng.below(26)));
    text += rng.below(12) == 0 ? "\n" : rng.below(50) == 0 ? "。\n春眠不觉晓" : " ";
  }
  return text;
}

TEST(PieceCounter, CountsPieces) {
  PieceCounter counter(words_and_spaces(), 1 << 30);
  counter.add("to be or not to be");
  counter.add("to be");
  EXPECT_EQ(counts_of(counter), (Counts{{"to", 2}, {" be", 3}, {" or", 1}, {" not", 1}, {" to", 1}}));
  counter.add(" be春");
  EXPECT_EQ(counts_of(counter).at(" be春"), 1);
  EXPECT_EQ(counts_of(counter).at(" be"), 3);
  EXPECT_EQ(counter.bytes(), 18 + 5 + 6);
  EXPECT_EQ(counter.pieces(), 9);
  EXPECT_EQ(counter.forgotten(), 0);
}

TEST(PieceCounter, CutsForThreadsDoNotShow) {
  const std::string text = random_text(1, 1 << 19);
  PieceCounter whole(words_and_spaces(), 1 << 30);
  whole.add(text);
  const Counts expected = counts_of(whole);
  // Every line a text of its own: the line end is a piece of its own either way.
  PieceCounter lines(words_and_spaces(), 1 << 30);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    lines.add(std::string_view(text).substr(begin, end - begin));
    begin = end;
  }
  EXPECT_TRUE(counts_of(lines) == expected);
  const int threads = num_threads();
  for (const int n : {1, 3, 8}) {
    set_num_threads(n);
    PieceCounter counter(words_and_spaces(), 1 << 30);
    counter.add(text);
    EXPECT_TRUE(counts_of(counter) == expected) << n << " threads";
  }
  set_num_threads(threads);
}

TEST(PieceCounter, LongPiecesCountAsSeveral) {
  PieceCounter counter(words_and_spaces(), 1 << 30);
  std::string text;
  for (int i = 0; i < 700; ++i) text += "春";
  counter.add(text);
  const Counts counts = counts_of(counter);
  EXPECT_EQ(counts, (Counts{{text.substr(0, 1023), 2}, {text.substr(0, 54), 1}}));  // between characters
}

TEST(PieceCounter, ForgetsTheRarestWhenMemoryIsShort) {
  std::string often;
  for (int i = 0; i < 200; ++i) often += " often" + std::string(1, static_cast<char>('a' + i % 20));
  std::map<int, Counts> by_threads;
  std::map<int, int64_t> forgotten;
  const std::string rare = random_text(3, 3 << 20);
  const int threads = num_threads();
  for (const int n : {1, 4}) {
    set_num_threads(n);
    PieceCounter counter(words_and_spaces(), 4 << 20);
    for (size_t begin = 0; begin < rare.size(); begin += 1 << 16) {
      counter.add(rare.substr(begin, 1 << 16));
      counter.add(often);
    }
    by_threads[n] = counts_of(counter);
    forgotten[n] = counter.forgotten();
    EXPECT_GT(counter.forgotten(), 0);
    int64_t left = 0;
    for (const auto& [piece, count] : by_threads[n]) left += count;
    EXPECT_EQ(left + counter.forgotten(), counter.pieces());
    EXPECT_EQ(by_threads[n].at(" oftenc"), 10 * ((std::ssize(rare) + 65535) / 65536));
  }
  set_num_threads(threads);
  EXPECT_TRUE(by_threads[1] == by_threads[4]);
  EXPECT_EQ(forgotten[1], forgotten[4]);
}

}  // namespace
}  // namespace danlu::data
