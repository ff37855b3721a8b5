#include "danlu/data/text/bpe_merges.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <queue>
#include <unordered_set>
#include <utility>

namespace danlu::data {
namespace {

using WordIndex = uint32_t;

// A pair of neighbouring tokens that occurs at least min_frequency times.
struct Pair {
  int64_t count = 0;
  TokenId left = 0, right = 0;
  // The words that have held it since it first occurred: a part of Merger::words_of_pairs_. Some may hold it no more.
  size_t words_begin = 0, words_end = 0;
};

// From a pair of tokens to its index. Open addressing, linear probing.
class PairTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // A reference to the index of the pair, kNone if it is new.
  uint32_t& operator()(TokenId left, TokenId right) {
    if (size_ * 2 >= places_.size()) grow();
    Place& place = place_of(key_of(left, right));
    if (place.index == kNone) {
      place.key = key_of(left, right);
      ++size_;
    }
    return place.index;
  }
  uint32_t find(TokenId left, TokenId right) const {
    return const_cast<PairTable*>(this)->place_of(key_of(left, right)).index;
  }

 private:
  struct Place {
    uint64_t key = 0;
    uint32_t index = kNone;
  };

  static uint64_t key_of(TokenId left, TokenId right) {
    return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
  }
  Place& place_of(uint64_t key) {
    const size_t mask = places_.size() - 1;
    const uint64_t hash = key * 0x9E3779B97F4A7C15u;
    for (size_t i = (hash ^ hash >> 32) & mask;; i = (i + 1) & mask) {
      if (places_[i].index == kNone || places_[i].key == key) return places_[i];
    }
  }
  void grow() {
    std::vector<Place> old(places_.size() * 2);
    old.swap(places_);
    for (const Place& place : old) {
      if (place.index != kNone) place_of(place.key) = place;
    }
  }

  std::vector<Place> places_ = std::vector<Place>(1 << 16);
  size_t size_ = 0;
};

// The tokens found on one side of the occurrences of the pair that is being merged: how often each, and in which words.
class Neighbours {
 public:
  explicit Neighbours(size_t vocab_size) : counts_(vocab_size, 0), words_(vocab_size, 0), last_word_(vocab_size, 0) {}

  void add(TokenId token, WordIndex word, int64_t count) {
    const auto t = static_cast<size_t>(token);
    if (words_[t] == 0) {
      tokens_.push_back(token);
    } else if (last_word_[t] == word) {
      counts_[t] += count;
      return;
    }
    counts_[t] += count;
    ++words_[t];
    last_word_[t] = word;
    events_.push_back({token, word});
  }

  const std::vector<TokenId>& tokens() const { return tokens_; }
  int64_t count(TokenId token) const { return counts_[static_cast<size_t>(token)]; }

  // Appends the words of the tokens for which begin_of(token, number of words) says so, each list in one piece.
  struct List {
    size_t begin = 0, end = 0;
  };
  template <class Wanted>
  void append_words(std::vector<WordIndex>& out, const Wanted& wanted) {
    // words_ turns into the place where the next word of the token goes.
    constexpr size_t kSkip = SIZE_MAX;
    for (const TokenId token : tokens_) {
      size_t& words = words_[static_cast<size_t>(token)];
      const size_t begin = out.size();
      if (wanted(token, List{begin, begin + words})) {
        out.resize(begin + words);
        words = begin;
      } else {
        words = kSkip;
      }
    }
    for (const auto& [token, word] : events_) {
      size_t& place = words_[static_cast<size_t>(token)];
      if (place != kSkip) out[place++] = word;
    }
  }

  void clear() {
    for (const TokenId token : tokens_) counts_[static_cast<size_t>(token)] = 0, words_[static_cast<size_t>(token)] = 0;
    tokens_.clear();
    events_.clear();
  }

