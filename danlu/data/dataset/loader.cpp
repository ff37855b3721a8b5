#include "danlu/data/dataset/loader.h"

#include <algorithm>
#include <span>
#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/dataset/epoch_rng.h"

namespace danlu::data {

void LoaderOptions::describe(OptionVisitor& v) {
  v.field("batch_size", batch_size, {1, 1 << 20}, "samples a step");
  v.field("shuffle", shuffle, "a new order of the training samples every epoch");
  v.field("drop_last", drop_last, "leave out the last batch of an epoch if it is not full");
  v.field("prefetch", prefetch, {0, 1024}, "batches made ahead by a thread; absent: chosen for the data");
}

DataLoader::DataLoader(const Dataset& dataset, std::vector<int64_t> indexes, const LoaderOptions& options,
                       uint64_t seed, Phase phase)
    : dataset_(dataset), indexes_(std::move(indexes)), options_(options), seed_(seed), phase_(phase) {
  if (options_.batch_size < 1 || options_.prefetch.value_or(0) < 0) {
    throw ConfigError("data.loader", fmt::format("got batch_size {} and prefetch {}; expected at least 1 and 0",
                                                 options_.batch_size, options_.prefetch.value_or(0)));
  }
  const bool drop = options_.drop_last && phase_ == Phase::train;
  batches_ = (num_samples() + (drop ? 0 : options_.batch_size - 1)) / options_.batch_size;
  if (batches_ == 0 && num_samples() > 0) {
    throw ConfigError("data.loader",
                      fmt::format("got {} samples for batches of {} with drop_last; expected at least one full batch",
                                  num_samples(), options_.batch_size));
  }
}

void DataLoader::seek(const LoaderPosition& position) {
  if (position.epoch < 0 || position.batch < 0 || position.batch > batches_) {
    throw ConfigError("data.loader", fmt::format("got epoch {}, batch {}; expected a batch from 0 to {}",
                                                 position.epoch, position.batch, batches_));
  }
  prefetcher_.reset();
  running_ = false;
  position_ = position.batch == batches_ ? LoaderPosition{position.epoch + 1, 0} : position;
}

DataLoader::Iterator DataLoader::begin() {
  start_epoch();
  return {this, advance()};
}

void DataLoader::start_epoch() {
  if (running_ && order_epoch_ == position_.epoch) return;  // goes on
  prefetcher_.reset();
  if (order_epoch_ != position_.epoch) {
    order_ = indexes_;
    order_epoch_ = position_.epoch;
    if (options_.shuffle && phase_ == Phase::train) epoch_rng(seed_, order_epoch_, RngPurpose::shuffle).shuffle(order_);
  }
  running_ = true;
  const int64_t ahead = std::min(options_.prefetch.value_or(dataset_.default_prefetch()), batches_);
  if (ahead > 0) {
    slots_.resize(static_cast<size_t>(ahead));
    prefetcher_ = std::make_unique<Prefetcher>(position_.batch, batches_, slots_,
                                               [this](int64_t k, Batch& batch) { make(k, batch); });
  }
}

// Moves to the next batch of the epoch under way; false after the last.
bool DataLoader::advance() {
  if (!running_ || position_.epoch != order_epoch_ || batches_ == 0) {
    prefetcher_.reset();
    running_ = false;
    return false;
  }
  try {
    if (prefetcher_) {
      prefetcher_->next(batch_);
    } else {
      make(position_.batch, batch_);
    }
  } catch (...) {
    prefetcher_.reset();
    running_ = false;
    throw;
  }
  if (++position_.batch == batches_) position_ = {position_.epoch + 1, 0};
  return true;
}

void DataLoader::make(int64_t k, Batch& batch) const {
  const int64_t begin = k * options_.batch_size;
  const int64_t end = std::min(begin + options_.batch_size, num_samples());
  const std::span<const int64_t> part(order_.data() + begin, static_cast<size_t>(end - begin));
  dataset_.gather(part, batch, {phase_, seed_, order_epoch_});
}

}  // namespace danlu::data
