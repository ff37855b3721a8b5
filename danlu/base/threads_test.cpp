#include "danlu/base/threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

namespace danlu {
namespace {

// Restores the number of threads at the end of a test.
class ThreadsTest : public testing::Test {
 protected:
  ~ThreadsTest() override { set_num_threads(before_); }
  int before_ = num_threads();
};

TEST_F(ThreadsTest, EveryItemOnceWhateverTheThreads) {
  for (const int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    EXPECT_EQ(num_threads(), threads);
    for (const int64_t n : {0, 1, 7, 8, 9, 1000}) {
      std::vector<std::atomic<int>> visits(static_cast<size_t>(n));
      parallel_for(n, 8, [&](int64_t begin, int64_t end) {
        EXPECT_EQ(begin % 8, 0);
        EXPECT_TRUE(end % 8 == 0 || end == n);
        for (int64_t i = begin; i < end; ++i) ++visits[static_cast<size_t>(i)];
      });
      for (const auto& count : visits) ASSERT_EQ(count, 1) << n << " items, " << threads << " threads";
    }
  }
}

TEST_F(ThreadsTest, BelowTheGrainStaysOnTheCallingThread) {
  set_num_threads(4);
  int calls = 0;
  parallel_for(100, 100, [&](int64_t begin, int64_t end) {
    ++calls;
    EXPECT_EQ(begin, 0);
    EXPECT_EQ(end, 100);
  });
  EXPECT_EQ(calls, 1);
}

TEST_F(ThreadsTest, ExceptionsReachTheCaller) {
  for (const int threads : {1, 4}) {
    set_num_threads(threads);
    EXPECT_THROW(parallel_for(64, 1,
                              [](int64_t begin, int64_t) {
                                if (begin == 0) throw std::runtime_error("inside");
                              }),
                 std::runtime_error);
  }
}

TEST_F(ThreadsTest, NestedLoopsRunSerially) {
  set_num_threads(4);
  std::atomic<int64_t> total{0};
  parallel_for(16, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) parallel_for(100, 1, [&](int64_t b, int64_t e) { total += e - b; });
  });
  EXPECT_EQ(total, 1600);
}

TEST_F(ThreadsTest, SettingAppliesToTheCallingThreadOnly) {
  set_num_threads(3);
  std::thread([] { set_num_threads(1); }).join();
  EXPECT_EQ(num_threads(), 3);
}

}  // namespace
}  // namespace danlu
