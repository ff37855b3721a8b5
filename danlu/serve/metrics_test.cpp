#include "danlu/serve/metrics.h"

#include <gtest/gtest.h>

#include <thread>

namespace danlu::serve {
namespace {

TEST(Metrics, CounterRendersHelpTypeAndEscapedLabels) {
  Counter counter("hits_total", "Hits.", {"model", "class"});
  counter.add({"iris", "a\"b\\c\nd"});
  counter.add({"iris", "a\"b\\c\nd"}, 2);
  std::string text;
  counter.render(text);
  EXPECT_EQ(text,
            "# HELP hits_total Hits.\n# TYPE hits_total counter\n"
            "hits_total{model=\"iris\",class=\"a\\\"b\\\\c\\nd\"} 3\n");
}

TEST(Metrics, HistogramBucketsAreCumulativeAndIncludeTheirBound) {
  Histogram histogram("t_seconds", "Time.", {"route"}, {0.1, 1});
  for (const double value : {0.05, 0.1, 0.5, 7.0}) histogram.observe({"/x"}, value);
  std::string text;
  histogram.render(text);
  EXPECT_EQ(text,
            "# HELP t_seconds Time.\n# TYPE t_seconds histogram\n"
            "t_seconds_bucket{route=\"/x\",le=\"0.1\"} 2\n"
            "t_seconds_bucket{route=\"/x\",le=\"1\"} 3\n"
            "t_seconds_bucket{route=\"/x\",le=\"+Inf\"} 4\n"
            "t_seconds_sum{route=\"/x\"} 7.65\n"
            "t_seconds_count{route=\"/x\"} 4\n");
}

TEST(Metrics, CountsFromManyThreads) {
  Counter counter("n", "N.", {});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) counter.add({});
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::string text;
  counter.render(text);
  EXPECT_NE(text.find("\nn 4000\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace danlu::serve