 private:
  std::vector<int64_t> counts_;
  std::vector<size_t> words_;
  std::vector<WordIndex> last_word_;
  std::vector<TokenId> tokens_;
  std::vector<std::pair<TokenId, WordIndex>> events_;
};

class Merger {
 public:
  Merger(std::span<const PieceCounter::Count> pieces, int64_t min_frequency, size_t vocab_size,
         const std::vector<std::string>& vocab);

  // The most frequent pair; false if there is none of min_frequency.
  bool best(uint32_t& index);
  const Pair& pair(uint32_t index) const { return pairs_[index]; }
  // Makes every occurrence of the pair one token.
  void merge(uint32_t index, TokenId token);
  void exclude(uint32_t index) { pairs_[index].count = 0; }

 private:
  struct Word {
    size_t begin = 0;  // in tokens_
    uint32_t length = 0;
    int64_t count = 0;
  };
  // What the pair was when it was put on the heap; its count may have fallen since.
  struct Candidate {
    int64_t count;
    TokenId left, right;
    uint32_t index;
    bool operator<(const Candidate& other) const {
      if (count != other.count) return count < other.count;
      return std::pair(left, right) > std::pair(other.left, other.right);
    }
  };

  void count_pairs();
  void merge_in_word(WordIndex index, TokenId left, TokenId right, TokenId token);
  void decrease(TokenId left, TokenId right, int64_t count);
  bool create(TokenId left, TokenId right, int64_t count, const Neighbours::List& words);

