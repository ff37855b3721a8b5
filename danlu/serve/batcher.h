// Runs the requests of many threads through one model, several at a time.
//
// A model runs on one thread, the batcher's own. While it runs, requests collect in a bounded queue; the next run takes
// as many as fit, so batches grow with the load and a lone request waits for nobody. When the queue is full, or a
// request would be too late, its caller hears so at once: the server stays quick instead of answering everyone late.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/options.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu::serve {

struct BatchOptions {
  int64_t max_batch = 64;
  int64_t queue_capacity = 1024;
  double batch_wait_ms = 0;
  int64_t deadline_ms = 5000;
  int64_t threads = 0;

  void describe(OptionVisitor& v) {
    v.field("max_batch", max_batch, {1, 65536}, "rows that one run of the model takes");
    v.field("queue_capacity", queue_capacity, {1, 1e7}, "rows that may wait; a request that finds no room is a 429");
    v.field("batch_wait_ms", batch_wait_ms, {0, 1000}, "time that the first request of a batch waits for others");
    v.field("deadline_ms", deadline_ms, {1, 3.6e6}, "time from the queue to the answer; later is a 503");
    v.field("threads", threads, {0, 1024}, "compute threads of each model; 0 takes every processor");
  }
};

// The queue has no room for the rows.
class QueueFull : public Error {
  using Error::Error;
};
// The deadline passed before the answer was there.
class DeadlinePassed : public Error {
  using Error::Error;
};
// The batcher has been stopped.
class Stopped : public Error {
  using Error::Error;
};

class Batcher {
 public:
  // x (N, ...) to y (N, ...): row i of y depends on row i of x alone.
  using Run = std::function<Tensor(const Tensor&)>;
  using Observer = std::function<void(int64_t rows)>;

  // `on_batch` hears the number of rows of every run, on the batcher's thread.
  Batcher(const BatchOptions& options, Run run, Observer on_batch = {});
  ~Batcher();  // stops
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  // The model's output for the rows x, N >= 1. Blocks. Throws QueueFull, DeadlinePassed, Stopped, or what the model
  // threw for these rows. More rows than max_batch are run in parts. Any number of threads at once.
  Tensor run(Tensor x);

  // Refuses new rows and returns when those in the queue are done. Idempotent.
  void stop();

  int64_t queued_rows() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Job;
  using Jobs = std::vector<std::shared_ptr<Job>>;

  void loop();
  Jobs next_batch();
  bool take_fitting(Jobs& batch, int64_t& rows);
  void run_batch(const Jobs& batch);
  Tensor run_parts(const Tensor& x);

  const BatchOptions options_;
  const Run run_;
  const Observer on_batch_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Job>> queue_;
  int64_t queued_rows_ = 0;
  bool stopping_ = false;
  std::mutex stop_mutex_;  // one thread joins
  std::thread worker_;
};

}  // namespace danlu::serve
