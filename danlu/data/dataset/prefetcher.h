// One thread that makes batches ahead of their use, at most as many as it is given slots for.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <span>
#include <thread>

#include "danlu/data/dataset/dataset.h"

namespace danlu::data {

class Prefetcher {
 public:
  // Writes batch number k into the batch given, whose old tensors it may reuse.
  using Make = std::function<void(int64_t k, Batch& batch)>;

  // Starts making batches first, first + 1, ... last - 1 in `slots`, at least one, which must outlive the prefetcher
  // and be left alone meanwhile; their tensors are reused by the next prefetcher that gets the same slots.
  Prefetcher(int64_t first, int64_t last, std::span<Batch> slots, Make make);
  // Returns as soon as the batch in the making is done.
  ~Prefetcher();
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  // Swaps the next batch with `batch`, waiting for it if need be; false after the last. Rethrows what `make` has
  // thrown, after the batches before it have been given.
  bool next(Batch& batch);

 private:
  void run();

  const int64_t first_, last_;
  const Make make_;
  const std::span<Batch> slots_;  // a ring: batch k is in slot k % size
  int64_t made_, taken_;          // batches [taken_, made_) are ready
  bool stop_ = false;
  std::exception_ptr failure_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace danlu::data
