#include "danlu/app/recipe/cost.h"

#include <gtest/gtest.h>

namespace danlu::app {
namespace {

TEST(Cost, OfAThousandAnswers) {
  const Json cost = per_thousand(50, {.seconds = 0.2, .cpu_seconds = 0.3}, 1.8);
  EXPECT_DOUBLE_EQ(cost["seconds"].get<double>(), 4);
  EXPECT_DOUBLE_EQ(cost["cpu_seconds"].get<double>(), 6);
  EXPECT_DOUBLE_EQ(cost["price"].get<double>(), 0.002);  // 4 s of 3600 at 1.8
  EXPECT_TRUE(per_thousand(50, {.seconds = 0.2, .cpu_seconds = 0.3}, std::nullopt)["price"].is_null());
  EXPECT_EQ(per_thousand(50, {.seconds = 0.2, .cpu_seconds = 0.3}, 0)["price"], 0) << "a machine of one's own";
  EXPECT_TRUE(per_thousand(0, {.seconds = 0.2, .cpu_seconds = 0.3}, 1.8).is_null());
}

TEST(Cost, Prices) {
  EXPECT_EQ(price_text(0), "0");
  EXPECT_EQ(price_text(0.00012345), "0.00012");
  EXPECT_EQ(price_text(0.25), "0.25");
  EXPECT_EQ(price_text(3e-6), "0.0000030");
  EXPECT_EQ(price_text(1e-20), "0.000000000000");
  EXPECT_EQ(price_text(1234.4), "1234");
}

TEST(Cost, OnTheCard) {
  const Json info = {{"cpu", "Abacus 9"}, {"threads", 2}, {"training", {{"seconds", 65.0}, {"cpu_seconds", 121.5}, {"peak_memory_bytes", 16556032}}}};
  Json report = {{"samples_per_second", 1234.5},
                 {"latency", {{"one sample", {{"p50_ms", 0.25}, {"p95_ms", 0.5}, {"p99_ms", 1.0}, {"count", 300}}}}},
                 {"cost", {{"predictions in batches", per_thousand(1000, {1.8, 3}, 2)}}},
                 {"price_per_hour", 2}};
  EXPECT_EQ(cost_text(info, report),
            "## What it takes\n\nMeasured on Abacus 9, 2 threads.\n\n"
            "- training: 1 min 05 s, 122 CPU-seconds, at most 16.6 MB of memory\n"
            "- one sample: p50 0.25 ms, p95 0.5 ms, p99 1 ms\n"
            "- throughput: 1234 samples a second, in batches\n"
            "- 1,000 predictions in batches: 3 CPU-seconds, 0.001 where an hour of the machine costs 2\n");
  report["price_per_hour"] = nullptr;
  report["cost"]["predictions in batches"]["price"] = nullptr;
  EXPECT_EQ(cost_text(Json::object(), report).find("costs"), std::string::npos) << "no price is made up";
  EXPECT_EQ(cost_text(Json::object(), Json::object()), "");
  // A model that generates nothing in time has no latency.
  EXPECT_EQ(cost_text(Json::object(), {{"latency", {{"next token", nullptr}}}, {"cost", {{"tokens", nullptr}}}}), "");
}

}  // namespace
}  // namespace danlu::app
