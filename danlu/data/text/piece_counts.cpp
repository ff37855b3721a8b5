#include "danlu/data/text/piece_counts.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "danlu/base/threads.h"
#include "danlu/data/text/normalizer.h"
#include "danlu/data/text/piece_table.h"

namespace danlu::data {
namespace {

constexpr int64_t kMaxBatchBytes = 32 << 20;  // counted at a time
constexpr size_t kChunkBytes = 64 << 10;      // a text is cut into, to be counted in parallel
constexpr size_t kGroupBytes = 256 << 10;     // of chunks, handed to a thread at a time
// Parts of the table: more than threads, so that they are busy alike.
constexpr size_t kParts = 32;
constexpr size_t kBlockBytes = 64 << 10;  // of the bytes of pieces

size_t part_of(uint64_t hash) { return hash >> 59; }
static_assert(kParts == size_t{1} << (64 - 59));

// Whether no pattern of the families has a match that goes over this place: a line ends, and what follows is no space.
bool may_cut(std::string_view text, size_t at) {
  const auto next = static_cast<unsigned char>(text[at]);
  // U+4000 to U+9FFF begin with E4 to E9; among other characters there are spaces.
  return text[at - 1] == '\n' && ((next > ' ' && next < 0x7F) || (next >= 0xE4 && next <= 0xE9));
}

size_t chunk_end(std::string_view text, size_t begin) {
  for (size_t at = begin + kChunkBytes; at < text.size(); ++at) {
    at = text.find('\n', at - 1);
    if (at == std::string_view::npos || ++at >= text.size()) break;
    if (may_cut(text, at)) return at;
  }
  return text.size();
}

// The first of the pieces that a piece counts as.
std::string_view head_of(std::string_view piece) {
  if (piece.size() <= PieceCounter::kMaxPieceBytes) return piece;
  size_t cut = PieceCounter::kMaxPieceBytes;
  while (cut > PieceCounter::kMaxPieceBytes - 3 && (static_cast<unsigned char>(piece[cut]) & 0xC0) == 0x80) --cut;
  return piece.substr(0, cut);
}

}  // namespace

// A share of the distinct pieces, with their bytes.
struct PieceCounter::Part {
  PieceTable table;
  std::vector<std::string> blocks;  // each of a fixed capacity, so that bytes never move

  const char* keep(std::string_view piece) {
    if (blocks.empty() || blocks.back().capacity() - blocks.back().size() < piece.size()) {
      blocks.emplace_back().reserve(std::max(kBlockBytes, piece.size()));
    }
    std::string& block = blocks.back();
    const size_t begin = block.size();
    block.append(piece);
    return block.data() + begin;
  }
  void add(const PieceTable::Entry& entry) {
    table.add(entry.hash, entry.piece(), entry.count, [this](std::string_view piece) { return keep(piece); });
  }
  int64_t bytes() const { return table.bytes() + std::ssize(blocks) * static_cast<int64_t>(kBlockBytes); }
};

PieceCounter::PieceCounter(const TokenizerModel& model, int64_t memory_bytes)
    : normalizer_(model.normalizer),
      pre_tokenizer_(model.pre_tokenizer),
      memory_bytes_(memory_bytes),
      // A batch has tables of its own, of up to eight times its bytes if every piece in it is another.
      batch_bytes_(static_cast<size_t>(std::clamp<int64_t>(memory_bytes / 8, 1, kMaxBatchBytes))),
      parts_(kParts) {}

PieceCounter::~PieceCounter() = default;

void PieceCounter::add(std::string_view text) {
  bytes_ += std::ssize(text);
  std::string normal;
  text = normalize(text, normalizer_, normal);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = chunk_end(text, begin);
    batch_.append(text, begin, end - begin);
    chunk_ends_.push_back(batch_.size());
    if (batch_.size() >= batch_bytes_) count_batch();
    begin = end;
  }
}

void PieceCounter::count_batch() {
  // Chunks from groups[g] to groups[g + 1] are a thread's work.
  std::vector<size_t> groups{0};
  size_t group_begin = 0;
  for (size_t c = 0; c < chunk_ends_.size(); ++c) {
    if (chunk_ends_[c] - group_begin < kGroupBytes && c + 1 < chunk_ends_.size()) continue;
    groups.push_back(c + 1);
    group_begin = chunk_ends_[c];
  }
  std::mutex mutex;
  std::vector<std::vector<PieceTable>> counted;  // by thread and part
  parallel_for(std::ssize(groups) - 1, 1, [&](int64_t first, int64_t last) {
    std::vector<PieceTable> tables(kParts);
    int64_t pieces = 0;
    const auto count = [&](std::string_view piece) {
      while (!piece.empty()) {
        const std::string_view head = head_of(piece);
        const uint64_t hash = PieceTable::hash_of(head);
        tables[part_of(hash)].add(hash, head, 1, [](std::string_view text) { return text.data(); });
        piece.remove_prefix(head.size());
        ++pieces;
      }
    };
    for (size_t c = groups[static_cast<size_t>(first)]; c < groups[static_cast<size_t>(last)]; ++c) {
      const size_t begin = c == 0 ? 0 : chunk_ends_[c - 1];
      pre_tokenizer_.split(std::string_view(batch_).substr(begin, chunk_ends_[c] - begin), count);
    }
    const std::lock_guard lock(mutex);
    counted.push_back(std::move(tables));
    pieces_ += pieces;
  });
  parallel_for(static_cast<int64_t>(kParts), 1, [&](int64_t first, int64_t last) {
    for (auto p = static_cast<size_t>(first); p < static_cast<size_t>(last); ++p) {
      for (const std::vector<PieceTable>& tables : counted) {
        tables[p].for_each([&](const PieceTable::Entry& entry) { parts_[p].add(entry); });
      }
    }
  });
  batch_.clear();
  chunk_ends_.clear();
  if (used_bytes() > memory_bytes_) forget_rarest();
}

int64_t PieceCounter::used_bytes() const {
  int64_t bytes = 0;
  for (const Part& part : parts_) bytes += part.bytes();
  return bytes;
}

void PieceCounter::forget_rarest() {
  int64_t smallest = 0;
  while (used_bytes() > memory_bytes_ / 2 && smallest < INT64_MAX) {
    rarest_ = std::max(rarest_ + 1, smallest);
    smallest = INT64_MAX;
    for (Part& part : parts_) {
      Part kept;
      part.table.for_each([&](const PieceTable::Entry& entry) {
        if (entry.count > rarest_) {
          kept.add(entry);
          smallest = std::min(smallest, entry.count);
        } else {
          forgotten_ += entry.count;
        }
      });
      part = std::move(kept);
    }
  }
}

std::vector<PieceCounter::Count> PieceCounter::counts() {
  count_batch();
  std::vector<Count> counts;
  for (const Part& part : parts_) {
    part.table.for_each([&](const PieceTable::Entry& entry) { counts.push_back({entry.piece(), entry.count}); });
  }
  return counts;
}

}  // namespace danlu::data
