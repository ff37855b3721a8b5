#include "danlu/data/text/bpe.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.text";

uint64_t pair_key(TokenId left, TokenId right) { return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right); }

size_t character_bytes(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

}  // namespace

Bpe::Bpe(const TokenizerModel& model) : model_(model) {
  ids_.reserve(model.vocab.size());
  std::vector<bool> is_added(model.vocab.size());
  for (const AddedToken& token : model.added) is_added.at(static_cast<size_t>(token.id)) = true;
  for (size_t id = 0; id < model.vocab.size(); ++id) {
    if (!model.vocab[id].empty() && !is_added[id]) ids_.try_emplace(model.vocab[id], static_cast<TokenId>(id));
  }
  merges_.reserve(model.merges.size());
  const auto in_vocabulary = [&](TokenId id) { return id >= 0 && static_cast<size_t>(id) < model.vocab.size(); };
  for (size_t rank = 0; rank < model.merges.size(); ++rank) {
    const auto& [left, right, result] = model.merges[rank];
    if (!in_vocabulary(left) || !in_vocabulary(right) || !in_vocabulary(result)) {
      throw DataError(kWhere, fmt::format("merge {}: got ids {}, {} to {}; expected ids below {}", rank, left, right, result, model.vocab.size()));
    }
    const std::string &a = model.vocab[static_cast<size_t>(left)], &b = model.vocab[static_cast<size_t>(right)];
    if (a.empty() || b.empty() || a + b != model.vocab[static_cast<size_t>(result)]) {
      throw DataError(kWhere, fmt::format("merge {}: the tokens {} and {} do not make token {}", rank, left, right, result));
    }
    merges_.try_emplace(pair_key(left, right), Target{static_cast<int32_t>(rank), result});
  }
}

TokenId Bpe::find(std::string_view bytes) const {
  const auto found = ids_.find(bytes);
  return found == ids_.end() ? -1 : found->second;
}

const Bpe::Target* Bpe::target(TokenId left, TokenId right) const {
  const auto found = merges_.find(pair_key(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

void Bpe::first_symbols(std::string_view piece, std::vector<TokenId>& symbols) const {
  for (size_t i = 0; i < piece.size();) {
    const size_t bytes = model_.byte_level ? 1 : std::min(character_bytes(piece[i]), piece.size() - i);
    TokenId id = find(piece.substr(i, bytes));
    if (id < 0 && model_.unk) id = *model_.unk;
    if (id < 0) {
      throw DataError(kWhere, fmt::format("the vocabulary has no token for {:?}, and no <unk>", piece.substr(i, bytes)));
    }
    symbols.push_back(id);
    i += bytes;
  }
}

void Bpe::encode(std::string_view piece, std::vector<TokenId>& ids) const {
  if (model_.ignore_merges) {
    if (const TokenId whole = find(piece); whole >= 0) {
      ids.push_back(whole);
      return;
    }
  }
  thread_local std::vector<TokenId> symbols;
  symbols.clear();
  first_symbols(piece, symbols);
  // A list of the symbols that are left, and a heap of the merges that could be; those whose symbols have changed since are passed over.
  struct Candidate {
    int32_t rank;
    uint32_t at;
    TokenId left, right;
    bool operator<(const Candidate& other) const { return std::tie(rank, at) > std::tie(other.rank, other.at); }
  };
  const auto n = static_cast<uint32_t>(symbols.size());
  thread_local std::vector<uint32_t> next, previous;
  thread_local std::vector<Candidate> heap;
  next.resize(n);
  previous.resize(n);
  heap.clear();
  const auto consider = [&](uint32_t at) {
    if (next[at] >= n) return;
    const TokenId left = symbols[at], right = symbols[next[at]];
    if (const Target* merge = target(left, right)) {
      heap.push_back({merge->rank, at, left, right});
      std::push_heap(heap.begin(), heap.end());
    }
  };
  for (uint32_t i = 0; i < n; ++i) next[i] = i + 1, previous[i] = i - 1;
  for (uint32_t i = 0; i < n; ++i) consider(i);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end());
    const Candidate best = heap.back();
    heap.pop_back();
    if (symbols[best.at] != best.left || next[best.at] >= n || symbols[next[best.at]] != best.right) continue;
    const uint32_t gone = next[best.at];
    symbols[best.at] = target(best.left, best.right)->result;
    symbols[gone] = -1;
    next[best.at] = next[gone];
    if (next[gone] < n) previous[next[gone]] = best.at;
    consider(best.at);
    if (best.at > 0) consider(previous[best.at]);
  }
  for (const TokenId id : symbols) {
    if (id >= 0) ids.push_back(id);
  }
}

}  // namespace danlu::data
