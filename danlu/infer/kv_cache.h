// The keys and values of sequences, so that each token goes through the network once, as f32 or f16.
//
// A slot holds one sequence, in pages of kernels::kCacheTile tokens. When the sequence ends its keys and values stay until the slot is
// needed: a prompt that begins as an earlier sequence did shares the pages that they have in common, of a sequence that still runs too. A
// page that another one has as well is copied before it is written to.
//
// Threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "danlu/data/text/tokenizer.h"
#include "danlu/engine/kernels/attention.h"
#include "danlu/engine/tensor/tensor.h"
#include "danlu/learn/models/gpt.h"

namespace danlu::infer {

// f16 where the weights are of few bits, whose rounding moves more than that of the cache does; else f32.
kernels::CacheFormat default_cache_format(const models::Gpt& network);

class KvCache {
 public:
  // Memory is taken page by page as sequences grow.
  KvCache(const models::GptOptions& options, int64_t slots, kernels::CacheFormat format);

  struct Claim {
    int64_t slot;
    int64_t cached;  // tokens of the prompt whose keys and values are there
  };
  // A slot for a sequence that begins with `prompt`, of which at most the first `reusable` tokens may be taken over. None if
  // all slots run.
  std::optional<Claim> claim(std::span<const data::TokenId> prompt, int64_t reusable);

  // Room for `tokens` behind those of the slot, which must not exceed the context: from here on they count as its own, and the
  // caller writes their keys and values, layer by layer, where sequence() says.
  void append(int64_t slot, std::span<const data::TokenId> tokens);
  // For attention_cached: the last `rows` tokens of the slot are the new ones. Valid until the next append.
  kernels::CachedSequence sequence(int64_t slot, int64_t layer, int64_t rows);

  // Leaves out what is behind the first `length` tokens of a slot.
  void cut(int64_t slot, int64_t length);

  // The sequence has ended; its tokens stay. With `keep` false they are forgotten: their keys and values may be unsound.
  void release(int64_t slot, bool keep = true);

  int64_t length(int64_t slot) const { return static_cast<int64_t>(at(slot).tokens.size()); }
  int64_t running() const;
  int64_t bytes() const;  // of keys and values, in use or not
  const kernels::CachedHeads& shape() const { return shape_; }

 private:
  struct Slot {
    std::vector<data::TokenId> tokens;
    std::vector<std::shared_ptr<Tensor>> pages;  // bytes; as many as the tokens take
    std::vector<std::byte*> addresses;           // of each page
    bool is_running = false;
    int64_t last_used = 0;
  };
  Slot& at(int64_t slot) { return slots_[static_cast<size_t>(slot)]; }
  const Slot& at(int64_t slot) const { return slots_[static_cast<size_t>(slot)]; }
  Slot* least_recent_free();
  void cut(Slot& slot, size_t tokens);
  void make_writable(Slot& slot, size_t page);

  kernels::CachedHeads shape_;
  int64_t layers_, context_;
  std::vector<Slot> slots_;
  int64_t uses_ = 0;
};

}  // namespace danlu::infer
