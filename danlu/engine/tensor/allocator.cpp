#include "danlu/engine/tensor/allocator.h"

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

namespace danlu {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kHugePage = size_t{2} << 20;
constexpr int kClasses = 4 * 58;     // four steps for each power of two from 64 bytes up
constexpr size_t kThreadBlocks = 8;  // of one class in a thread's own list
constexpr size_t kThreadMaxBytes = size_t{1} << 20;  // larger blocks go to the shared list at once

// Class c = 4 * octave + step holds blocks of 64 * 2^octave * (4 + step) / 4 bytes, rounded up to the alignment.
int class_of(size_t bytes) {
  if (bytes <= kAlignment) return 0;
  const int octave = std::bit_width(bytes - 1) - 7;
  const size_t base = kAlignment << octave;
  const size_t step = (bytes - base + base / 4 - 1) / (base / 4);
  return 4 * octave + static_cast<int>(step);
}

size_t class_bytes(int c) {
  const size_t base = kAlignment << (c / 4);
  return (base + base / 4 * static_cast<size_t>(c % 4) + kAlignment - 1) / kAlignment * kAlignment;
}

struct Counters {
  std::atomic<int64_t> active{0}, peak{0}, cached{0}, system{0};
};

Counters& counters() {
  static Counters instance;
  return instance;
}

struct SharedCache {
  std::mutex mutex;
  std::array<std::vector<void*>, kClasses> blocks;

  void* take(int c) {
    std::lock_guard lock(mutex);
    if (blocks[static_cast<size_t>(c)].empty()) return nullptr;
    void* block = blocks[static_cast<size_t>(c)].back();
    blocks[static_cast<size_t>(c)].pop_back();
    return block;
  }
  void give(int c, void* block) noexcept {
    try {
      std::lock_guard lock(mutex);
      blocks[static_cast<size_t>(c)].push_back(block);
    } catch (...) {  // no room to remember it: the system gets it back
      counters().cached -= static_cast<int64_t>(class_bytes(c));
      std::free(block);
    }
  }
  void trim() {
    std::lock_guard lock(mutex);
    for (int c = 0; c < kClasses; ++c) {
      for (void* block : blocks[static_cast<size_t>(c)]) {
        counters().cached -= static_cast<int64_t>(class_bytes(c));
        std::free(block);
      }
      blocks[static_cast<size_t>(c)].clear();
    }
  }
};

SharedCache& shared_cache() {
  static SharedCache* instance = new SharedCache;  // never destroyed: tensors in static storage may outlive it
  return *instance;
}

// Plain data, so that it is usable until the very end of its thread; the drain below empties it.
struct ThreadCache {
  std::array<std::array<void*, kThreadBlocks>, kClasses> blocks;
  std::array<uint8_t, kClasses> count;
  bool closed;

  void drain() noexcept {
    for (int c = 0; c < kClasses; ++c) {
      auto& n = count[static_cast<size_t>(c)];
      while (n > 0) shared_cache().give(c, blocks[static_cast<size_t>(c)][--n]);
    }
  }
};

thread_local ThreadCache thread_cache{};

// What this thread may still take. Half of the range, so that no sequence of requests overflows it.
constexpr int64_t kUnlimited = INT64_MAX / 2;
thread_local int64_t allowance = kUnlimited;

struct DrainAtExit {
  ~DrainAtExit() {
    thread_cache.drain();
    thread_cache.closed = true;
  }
};

void* system_allocate(size_t bytes) {
  ++counters().system;
  const size_t alignment = bytes >= kHugePage ? kHugePage : kAlignment;
  void* block = nullptr;
  if (::posix_memalign(&block, alignment, bytes) != 0) {
    trim_allocator();
    if (::posix_memalign(&block, alignment, bytes) != 0) throw std::bad_alloc();
  }
  if (bytes >= kHugePage) ::madvise(block, bytes, MADV_HUGEPAGE);  // advice only: a refusal costs nothing
  return block;
}

}  // namespace

void* allocate(size_t bytes) {
  if (bytes > size_t{1} << 47) throw std::bad_alloc();  // more than a process can address
  const int c = class_of(bytes);
  const size_t size = class_bytes(c);
  if (static_cast<int64_t>(size) > allowance) throw std::bad_alloc();
  allowance -= static_cast<int64_t>(size);
  auto& mine = thread_cache.count[static_cast<size_t>(c)];
  void* block = nullptr;
  if (mine > 0) {
    block = thread_cache.blocks[static_cast<size_t>(c)][--mine];
  } else {
    block = shared_cache().take(c);
  }
  if (block != nullptr) {
    counters().cached.fetch_sub(static_cast<int64_t>(size), std::memory_order_relaxed);
  } else {
    block = system_allocate(size);
  }
  const int64_t active = counters().active.fetch_add(static_cast<int64_t>(size), std::memory_order_relaxed) +
                         static_cast<int64_t>(size);
  int64_t peak = counters().peak.load(std::memory_order_relaxed);
  while (active > peak && !counters().peak.compare_exchange_weak(peak, active, std::memory_order_relaxed)) {
  }
  return block;
}

void deallocate(void* block, size_t bytes) noexcept {
  if (block == nullptr) return;
  const int c = class_of(bytes);
  const size_t size = class_bytes(c);
  allowance += static_cast<int64_t>(size);
  counters().active.fetch_sub(static_cast<int64_t>(size), std::memory_order_relaxed);
  counters().cached.fetch_add(static_cast<int64_t>(size), std::memory_order_relaxed);
  auto& mine = thread_cache.count[static_cast<size_t>(c)];
  if (size <= kThreadMaxBytes && mine < kThreadBlocks && !thread_cache.closed) {
    static thread_local DrainAtExit drain;
    thread_cache.blocks[static_cast<size_t>(c)][mine++] = block;
  } else {
    shared_cache().give(c, block);
  }
}

AllocationLimit::AllocationLimit(int64_t bytes) { allowance = bytes; }
AllocationLimit::~AllocationLimit() { allowance = kUnlimited; }

AllocatorStats allocator_stats() {
  const Counters& c = counters();
  return {c.active.load(), c.peak.load(), c.cached.load(), c.system.load()};
}

void trim_allocator() {
  thread_cache.drain();
  shared_cache().trim();
}

}  // namespace danlu
