#include "danlu/eval/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "danlu/eval/testing.h"

namespace danlu::eval {
namespace {

using testing::HasSubstr;

TEST(Metrics, NamesAreUnique) {
  std::set<std::string> names, displays;
  for (const Metric& metric : all_metrics()) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_TRUE(displays.insert(metric.display).second) << metric.display;
    EXPECT_NE(metric.tasks, 0) << metric.name;
  }
}

TEST(Metrics, DefaultsExist) {
  for (const Task task : {Task::binary, Task::multiclass, Task::regression}) {
    EXPECT_FALSE(default_metrics(task).empty());
    for (const std::string& name : default_metrics(task)) EXPECT_EQ(find_metric(name, task).name, name);
  }
}

TEST(Metrics, UnknownNamesGetTheNearest) {
  const auto words = [](std::string_view name, Task task) {
    return error_of<ConfigError>([&] { find_metric(name, task); });
  };
  EXPECT_THAT(words("acuracy", Task::binary),
              HasSubstr("got metric \"acuracy\"; expected one of a binary task; did you mean \"accuracy\"?"));
  EXPECT_THAT(words("rmse", Task::multiclass), HasSubstr("expected one of a multiclass task"));
  EXPECT_THAT(words("", Task::regression), HasSubstr("it has mse, rmse, mae, r2"));
}

TEST(Metrics, BetterFollowsTheDirection) {
  const Metric& accuracy = find_metric("accuracy", Task::binary);
  const Metric& loss = find_metric("log_loss", Task::binary);
  EXPECT_TRUE(accuracy.is_better(0.9, 0.8));
  EXPECT_FALSE(accuracy.is_better(0.8, 0.8));
  EXPECT_TRUE(loss.is_better(0.1, 0.2));
  EXPECT_TRUE(loss.is_better(0.1, std::nan("")));
  EXPECT_FALSE(loss.is_better(std::nan(""), 0.1));
  EXPECT_FALSE(loss.is_better(std::nan(""), std::nan("")));
}

TEST(Metrics, ComputesByName) {
  const std::vector<int64_t> labels{0, 1, 1, 0};
  const std::vector<double> positive{0.1, 0.9, 0.4, 0.2};
  const Predictions p = Predictions::classification(labels, positive, 2);
  EXPECT_EQ(compute_metric("accuracy", p), 0.75);
  EXPECT_EQ(compute_metric("auc", p), 1);
  EXPECT_EQ(compute_metric("recall", p), 0.5);
}

}  // namespace
}  // namespace danlu::eval
