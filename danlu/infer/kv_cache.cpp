#include "danlu/infer/kv_cache.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "danlu/base/check.h"

namespace danlu::infer {
namespace {

int64_t common_prefix(std::span<const data::TokenId> a, std::span<const data::TokenId> b) {
  return std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
}

size_t pages_for(size_t tokens) { return (tokens + kernels::kCacheTile - 1) / kernels::kCacheTile; }

}  // namespace

kernels::CacheFormat default_cache_format(const models::Gpt& network) {
  return network.quantized_weights().empty() ? kernels::CacheFormat::f32 : kernels::CacheFormat::f16;
}

KvCache::KvCache(const models::GptOptions& o, int64_t slots, kernels::CacheFormat format)
    : shape_{o.heads, o.kv_heads, o.head_dim, static_cast<float>(1 / std::sqrt(static_cast<double>(o.head_dim))), format},
      layers_(o.layers),
      context_(o.context),
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
  // is shared with the slot that was not used for longest.
  if (best != nullptr && !best->is_running && 2 * cached >= std::ssize(best->tokens)) target = best;
  if (best != nullptr && target != best) {
    target->tokens = best->tokens;
    target->pages = best->pages;
    target->addresses = best->addresses;
  }
  cut(*target, static_cast<size_t>(cached));
  target->is_running = true;
  target->last_used = ++uses_;
  return Claim{target - slots_.data(), cached};
}

void KvCache::append(int64_t slot, std::span<const data::TokenId> tokens) {
  Slot& s = at(slot);
  DANLU_CHECK(length(slot) + std::ssize(tokens) <= context_, "a sequence is no longer than the context");
  const size_t pages = pages_for(s.tokens.size() + tokens.size());
  for (size_t page = s.tokens.size() / kernels::kCacheTile; page < pages; ++page) make_writable(s, page);
  s.tokens.insert(s.tokens.end(), tokens.begin(), tokens.end());
}

// The page is there, and no other slot's.
void KvCache::make_writable(Slot& slot, size_t page) {
  if (page == slot.pages.size()) {
    slot.pages.push_back(std::make_shared<Tensor>(Tensor::empty({layers_ * shape_.layer_bytes()}, Dtype::u8)));
    slot.addresses.push_back(slot.pages.back()->mutable_raw_bytes());
  } else if (slot.pages[page].use_count() > 1) {
    slot.pages[page] = std::make_shared<Tensor>(slot.pages[page]->clone());
    slot.addresses[page] = slot.pages[page]->mutable_raw_bytes();
  }
}

kernels::CachedSequence KvCache::sequence(int64_t slot, int64_t layer, int64_t rows) {
  return {at(slot).addresses.data(), layer * shape_.layer_bytes(), length(slot) - rows, rows};
}

void KvCache::cut(int64_t slot, int64_t length) {
  DANLU_CHECK(length >= 0 && length <= this->length(slot), "a sequence is cut to what it has");
  cut(at(slot), static_cast<size_t>(length));
}

void KvCache::cut(Slot& slot, size_t tokens) {
  slot.tokens.resize(tokens);
  slot.pages.resize(pages_for(tokens));
  slot.addresses.resize(slot.pages.size());
}

void KvCache::release(int64_t slot, bool keep) {
  Slot& s = at(slot);
  s.is_running = false;
  s.last_used = keep ? ++uses_ : 0;
  if (!keep) cut(s, 0);
}

int64_t KvCache::running() const {
  return std::count_if(slots_.begin(), slots_.end(), [](const Slot& s) { return s.is_running; });
}

int64_t KvCache::bytes() const {
  std::set<const std::byte*> pages;
  for (const Slot& s : slots_) pages.insert(s.addresses.begin(), s.addresses.end());
  return std::ssize(pages) * layers_ * shape_.layer_bytes();
}

KvCache::Slot* KvCache::least_recent_free() {
  Slot* least = nullptr;
  for (Slot& slot : slots_) {
    if (!slot.is_running && (least == nullptr || slot.last_used < least->last_used)) least = &slot;
  }
  return least;
}

}  // namespace danlu::infer
