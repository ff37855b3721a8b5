// The loader: an epoch of batches, again and again.
//
//   DataLoader loader(dataset, split.train, {.batch_size = 64}, seed, Phase::train);
//   for (int64_t epoch = 0; epoch < 10; ++epoch)
//     for (const Batch& batch : loader) step(batch.x, batch.y);
//
// Samples are shuffled before they are batched. The order of an epoch, and every variation in it, is a function of
// (seed, epoch) alone, so the same whether batches are made ahead by a thread or not, and whether training was
// interrupted or not.
#pragma once

#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <vector>

#include "danlu/base/options.h"
#include "danlu/data/dataset/dataset.h"
#include "danlu/data/dataset/prefetcher.h"

namespace danlu::data {

// shuffle and drop_last are for Phase::train; evaluation sees every sample once, in the order given.
struct LoaderOptions {
  int64_t batch_size = 64;
  bool shuffle = true;
  bool drop_last = false;
  std::optional<int64_t> prefetch = {};  // absent: what the data set asks for; 0: batches are made when asked for

  void describe(OptionVisitor& v);
};

// The next batch to be given. Save it in a checkpoint, seek() to it after a restart, and training goes on with the same
// next sample.
struct LoaderPosition {
  int64_t epoch = 0;
  int64_t batch = 0;
  friend bool operator==(const LoaderPosition&, const LoaderPosition&) = default;
};

// Threads: one consumer.
class DataLoader {
 public:
  // The data set must outlive the loader. Throws ConfigError for options out of range, or if drop_last leaves no batch.
  DataLoader(const Dataset& dataset, std::vector<int64_t> indexes, const LoaderOptions& options, uint64_t seed,
             Phase phase);
  DataLoader(const DataLoader&) = delete;
  DataLoader& operator=(const DataLoader&) = delete;

  int64_t num_samples() const { return static_cast<int64_t>(indexes_.size()); }
  int64_t batches_per_epoch() const { return batches_; }

  // The position after the batch given last. After the last batch of an epoch that is {epoch + 1, 0}.
  LoaderPosition position() const { return position_; }
  // In constant time. Invalidates iterators. Throws ConfigError for a batch outside the epoch.
  void seek(const LoaderPosition& position);

  // The batch stays valid until the next ++; its tensors may be kept, and then are not overwritten.
  class Iterator {
   public:
    // Names of the standard library. NOLINTBEGIN(readability-identifier-naming)
    using value_type = Batch;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;
    // NOLINTEND(readability-identifier-naming)

    const Batch& operator*() const { return loader_->batch_; }
    const Batch* operator->() const { return &loader_->batch_; }
    Iterator& operator++() {
      more_ = loader_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return !more_; }

   private:
    friend class DataLoader;
    Iterator(DataLoader* loader, bool more) : loader_(loader), more_(more) {}
    DataLoader* loader_;
    bool more_;
  };

  // From position() to the end of its epoch: a loop that was left early goes on where it stopped; seek({epoch, 0})
  // starts the epoch again. An exception while a batch is made, in whichever thread, is thrown by begin() or ++.
  Iterator begin();
  std::default_sentinel_t end() const { return {}; }

 private:
  bool advance();
  void start_epoch();
  void make(int64_t k, Batch& batch) const;

  const Dataset& dataset_;
  const std::vector<int64_t> indexes_;
  const LoaderOptions options_;
  const uint64_t seed_;
  const Phase phase_;
  int64_t batches_ = 0;
  LoaderPosition position_;
  // The epoch under way; order_ is written only while no thread runs.
  int64_t order_epoch_ = -1;
  std::vector<int64_t> order_;
  bool running_ = false;
  Batch batch_;
  std::vector<Batch> slots_;                // of the prefetcher
  std::unique_ptr<Prefetcher> prefetcher_;  // last: its thread reads the members above
};

}  // namespace danlu::data
