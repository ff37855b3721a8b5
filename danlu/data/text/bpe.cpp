#include "danlu/data/text/bpe.h"

#include <algorithm>
#include <functional>
#include <span>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/utf8.h"
#include "danlu/data/text/code_points.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.tokenizer";
constexpr size_t kMaxPieceBytes = size_t{1} << 31;
constexpr size_t kShort = 24;  // symbols: up to here looking at all pairs is faster than a heap

// Whether an id is that of an added token: 0 no, 1 yes, 2 yes and special.
std::vector<uint8_t> added_kinds(const TokenizerModel& model) {
  std::vector<uint8_t> kinds(model.vocab.size());
  for (const AddedToken& token : model.added) {
    if (token.id >= 0 && token.id < std::ssize(kinds)) kinds[static_cast<size_t>(token.id)] = token.special ? 2 : 1;
  }
  return kinds;
}

// Those that make no special token, each checked.
std::vector<TokenizerModel::Merge> plain_merges(const TokenizerModel& model) {
  const std::vector<uint8_t> kinds = added_kinds(model);
  std::vector<TokenizerModel::Merge> plain;
  plain.reserve(model.merges.size());

  const auto has_token = [&](TokenId id) {
    return id >= 0 && id < std::ssize(model.vocab) && !model.vocab[static_cast<size_t>(id)].empty();
  };
  for (size_t rank = 0; rank < model.merges.size(); ++rank) {
    const auto [left, right, result] = model.merges[rank];
    for (const TokenId id : {left, right, result}) {
      if (has_token(id)) continue;
      throw DataError(kWhere, fmt::format("got merge {} with id {}; expected ids of tokens, below {}", rank, id,
                                          model.vocab.size()));
    }
    const auto& vocab = model.vocab;
    const std::string_view a = vocab[static_cast<size_t>(left)], b = vocab[static_cast<size_t>(right)];
    const std::string_view whole = vocab[static_cast<size_t>(result)];
    if (whole.size() != a.size() + b.size() || !whole.starts_with(a) || !whole.ends_with(b)) {
      throw DataError(kWhere,
                      fmt::format("got merge {} of tokens {} and {} into {}; expected the bytes of both, one after "
                                  "the other",
                                  rank, left, right, result));
    }
    if (kinds[static_cast<size_t>(result)] != 2) plain.push_back(model.merges[rank]);
  }
  return plain;
}

}  // namespace

Bpe::Bpe(const TokenizerModel& model)
    : byte_level_(model.byte_level),
      unk_(model.unk.value_or(TokenTable::kNone)),
      merges_(plain_merges(model)),
      has_merges_(!model.merges.empty()) {
  const std::vector<uint8_t> kinds = added_kinds(model);
  if (model.ignore_merges) whole_pieces_.emplace(model.vocab.size());
  byte_ids_.fill(unk_);
  for (size_t i = 0; i < model.vocab.size(); ++i) {
    const std::string& token = model.vocab[i];
    const auto id = static_cast<TokenId>(i);
    if (token.empty() || kinds[i] == 2) continue;  // special tokens are never made from text
    if (whole_pieces_ && kinds[i] == 0) whole_pieces_->insert(token, id);
    if (byte_level_) {
      if (token.size() == 1) byte_ids_[static_cast<unsigned char>(token[0])] = id;
      continue;
    }
    if (const size_t bad = find_invalid_utf8(token); bad != std::string_view::npos) {
      throw DataError(kWhere,
                      fmt::format("got token {} with byte 0x{:02X}, which is not valid UTF-8; expected the tokens of "
                                  "a tokeniser of characters to be UTF-8",
                                  id, static_cast<unsigned char>(token[bad])));
    }
    const CodePoint first = code_point_at(token.data());
    if (first.bytes != token.size()) continue;
    if (first.code >= character_ids_.size()) character_ids_.resize(first.code + 1, unk_);
    character_ids_[first.code] = id;
  }
}

void Bpe::encode(std::string_view piece, const char* readable, Workspace& work, std::vector<TokenId>& ids) const {
  if (piece.size() > PieceCache::kMaxBytes) return encode_uncached(piece, work, ids);
  const PieceCache::Key key = PieceCache::key_of(piece, readable);
  if (const PieceCache::Entry* entry = work.cache.find(key)) {
    ids.insert(ids.end(), entry->ids.begin(), entry->ids.begin() + entry->size);
    return;
  }
  const size_t before = ids.size();
  encode_uncached(piece, work, ids);
  const std::span<const TokenId> made = std::span(ids).subspan(before);
  if (made.size() <= PieceCache::kMaxIds) work.cache.insert(key, made);
}

