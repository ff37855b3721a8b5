#include "danlu/infer/kv_cache.h"

#include <algorithm>
#include <cstring>

#include "danlu/base/check.h"

namespace danlu::infer {
namespace {

constexpr int64_t kFirstCapacity = 64;

int64_t common_prefix(std::span<const data::TokenId> a, std::span<const data::TokenId> b) {
  return std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
}

}  // namespace

KvCache::KvCache(const models::GptOptions& options, int64_t slots)
    : layers_(options.layers),
      kv_heads_(options.kv_heads),
      head_dim_(options.head_dim),
      context_(options.context),
      slots_(static_cast<size_t>(slots)) {}

std::optional<KvCache::Claim> KvCache::claim(std::span<const data::TokenId> prompt, int64_t reusable) {
  Slot* target = least_recent_free();
  if (target == nullptr) return std::nullopt;
  const auto reused = prompt.first(static_cast<size_t>(std::clamp<int64_t>(reusable, 0, static_cast<int64_t>(prompt.size()))));
  Slot* best = nullptr;
  int64_t cached = 0;
  for (Slot& slot : slots_) {
    const int64_t common = common_prefix(reused, slot.tokens);
    if (common > cached || (common == cached && common > 0 && best->is_running && !slot.is_running)) {
      best = &slot;
      cached = common;
    }
  }
  // A sequence that goes on is taken over. One that has little in common with the newcomer may be asked for again: its beginning
  // is copied to the slot that was not used for longest.
  if (best != nullptr && !best->is_running && 2 * cached >= static_cast<int64_t>(best->tokens.size())) target = best;
  if (target != best) {
    target->tokens.clear();
    if (cached > 0) {
      reserve(*target, cached);
      copy(best->keys, target->keys, cached);
      copy(best->values, target->values, cached);
      target->tokens.assign(prompt.begin(), prompt.begin() + cached);
    }
  }
  target->tokens.resize(static_cast<size_t>(cached));
  target->is_running = true;
  target->last_used = ++uses_;
  return Claim{target - slots_.data(), cached};
}

void KvCache::append(int64_t slot, std::span<const data::TokenId> tokens) {
  Slot& s = at(slot);
  DANLU_CHECK(length(slot) + static_cast<int64_t>(tokens.size()) <= context_, "a sequence is no longer than the context");
  reserve(s, length(slot) + static_cast<int64_t>(tokens.size()));
  s.tokens.insert(s.tokens.end(), tokens.begin(), tokens.end());
}

kernels::CachedSequence KvCache::sequence(int64_t slot, int64_t layer, int64_t rows) {
  Slot& s = at(slot);
  const int64_t offset = layer * kv_heads_ * s.capacity * head_dim_;
  return {s.keys.mutable_data() + offset, s.values.mutable_data() + offset, s.capacity, length(slot) - rows, rows};
}

void KvCache::release(int64_t slot, bool keep) {
  Slot& s = at(slot);
  s.is_running = false;
  s.last_used = keep ? ++uses_ : 0;
  if (!keep) s.tokens.clear();
}

int64_t KvCache::running() const {
  return std::count_if(slots_.begin(), slots_.end(), [](const Slot& s) { return s.is_running; });
}

int64_t KvCache::bytes() const {
  int64_t total = 0;
  for (const Slot& s : slots_) total += s.keys.defined() ? static_cast<int64_t>(s.keys.bytes() + s.values.bytes()) : 0;
  return total;
}

KvCache::Slot* KvCache::least_recent_free() {
  Slot* least = nullptr;
  for (Slot& slot : slots_) {
    if (!slot.is_running && (least == nullptr || slot.last_used < least->last_used)) least = &slot;
  }
  return least;
}

void KvCache::reserve(Slot& slot, int64_t tokens) {
  if (tokens <= slot.capacity) return;
  const int64_t capacity = std::min(context_, std::max({tokens, 2 * slot.capacity, kFirstCapacity}));
  const Shape shape{layers_, kv_heads_, capacity, head_dim_};
  Tensor keys = Tensor::empty(shape), values = Tensor::empty(shape);
  const auto length = static_cast<int64_t>(slot.tokens.size());
  if (length > 0) {
    copy(slot.keys, keys, length);
    copy(slot.values, values, length);
  }
  slot.keys = std::move(keys);
  slot.values = std::move(values);
  slot.capacity = capacity;
}

// The first tokens of every layer and head.
void KvCache::copy(const Tensor& from, Tensor& to, int64_t tokens) const {
  const int64_t from_step = from.size(2) * head_dim_, to_step = to.size(2) * head_dim_;
  const float* source = from.data();
  float* target = to.mutable_data();
  for (int64_t i = 0; i < layers_ * kv_heads_; ++i) {
    std::memcpy(target + i * to_step, source + i * from_step, static_cast<size_t>(tokens * head_dim_) * sizeof(float));
  }
}

}  // namespace danlu::infer
