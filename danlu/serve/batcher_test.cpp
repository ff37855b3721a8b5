#include "danlu/serve/batcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "danlu/base/timer.h"

namespace danlu::serve {
namespace {

using namespace std::chrono_literals;

// y = 2x + 1, element by element.
Tensor affine(const Tensor& x) {
  Tensor y = x.clone();
  for (float& value : y.mutable_span()) value = 2 * value + 1;
  return y;
}

Tensor row(float value, int64_t width = 1) { return Tensor::full({1, width}, value); }

// Holds a model until it is opened.
class Gate {
 public:
  void open() { opened_.set_value(); }
  void wait() { future_.wait(); }

 private:
  std::promise<void> opened_;
  std::shared_future<void> future_{opened_.get_future()};
};

TEST(Batcher, GivesEachCallerItsOwnRows) {
  Batcher batcher({.max_batch = 16}, affine);
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        const float value = static_cast<float>(t * 1000 + i);
        const int64_t rows = 1 + i % 3, width = 1 + t % 2;
        const Tensor y = batcher.run(Tensor::full({rows, width}, value));
        if (y.shape() != Shape{rows, width}) ++wrong;
        for (const float got : y.span()) wrong += got != 2 * value + 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Batcher, CollectsWhatWaitsWhileTheModelRuns) {
  Gate gate;
  std::vector<int64_t> batches;
  Batcher batcher(
      {.max_batch = 4},
      [&](const Tensor& x) {
        gate.wait();
        return affine(x);
      },
      [&](int64_t rows) { batches.push_back(rows); });
  std::vector<std::future<Tensor>> answers;
  for (int i = 0; i < 7; ++i) {
    answers.push_back(std::async(std::launch::async, [&] { return batcher.run(row(1)); }));
    while (i == 0 && batcher.queued_rows() > 0) std::this_thread::yield();
    if (i == 0) std::this_thread::sleep_for(20ms);  // the first is running, alone
  }
  while (batcher.queued_rows() < 6) std::this_thread::sleep_for(1ms);
  gate.open();
  for (auto& answer : answers) EXPECT_EQ(answer.get().item(), 3);
  batcher.stop();
  EXPECT_EQ(batches, (std::vector<int64_t>{1, 4, 2}));
}

TEST(Batcher, RunsALargeRequestInParts) {
  std::vector<int64_t> batches;
  Batcher batcher({.max_batch = 4}, affine, [&](int64_t rows) { batches.push_back(rows); });
  std::vector<float> values(10);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  const Tensor y = batcher.run(Tensor::from({10, 1}, values));
  for (int64_t i = 0; i < 10; ++i) EXPECT_EQ(y.span()[static_cast<size_t>(i)], static_cast<float>(2 * i + 1));
  batcher.stop();
  EXPECT_EQ(batches, (std::vector<int64_t>{4, 4, 2}));
}

TEST(Batcher, RefusesWhatDoesNotFitInTheQueue) {
  Gate gate;
  Batcher batcher({.queue_capacity = 3}, [&](const Tensor& x) {
    gate.wait();
    return affine(x);
  });
  auto running = std::async(std::launch::async, [&] { return batcher.run(row(1)); });
  std::this_thread::sleep_for(50ms);
  auto waiting = std::async(std::launch::async, [&] { return batcher.run(Tensor::full({2, 1}, 1)); });
  while (batcher.queued_rows() < 2) std::this_thread::sleep_for(1ms);
  try {
    batcher.run(Tensor::full({2, 1}, 1));
    FAIL() << "expected QueueFull";
  } catch (const QueueFull& error) {
    EXPECT_EQ(error.message(), "2 rows wait already and 2 more do not fit in the queue of 3; try again later");
  }
  gate.open();
  EXPECT_EQ(running.get().item(), 3);
  EXPECT_EQ(waiting.get().size(0), 2);
  EXPECT_EQ(batcher.run(row(2)).item(), 5);  // recovered
}

TEST(Batcher, AnswersWithinTheDeadline) {
  Gate gate;
  std::atomic<int> runs{0};
  Batcher batcher({.deadline_ms = 50}, [&](const Tensor& x) {
    ++runs;
    gate.wait();
    return affine(x);
  });
  auto running = std::async(std::launch::async, [&] { return batcher.run(row(1)); });
  std::this_thread::sleep_for(10ms);
  const Timer timer;
  EXPECT_THROW(batcher.run(row(1)), DeadlinePassed);
  EXPECT_LT(timer.seconds(), 1);
  EXPECT_THROW(running.get(), DeadlinePassed);  // a run that takes too long is late too
  gate.open();
  EXPECT_EQ(batcher.run(row(4)).item(), 9);
  EXPECT_EQ(runs, 2);  // the late one in the queue was dropped, not run
}

TEST(Batcher, GivesAnExceptionToTheCallerAtFaultAlone) {
  Gate gate;
  Batcher batcher({}, [&](const Tensor& x) {
    gate.wait();
    for (const float value : x.span()) {
      if (value < 0) throw DataError("model", "negative");
    }
    return affine(x);
  });
  auto first = std::async(std::launch::async, [&] { return batcher.run(row(0)); });
  std::this_thread::sleep_for(20ms);
  auto good = std::async(std::launch::async, [&] { return batcher.run(row(5)); });
  auto bad = std::async(std::launch::async, [&] { return batcher.run(row(-1)); });
  while (batcher.queued_rows() < 2) std::this_thread::sleep_for(1ms);
  gate.open();
  EXPECT_EQ(first.get().item(), 1);
  EXPECT_EQ(good.get().item(), 11);
  EXPECT_THROW(bad.get(), DataError);
}

TEST(Batcher, WaitsForOthersNoLongerThanTold) {
  std::vector<int64_t> batches;
  Batcher batcher({.max_batch = 2, .batch_wait_ms = 300}, affine, [&](int64_t rows) { batches.push_back(rows); });
  const Timer pair;
  auto other = std::async(std::launch::async, [&] { return batcher.run(row(1)); });
  batcher.run(row(1));
  other.get();
  EXPECT_LT(pair.seconds(), 0.25);  // a full batch does not wait
  const Timer lone;
  batcher.run(row(1));
  EXPECT_GE(lone.seconds(), 0.29);
  EXPECT_LT(lone.seconds(), 1.5);
  batcher.stop();
  EXPECT_EQ(batches, (std::vector<int64_t>{2, 1}));
}

TEST(Batcher, StopAnswersTheQueueAndRefusesTheRest) {
  Gate gate;
  Batcher batcher({}, [&](const Tensor& x) {
    gate.wait();
    return affine(x);
  });
  std::vector<std::future<Tensor>> answers;
  for (int i = 0; i < 5; ++i) answers.push_back(std::async(std::launch::async, [&] { return batcher.run(row(1)); }));
  std::this_thread::sleep_for(50ms);
  auto stopped = std::async(std::launch::async, [&] { batcher.stop(); });
  std::this_thread::sleep_for(20ms);
  EXPECT_THROW(batcher.run(row(1)), Stopped);
  gate.open();
  stopped.get();
  for (auto& answer : answers) EXPECT_EQ(answer.get().item(), 3);
}

}  // namespace
}  // namespace danlu::serve