void Bpe::encode_uncached(std::string_view piece, Workspace& work, std::vector<TokenId>& ids) const {
  if (piece.size() >= kMaxPieceBytes) {
    throw DataError(kWhere, fmt::format("got {} bytes that the pre-tokeniser does not cut; expected less than {}",
                                        piece.size(), kMaxPieceBytes));
  }
  if (whole_pieces_) {
    if (const TokenId id = whole_pieces_->find(piece); id != TokenTable::kNone) return ids.push_back(id);
  }
  if (!has_merges_) return symbols_of(piece, ids);
  work.ids.clear();
  symbols_of(piece, work.ids);
  if (work.ids.size() <= kShort) {
    work.ids.resize(merge_short(work.ids.data(), work.ids.size()));
  } else {
    merge_long(work);
  }
  ids.insert(ids.end(), work.ids.begin(), work.ids.end());
}

void Bpe::symbols_of(std::string_view piece, std::vector<TokenId>& ids) const {
  const auto add = [&](TokenId id) {
    if (id != TokenTable::kNone) ids.push_back(id);
  };
  if (byte_level_) {
    for (const char byte : piece) add(byte_ids_[static_cast<unsigned char>(byte)]);
    return;
  }
  if (!is_utf8(piece)) {  // such bytes come alone, without valid characters beside them
    for (size_t i = 0; i < piece.size(); ++i) add(unk_);
    return;
  }
  for (size_t i = 0; i < piece.size();) {
    const CodePoint point = code_point_at(piece.data() + i);
    add(point.code < character_ids_.size() ? character_ids_[point.code] : unk_);
    i += point.bytes;
  }
}

// Returns how many symbols are left.
size_t Bpe::merge_short(TokenId* ids, size_t size) const {
  uint32_t ranks[kShort];
  TokenId results[kShort];
  const auto look_up = [&](size_t i) {
    const MergeTable::Found found = merges_.find(ids[i], ids[i + 1]);
    ranks[i] = found.rank;
    results[i] = found.result;
  };
  for (size_t i = 0; i + 1 < size; ++i) look_up(i);
  while (size > 1) {
    const size_t pairs = size - 1;
    const size_t best = static_cast<size_t>(std::min_element(ranks, ranks + pairs) - ranks);
    if (ranks[best] == MergeTable::kNoRank) break;
    ids[best] = results[best];
    std::copy(ids + best + 2, ids + size, ids + best + 1);
    if (best + 1 < pairs) {
      std::copy(ranks + best + 2, ranks + pairs, ranks + best + 1);
      std::copy(results + best + 2, results + pairs, results + best + 1);
    }
    --size;
    if (best + 1 < size) look_up(best);
    if (best > 0) look_up(best - 1);
  }
  return size;
}

// The symbols are a linked list; the queue holds a rank and a place for every pair that there is or was, and those that
// are no more are passed over.
void Bpe::merge_long(Workspace& work) const {
  constexpr uint32_t kEnd = UINT32_MAX;
  auto& [cache, ids, previous, next, ranks, results, queue] = work;
  const size_t size = ids.size();
  previous.resize(size);
  next.resize(size);
  ranks.resize(size);
  results.resize(size);
  queue.clear();
  for (size_t i = 0; i < size; ++i) {
    previous[i] = i == 0 ? kEnd : static_cast<uint32_t>(i - 1);
    next[i] = i + 1 == size ? kEnd : static_cast<uint32_t>(i + 1);
  }
  const auto look_up = [&](size_t i) {
    const MergeTable::Found found = next[i] == kEnd ? MergeTable::Found{} : merges_.find(ids[i], ids[next[i]]);
    ranks[i] = found.rank;
    results[i] = found.result;
    if (found.rank == MergeTable::kNoRank) return false;
    queue.push_back(uint64_t{found.rank} << 32 | i);
    return true;
  };
  for (size_t i = 0; i < size; ++i) look_up(i);
  std::make_heap(queue.begin(), queue.end(), std::greater<>());
  while (!queue.empty()) {
    const uint64_t top = queue.front();
    std::pop_heap(queue.begin(), queue.end(), std::greater<>());
    queue.pop_back();
    const size_t i = static_cast<uint32_t>(top);
    if (ranks[i] != top >> 32) continue;
    const size_t right = next[i];
    ids[i] = results[i];
    next[i] = next[right];
    ranks[right] = MergeTable::kNoRank;
    if (next[i] != kEnd) previous[next[i]] = static_cast<uint32_t>(i);
    if (look_up(i)) std::push_heap(queue.begin(), queue.end(), std::greater<>());
    if (previous[i] != kEnd && look_up(previous[i])) std::push_heap(queue.begin(), queue.end(), std::greater<>());
  }
  size_t kept = 0;
  for (size_t i = 0; i != kEnd; i = next[i]) ids[kept++] = ids[i];
  ids.resize(kept);
}

}  // namespace danlu::data
