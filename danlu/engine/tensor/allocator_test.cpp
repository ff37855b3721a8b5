#include "danlu/engine/tensor/allocator.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>
#include <random>
#include <thread>
#include <utility>
#include <vector>

namespace danlu {
namespace {

bool aligned(const void* block, size_t alignment) { return reinterpret_cast<uintptr_t>(block) % alignment == 0; }

TEST(Allocator, BlocksAreAlignedAndWholeToTheLastByte) {
  for (const size_t bytes : {0, 1, 63, 64, 65, 80, 81, 1000, 4096, 5000, 100'000, 1 << 20, (1 << 21) + 1, 5 << 20}) {
    void* block = allocate(bytes);
    EXPECT_TRUE(aligned(block, 64)) << bytes;
    if (bytes >= size_t{2} << 20) {
      EXPECT_TRUE(aligned(block, size_t{2} << 20)) << bytes;
    }
    std::memset(block, 0xAB, bytes);
    deallocate(block, bytes);
  }
}

TEST(Allocator, ALimitHoldsForItsThreadWhileItLives) {
  void* before = allocate(1 << 20);
  {
    const AllocationLimit limit(1 << 20);
    EXPECT_THROW(allocate(2 << 20), std::bad_alloc);
    void* block = allocate(1 << 19);
    EXPECT_THROW(allocate(1 << 20), std::bad_alloc);
    deallocate(block, 1 << 19);
    block = allocate(1 << 20);
    deallocate(block, 1 << 20);
    std::thread([] { deallocate(allocate(2 << 20), 2 << 20); }).join();
  }
  deallocate(allocate(2 << 20), 2 << 20);
  deallocate(before, 1 << 20);
}

TEST(Allocator, AFreedBlockServesTheNextRequestOfItsClass) {
  void* first = allocate(1000);
  deallocate(first, 1000);
  const int64_t system = allocator_stats().system_allocations;
  void* second = allocate(1010);  // both in the class of 1024
  EXPECT_EQ(second, first);
  EXPECT_EQ(allocator_stats().system_allocations, system);
  deallocate(second, 1010);
}

TEST(Allocator, WastesAtMostAQuarter) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 1000; ++i) {
    const size_t bytes = 256 + random() % (size_t{1} << (9 + i % 12));
    const int64_t before = allocator_stats().active_bytes;
    void* block = allocate(bytes);
    const int64_t taken = allocator_stats().active_bytes - before;
    EXPECT_GE(taken, static_cast<int64_t>(bytes));
    EXPECT_LE(taken, static_cast<int64_t>(bytes + bytes / 4 + 64));
    deallocate(block, bytes);
    EXPECT_EQ(allocator_stats().active_bytes, before);
  }
}

TEST(Allocator, StatsFollowABlock) {
  trim_allocator();
  const AllocatorStats before = allocator_stats();
  EXPECT_EQ(before.cached_bytes, 0);
  void* block = allocate(1 << 20);
  const AllocatorStats during = allocator_stats();
  EXPECT_EQ(during.active_bytes - before.active_bytes, 1 << 20);
  EXPECT_GE(during.peak_bytes, during.active_bytes);
  EXPECT_EQ(during.system_allocations, before.system_allocations + 1);
  deallocate(block, 1 << 20);
  EXPECT_EQ(allocator_stats().active_bytes, before.active_bytes);
  EXPECT_EQ(allocator_stats().cached_bytes, 1 << 20);
  trim_allocator();
  EXPECT_EQ(allocator_stats().cached_bytes, 0);
}

TEST(Allocator, RefusesTheImpossible) {
  EXPECT_THROW(allocate(SIZE_MAX), std::bad_alloc);
  EXPECT_THROW(allocate(size_t{1} << 61), std::bad_alloc);
  deallocate(nullptr, 100);
}

TEST(Allocator, ABlockMayBeFreedByAnotherThread) {
  const int64_t before = allocator_stats().active_bytes;
  std::vector<void*> blocks;
  for (int i = 0; i < 200; ++i) blocks.push_back(allocate(500));
  std::thread([&] {
    for (void* block : blocks) deallocate(block, 500);
  }).join();
  EXPECT_EQ(allocator_stats().active_bytes, before);
  const int64_t system = allocator_stats().system_allocations;
  for (void*& block : blocks) block = allocate(500);
  EXPECT_EQ(allocator_stats().system_allocations, system) << "an ended thread leaves its cache to the others";
  for (void* block : blocks) deallocate(block, 500);
}

TEST(Allocator, ThreadsDoNotDisturbEachOther) {
  const int64_t before = allocator_stats().active_bytes;
  std::vector<std::thread> threads;
  std::atomic<int> damaged{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t, &damaged] {
      std::mt19937 random(static_cast<unsigned>(t));
      std::vector<std::pair<uint8_t*, size_t>> held;
      for (int i = 0; i < 3000; ++i) {
        if (held.size() < 20 || random() % 2 == 0) {
          const size_t bytes = 1 + random() % 5000;
          auto* block = static_cast<uint8_t*>(allocate(bytes));
          std::memset(block, t + 1, bytes);
          held.emplace_back(block, bytes);
        } else {
          const size_t pick = random() % held.size();
          const auto [block, bytes] = held[pick];
          for (size_t k = 0; k < bytes; ++k) damaged += block[k] != t + 1;
          deallocate(block, bytes);
          held[pick] = held.back();
          held.pop_back();
        }
      }
      for (const auto& [block, bytes] : held) deallocate(block, bytes);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(damaged, 0) << "a block was given to two owners";
  EXPECT_EQ(allocator_stats().active_bytes, before);
}

}  // namespace
}  // namespace danlu
