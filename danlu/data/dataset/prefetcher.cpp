#include "danlu/data/dataset/prefetcher.h"

#include <utility>

namespace danlu::data {

Prefetcher::Prefetcher(int64_t first, int64_t last, std::span<Batch> slots, Make make)
    : first_(first), last_(last), make_(std::move(make)), slots_(slots), made_(first), taken_(first), thread_([this] {
        run();
      }) {}

Prefetcher::~Prefetcher() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Prefetcher::run() {
  const auto depth = static_cast<int64_t>(slots_.size());
  for (int64_t k = first_; k < last_; ++k) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stop_ || made_ - taken_ < depth; });
      if (stop_) return;
    }
    // The slot is ours until made_ moves past it.
    std::exception_ptr failure;
    try {
      make_(k, slots_[static_cast<size_t>(k % depth)]);
    } catch (...) {
      failure = std::current_exception();
    }
    {
      std::lock_guard lock(mutex_);
      if (failure) {
        failure_ = failure;
      } else {
        ++made_;
      }
    }
    changed_.notify_all();
    if (failure) return;
  }
}

bool Prefetcher::next(Batch& batch) {
  {
    std::unique_lock lock(mutex_);
    if (taken_ == last_) return false;
    changed_.wait(lock, [&] { return taken_ < made_ || failure_; });
    if (taken_ == made_) std::rethrow_exception(failure_);
    std::swap(batch, slots_[static_cast<size_t>(taken_ % static_cast<int64_t>(slots_.size()))]);
    ++taken_;
  }
  changed_.notify_all();
  return true;
}

}  // namespace danlu::data
