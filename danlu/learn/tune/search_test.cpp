#include "danlu/learn/tune/search.h"

#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <set>

#include "danlu/base/error.h"
#include "danlu/base/temporary_directory.h"
#include "danlu/learn/tune/importance.h"
#include "danlu/learn/tune/journal.h"

namespace danlu::tune {
namespace {

using testing::HasSubstr;

const Space kSpace = {Parameter::real("x", 0, 1), Parameter::choice("kind", {"a", "b"})};

TuneOptions with(const std::string& method, int64_t trials) {
  TuneOptions options;
  options.method = method;
  options.trials = trials;
  return options;
}

// A training: the longer it goes on, the nearer its loss comes to that of its point. It has kLength units.
constexpr double kLength = 9;
double loss_after(const Point& point, double units) { return std::abs(point[0] - 0.3) + point[1] + 1 / (1 + std::min(units, kLength)); }

Json play(const Search& search, const Task& task) {
  const double wanted = task.rung ? search.resource(*task.rung) : kLength;
  const double loss = loss_after(task.point, wanted);
  if (task.rung && wanted < kLength) return Search::rung(task, loss, 1, {});
  return Search::finished(task, loss, 1, {});
}

std::vector<Json> run(Search& search, std::vector<Json> events = {}, size_t most = 1000) {
  for (const Json& event : events) search.apply(event);
  const auto add = [&](const Json& event) {
    if (events.size() >= most) return;
    events.push_back(event);
    search.apply(event);
  };
  while (const auto task = search.next()) {
    if (events.size() >= most) break;
    if (task->begins) add(search.begin(*task));
    add(play(search, *task));
  }
  return events;
}

TEST(Search, TrialsFollowOneAnother) {
  for (const char* method : {"random", "tpe", "grid"}) {
    Search search(kSpace, with(method, 8), false);
    run(search);
    ASSERT_EQ(search.trials().size(), 8u) << method;
    for (const Trial& trial : search.trials()) EXPECT_EQ(trial.state, Trial::State::finished);
    EXPECT_EQ(search.best(), search.ranking().front());
    EXPECT_FALSE(search.next());
  }
}

TEST(Search, GoesOnFromAnyOfItsEvents) {
  for (const char* method : {"random", "tpe", "grid", "asha"}) {
    SCOPED_TRACE(method);
    Search straight(kSpace, with(method, 14), false);
    const std::vector<Json> all = run(straight);
    for (size_t cut = 0; cut < all.size(); ++cut) {
      Search first(kSpace, with(method, 14), false), second(kSpace, with(method, 14), false);
      EXPECT_EQ(run(second, run(first, {}, cut)), all) << "cut after " << cut;
    }
  }
}

TEST(Search, MaximizesOnRequest) {
  Search search(kSpace, with("random", 8), true);
  run(search);
  for (const Trial& trial : search.trials()) EXPECT_LE(*trial.value, *search.best()->value);
}

TEST(Search, WhenTimeIsUpNothingBegins) {
  Search search(kSpace, with("random", 8), false);
  const Task task = *search.next();
  search.apply(search.begin(task));
  EXPECT_EQ(search.next(true)->trial, 1) << "what is under way is ended";
  search.apply(Search::finished(task, 1, 1, {}));
  EXPECT_FALSE(search.next(true));
  EXPECT_TRUE(search.next(false));
}

TEST(SuccessiveHalving, TheBestGoOn) {
  TuneOptions options = with("asha", 27);
  options.asha.sampler = "random";
  Search search(kSpace, options, false);
  run(search);
  // Synchronous halving: 27 trials, the best 9 of them to 3 units, the best 3 of those to 9.
  std::vector<size_t> reached(4);
  double best_point = INFINITY;
  for (const Trial& trial : search.trials()) {
    for (size_t rung = 0; rung < trial.rungs.size(); ++rung) ++reached[rung];
    best_point = std::min(best_point, loss_after(trial.point, 0));
  }
  EXPECT_EQ(reached[0], 27u);
  EXPECT_GE(reached[1], 9u);
  EXPECT_LE(reached[1], 14u) << "some that seemed good early on are promoted besides";
  EXPECT_GE(reached[2], 3u);
  EXPECT_LE(reached[2], 6u);
  EXPECT_EQ(search.best()->state, Trial::State::finished);
  EXPECT_DOUBLE_EQ(loss_after(search.best()->point, 0), best_point) << "the best of all was never dropped";
}

TEST(SuccessiveHalving, OneInThreeIsPromotedAndAFailureNever) {
  TuneOptions options = with("asha", 6);
  options.asha.sampler = "random";
  Search search(kSpace, options, false);
  const std::vector<std::optional<double>> values = {0.5, std::nullopt, 0.2, 0.4, 0.9, 0.8};
  std::vector<int64_t> order;
  size_t begun = 0;
  while (order.size() < 8) {
    const Task task = *search.next();
    order.push_back(task.trial);
    if (!task.begins) {
      search.apply(Search::rung(task, 0.1, 1, {}));
      continue;
    }
    search.apply(search.begin(task));
    const std::optional<double> value = values[begun++];
    search.apply(value ? Search::rung(task, *value, 1, {}) : Search::failed(task, "diverged", 1));
  }
  EXPECT_THAT(order, testing::ElementsAre(1, 2, 3, 3, 4, 5, 6, 4));
  const Task last = *search.next();
  EXPECT_EQ(last.trial, 3) << "the best is trained to its end";
  EXPECT_FALSE(last.rung);
}

TEST(Search, RefusesEventsThatCannotBe) {
  Search search(kSpace, with("random", 8), false);
  const Task task = *search.next();
  EXPECT_THROW(search.apply(Search::finished(task, 1, 1, {})), DataError);
  search.apply(search.begin(task));
  EXPECT_THROW(search.apply(search.begin(task)), DataError);
  EXPECT_THROW(search.apply({{"event", "begin"}, {"trial", 2}, {"params", {{"y", 1}}}}), DataError);
  EXPECT_THROW(search.apply({{"event", "end"}, {"trial", 1}}), DataError);
  EXPECT_THROW(search.apply({{"event", "dance"}, {"trial", 1}, {"seconds", 1}}), DataError);
  EXPECT_THROW(search.apply(3), DataError);
}

TEST(Journal, IsWholeAgainAfterACutOffLine) {
  const TemporaryDirectory directory;
  const fs::path path = directory / "trials.jsonl";
  {
    Journal journal(path);
    EXPECT_TRUE(journal.events().empty());
    journal.append({{"trial", 1}});
    journal.append({{"trial", 2}});
  }
  std::ofstream(path, std::ios::app) << R"({"trial": 3, "par)";
  {
    Journal journal(path);
    EXPECT_EQ(journal.events().size(), 2u);
    journal.append({{"trial", 3}});
  }
  EXPECT_EQ(read_file(path), "{\"trial\":1}\n{\"trial\":2}\n{\"trial\":3}\n");
  write_file_atomic(path, "{\"trial\":1}\nnonsense\n{\"trial\":3}\n");
  try {
    Journal journal(path);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("trials.jsonl line 2"));
  }
}

TEST(Importance, TellsWhatMatters) {
  const Space space = {Parameter::real("much", 0, 1), Parameter::choice("some", {0, 1, 2}), Parameter::real("nothing", 0, 1)};
  std::vector<Point> points;
  std::vector<double> costs;
  Rng rng(3);
  for (int i = 0; i < 200; ++i) {
    points.push_back(random_point(space, rng));
    costs.push_back(4 * points.back()[0] + points.back()[1] + 0.1 * rng.uniform());
  }
  const std::vector<double> parts = importance(space, points, costs);
  EXPECT_GT(parts[0], 0.5);
  EXPECT_GT(parts[1], 0.1);
  EXPECT_LT(parts[1], 0.4);
  EXPECT_LT(parts[2], 0.05);
  costs[0] = 1e30;  // one trial that diverged
  EXPECT_NEAR(importance(space, points, costs)[0], parts[0], 0.05);
  EXPECT_EQ(importance(space, std::span(points).first(3), std::span(costs).first(3)), (std::vector<double>(3, 0.0)));
}

}  // namespace
}  // namespace danlu::tune