  const int64_t min_frequency_;
  std::vector<Word> words_;
  std::vector<TokenId> tokens_;  // of all words, one after another
  std::vector<Pair> pairs_;
  PairTable table_;
  std::vector<WordIndex> words_of_pairs_;
  std::priority_queue<Candidate> heap_;
  Neighbours before_, after_;  // of the occurrences of the pair being merged
};

Merger::Merger(std::span<const PieceCounter::Count> pieces, int64_t min_frequency, size_t vocab_size,
               const std::vector<std::string>& vocab)
    : min_frequency_(min_frequency), before_(vocab_size), after_(vocab_size) {
  std::array<TokenId, 256> id_of_byte{};
  for (size_t id = 0; id < id_of_byte.size(); ++id) {
    id_of_byte[static_cast<unsigned char>(vocab[id][0])] = static_cast<TokenId>(id);
  }
  for (const auto& [piece, count] : pieces) {
    if (piece.size() < 2) continue;
    words_.push_back({tokens_.size(), static_cast<uint32_t>(piece.size()), count});
    for (const char byte : piece) tokens_.push_back(id_of_byte[static_cast<unsigned char>(byte)]);
  }
  count_pairs();
}

// The pairs of bytes. There are few, so that two readings of the words fill their lists.
void Merger::count_pairs() {
  constexpr size_t kBytes = 256;
  constexpr WordIndex kNoWord = UINT32_MAX;
  struct Counts {
    int64_t count = 0;
    size_t words = 0;
    WordIndex last_word = kNoWord;
  };
  std::vector<Counts> counts(kBytes * kBytes);
  const auto for_each_pair = [&](const auto& visit) {
    for (WordIndex w = 0; w < words_.size(); ++w) {
      const Word& word = words_[w];
      for (size_t i = word.begin; i + 1 < word.begin + word.length; ++i) {
        const auto key = static_cast<size_t>(tokens_[i]) * kBytes + static_cast<size_t>(tokens_[i + 1]);
        visit(counts[key], w);
      }
    }
  };
  for_each_pair([&](Counts& pair, WordIndex w) {
    pair.count += words_[w].count;
    pair.words += std::exchange(pair.last_word, w) != w;
  });
  for (size_t key = 0; key < counts.size(); ++key) {
    const size_t begin = words_of_pairs_.size();
    const auto left = static_cast<TokenId>(key / kBytes), right = static_cast<TokenId>(key % kBytes);
    const bool kept = create(left, right, counts[key].count, {begin, begin + counts[key].words});
    if (kept) words_of_pairs_.resize(begin + counts[key].words);
    counts[key] = {kept, begin};
  }
  for_each_pair([&](Counts& pair, WordIndex w) {
    if (pair.count != 0 && std::exchange(pair.last_word, w) != w) words_of_pairs_[pair.words++] = w;
  });
}

bool Merger::create(TokenId left, TokenId right, int64_t count, const Neighbours::List& words) {
  // The count of a pair is the highest when the younger of its tokens is made: one that is too rare now always is.
  if (count < min_frequency_) return false;
  const auto index = static_cast<uint32_t>(pairs_.size());
  table_(left, right) = index;
  pairs_.push_back({count, left, right, words.begin, words.end});
  heap_.push({count, left, right, index});
  return true;
}

bool Merger::best(uint32_t& index) {
  while (!heap_.empty()) {
    const Candidate top = heap_.top();
    heap_.pop();
    const int64_t count = pairs_[top.index].count;
    if (count == top.count) {
      index = top.index;
      return true;
    }
    if (count >= min_frequency_) heap_.push({count, top.left, top.right, top.index});
  }
  return false;
}

void Merger::merge(uint32_t index, TokenId token) {
  const Pair merged = pairs_[index];
  for (size_t i = merged.words_begin; i < merged.words_end; ++i) {
    merge_in_word(words_of_pairs_[i], merged.left, merged.right, token);
  }
  for (const TokenId t : before_.tokens()) decrease(t, merged.left, before_.count(t));
  for (const TokenId t : after_.tokens()) decrease(merged.right, t, after_.count(t));
  // Two occurrences side by side: the second one's left neighbour is the token itself, and what follows the first one is no
  // longer the left part of the second.
  const int64_t doubled = before_.count(token);
  before_.append_words(words_of_pairs_, [&](TokenId t, const Neighbours::List& words) {
    return create(t, token, before_.count(t), words);
  });
  after_.append_words(words_of_pairs_, [&](TokenId t, const Neighbours::List& words) {
    return create(token, t, after_.count(t) - (t == merged.left ? doubled : 0), words);
  });
  pairs_[index].count = 0;
  before_.clear();
  after_.clear();
}

void Merger::merge_in_word(WordIndex index, TokenId left, TokenId right, TokenId token) {
  Word& word = words_[index];
  TokenId* tokens = tokens_.data() + word.begin;
  uint32_t out = 0;
  for (uint32_t i = 0; i < word.length;) {
    if (tokens[i] != left || i + 1 == word.length || tokens[i + 1] != right) {
      tokens[out++] = tokens[i++];
      continue;
    }
    if (out > 0) before_.add(tokens[out - 1], index, word.count);
    i += 2;
    if (i < word.length) after_.add(tokens[i], index, word.count);
    tokens[out++] = token;
  }
  word.length = out;
}

void Merger::decrease(TokenId left, TokenId right, int64_t count) {
  const uint32_t index = table_.find(left, right);
  if (index != PairTable::kNone) pairs_[index].count -= count;
}

}  // namespace

std::vector<TokenizerModel::Merge> learn_merges(std::span<const PieceCounter::Count> pieces, int64_t merges,
                                                int64_t min_frequency, const std::vector<std::string>& reserved,
                                                std::vector<std::string>& vocab) {
  std::unordered_set<std::string> known(reserved.begin(), reserved.end());
  known.insert(vocab.begin(), vocab.end());
  Merger merger(pieces, min_frequency, vocab.size() + static_cast<size_t>(merges), vocab);
  std::vector<TokenizerModel::Merge> learned;
  uint32_t index = 0;
  while (std::ssize(learned) < merges && merger.best(index)) {
    const auto [left, right] = std::pair(merger.pair(index).left, merger.pair(index).right);
    std::string bytes = vocab[static_cast<size_t>(left)] + vocab[static_cast<size_t>(right)];
    if (!known.insert(bytes).second) {
      merger.exclude(index);
      continue;
    }
    const auto token = static_cast<TokenId>(vocab.size());
    vocab.push_back(std::move(bytes));
    learned.push_back({left, right, token});
    merger.merge(index, token);
  }
  return learned;
}

}  // namespace danlu::data
