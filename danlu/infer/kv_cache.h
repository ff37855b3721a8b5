// The keys and values of sequences, so that each token goes through the network once.
//
// A slot holds one sequence. When the sequence ends its keys and values stay until the slot is needed: a prompt that begins as
// an earlier sequence did takes over what they have in common, of a sequence that still runs too.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "danlu/data/text/tokenizer.h"
#include "danlu/engine/kernels/attention.h"
#include "danlu/engine/tensor/tensor.h"
#include "danlu/learn/models/gpt.h"

namespace danlu::infer {

class KvCache {
 public:
  // Memory is taken as sequences grow, never more than the context for each slot.
  KvCache(const models::GptOptions& options, int64_t slots);

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

  // The sequence has ended; its tokens stay. With `keep` false they are forgotten: their keys and values may be unsound.
  void release(int64_t slot, bool keep = true);

  int64_t length(int64_t slot) const { return static_cast<int64_t>(at(slot).tokens.size()); }
  int64_t running() const;
  int64_t bytes() const;  // of keys and values, in use or not

 private:
  struct Slot {
    std::vector<data::TokenId> tokens;
    Tensor keys, values;  // (layers, kv_heads, capacity, head_dim)
    int64_t capacity = 0;
    bool is_running = false;
    int64_t last_used = 0;
  };
  Slot& at(int64_t slot) { return slots_[static_cast<size_t>(slot)]; }
  const Slot& at(int64_t slot) const { return slots_[static_cast<size_t>(slot)]; }
  Slot* least_recent_free();
  void reserve(Slot& slot, int64_t tokens);
  void copy(const Tensor& from, Tensor& to, int64_t tokens) const;

  int64_t layers_, kv_heads_, head_dim_, context_;
  std::vector<Slot> slots_;
  int64_t uses_ = 0;
};

}  // namespace danlu::infer
