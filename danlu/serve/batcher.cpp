#include "danlu/serve/batcher.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <future>
#include <utility>

#include "danlu/base/check.h"
#include "danlu/base/format.h"
#include "danlu/base/threads.h"

namespace danlu::serve {
namespace {

constexpr const char* kWhere = "serve.batcher";

bool same_row_shape(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.rank() == b.rank() && a.shape().with(0, 1) == b.shape().with(0, 1);
}

// The rows of several tensors of one row shape, one after the other.
Tensor concatenate_rows(const std::vector<Tensor>& parts) {
  int64_t rows = 0;
  for (const Tensor& part : parts) rows += part.size(0);
  Tensor all = Tensor::empty(parts.front().shape().with(0, rows), parts.front().dtype());
  std::byte* out = all.mutable_raw_bytes();
  for (const Tensor& part : parts) {
    if (part.bytes() > 0) std::memcpy(out, part.raw_bytes(), part.bytes());
    out += part.bytes();
  }
  return all;
}

}  // namespace

struct Batcher::Job {
  Tensor x;
  Clock::time_point deadline;
  std::promise<Tensor> result;

  int64_t rows() const { return x.size(0); }
};

Batcher::Batcher(const BatchOptions& options, Run run, Observer on_batch)
    : options_(options), run_(std::move(run)), on_batch_(std::move(on_batch)), worker_([this] { loop(); }) {}

Batcher::~Batcher() { stop(); }

Tensor Batcher::run(Tensor x) {
  DANLU_CHECK(x.rank() >= 1 && x.size(0) >= 1, "a batch has at least one row");
  auto job = std::make_shared<Job>();
  job->x = std::move(x);
  job->deadline = Clock::now() + std::chrono::milliseconds(options_.deadline_ms);
  std::future<Tensor> result = job->result.get_future();
  {
    std::lock_guard lock(mutex_);
    if (stopping_) throw Stopped(kWhere, "the server is stopping");
    if (queued_rows_ + job->rows() > options_.queue_capacity) {
      throw QueueFull(kWhere,
                      fmt::format("{} rows wait already and {} more do not fit in the queue of {}; try again later",
                                  queued_rows_, job->rows(), options_.queue_capacity));
    }
    queued_rows_ += job->rows();
    queue_.push_back(job);
  }
  wake_.notify_one();
  // The job outlives this wait if it is running when the deadline passes; its result is dropped then.
  if (result.wait_until(job->deadline) != std::future_status::ready) {
    throw DeadlinePassed(kWhere, fmt::format("no answer within {} ms; try again later", options_.deadline_ms));
  }
  return result.get();
}

void Batcher::stop() {
  std::lock_guard one(stop_mutex_);
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (worker_.joinable()) worker_.join();
}

int64_t Batcher::queued_rows() const {
  std::lock_guard lock(mutex_);
  return queued_rows_;
}

void Batcher::loop() {
  if (options_.threads > 0) set_num_threads(static_cast<int>(options_.threads));
  for (Jobs batch = next_batch(); !batch.empty(); batch = next_batch()) run_batch(batch);
}

// Waits for work. Empty when the batcher stops and the queue is done.
Batcher::Jobs Batcher::next_batch() {
  const auto wait =
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double, std::milli>(options_.batch_wait_ms));
  Jobs batch;
  int64_t rows = 0;
  std::unique_lock lock(mutex_);
  while (batch.empty()) {
    wake_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return batch;
    take_fitting(batch, rows);
  }
  const Clock::time_point until = Clock::now() + wait;
  while (take_fitting(batch, rows) && rows < options_.max_batch && !stopping_) {
    if (!wake_.wait_until(lock, until, [&] { return stopping_ || !queue_.empty(); })) break;
  }
  return batch;
}

// Moves jobs from the head of the queue to the batch while they fit; drops those whose caller has left. False if the
// head does not fit. A job larger than a batch goes alone.
bool Batcher::take_fitting(Jobs& batch, int64_t& rows) {
  const Clock::time_point now = Clock::now();
  while (!queue_.empty()) {
    const std::shared_ptr<Job>& head = queue_.front();
    const bool late = head->deadline <= now;
    if (!late && !batch.empty() &&
        (rows + head->rows() > options_.max_batch || !same_row_shape(head->x, batch.front()->x))) {
      return false;
    }
    queued_rows_ -= head->rows();
    if (!late) {
      rows += head->rows();
      batch.push_back(head);
    }
    queue_.pop_front();
  }
  return true;
}

void Batcher::run_batch(const Jobs& batch) {
  if (batch.size() > 1) {
    try {
      std::vector<Tensor> parts;
      for (const auto& job : batch) parts.push_back(job->x);
      const Tensor y = run_parts(concatenate_rows(parts));
      int64_t row = 0;
      for (const auto& job : batch) {
        job->result.set_value(y.rows(row, row + job->rows()));
        row += job->rows();
      }
      return;
    } catch (const std::exception&) {
      // One of them is at fault: alone, each gets its own answer or its own error.
    }
  }
  for (const auto& job : batch) {
    try {
      job->result.set_value(run_parts(job->x));
    } catch (const std::exception&) {
      job->result.set_exception(std::current_exception());
    }
  }
}

Tensor Batcher::run_parts(const Tensor& x) {
  const int64_t rows = x.size(0);
  std::vector<Tensor> parts;
  for (int64_t begin = 0; begin < rows; begin += options_.max_batch) {
    const int64_t end = std::min(begin + options_.max_batch, rows);
    const Tensor part = end - begin == rows ? x : x.rows(begin, end);
    if (on_batch_) on_batch_(end - begin);
    parts.push_back(run_(part));
    DANLU_CHECK(parts.back().rank() >= 1 && parts.back().size(0) == end - begin, "a model answers each row");
  }
  return parts.size() == 1 ? parts.front() : concatenate_rows(parts);
}

}  // namespace danlu::serve
