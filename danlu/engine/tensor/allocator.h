// Memory for tensors: a cache of 64-byte-aligned blocks in size classes.
//
// A training step asks for the same blocks as the step before. Going back to the system each time costs page faults (30 to
// 40 % of a large PyTorch step on CPU), so freed blocks stay here, by size class (four steps a power of two, at least 64
// bytes, at most 25 % waste), first in a small list of the freeing thread, then in a shared one.
// Large blocks (2 MiB and more) are aligned to 2 MiB and advised for huge pages.
// Threads: every function may be called from any thread; a block may be freed by another thread than took it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace danlu {

struct AllocatorStats {
  int64_t active_bytes = 0;   // in tensors now
  int64_t peak_bytes = 0;     // most ever active
  int64_t cached_bytes = 0;   // free, kept for the next request
  int64_t system_allocations = 0;  // requests that had to go to the system: constant in a steady training step
};

// At least `bytes` bytes (rounded up to a size class), aligned to 64. bytes >= 0. Contents are undefined.
// Throws std::bad_alloc after giving the cache back has not helped.
void* allocate(size_t bytes);
// `bytes` as given to allocate.
void deallocate(void* block, size_t bytes) noexcept;

// While one lives, allocate() on this thread throws std::bad_alloc beyond `bytes` more than it has now: for sizes that come from
// untrusted files. Limits do not nest.
class AllocationLimit {
 public:
  explicit AllocationLimit(int64_t bytes);
  ~AllocationLimit();
  AllocationLimit(const AllocationLimit&) = delete;
  AllocationLimit& operator=(const AllocationLimit&) = delete;
};

AllocatorStats allocator_stats();

// Gives the shared cache, and the calling thread's, back to the system.
void trim_allocator();

}  // namespace danlu
