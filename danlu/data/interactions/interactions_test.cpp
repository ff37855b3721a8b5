#include "danlu/data/interactions/interactions.h"

#include <gmock/gmock.h>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/interactions/leave_last_out.h"
#include "danlu/data/interactions/report.h"
#include "danlu/data/table/csv.h"

namespace danlu::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Interactions read(const std::string& text, InteractionOptions options = {}) { return read_interactions(parse_csv(text, "visits.csv"), options); }

// The names of what a user met, in order.
std::vector<std::string> met(const Interactions& all, size_t user) {
  std::vector<std::string> names;
  for (const auto& event : all.events[user]) names.push_back(all.items[static_cast<size_t>(event.item)]);
  return names;
}

TEST(Interactions, AreSortedByTimeAndEachItemCountsOnce) {
  InteractionOptions options;
  options.time = "when";
  options.title = "title";
  options.item_features = {"kinds"};
  const Interactions all = read(
      "user,item,when,title,kinds\n"
      "u,c,30,Sea,x|y\n"
      "u,a,10,Air,y\n"
      "v,a,2024-01-05,Air,\n"
      "u,b,20,,\n"
      "u,a,40,Air,y\n",
      options);
  EXPECT_THAT(all.users, ElementsAre("u", "v"));
  EXPECT_THAT(met(all, 0), ElementsAre("a", "b", "c"));
  EXPECT_EQ(all.repeated_rows, 1);
  EXPECT_THAT(all.titles, ElementsAre("Sea", "Air", ""));
  EXPECT_THAT(all.item_features.names, ElementsAre("kinds: x", "kinds: y"));
  EXPECT_THAT(all.item_features.of[0], ElementsAre(0, 1));
  EXPECT_TRUE(all.item_features.of[2].empty());
}

TEST(Interactions, TiesAreNotInTheOrderOfTheTable) {
  InteractionOptions options;
  options.time = "when";
  std::string rows, reversed;
  for (int item = 0; item < 20; ++item) {
    const std::string row = fmt::format("u,{},7\n", item);
    rows += row;
    reversed = row + reversed;
  }
  const Interactions all = read("user,item,when\n" + rows, options), again = read("user,item,when\n" + reversed, options);
  EXPECT_EQ(met(all, 0), met(again, 0)) << "nor does it matter";
  EXPECT_NE(met(all, 0), all.items);
  EXPECT_EQ(all.tied_rows, 20);
  EXPECT_THAT(met(read("user,item\nu,3\nu,1\nu,2\n"), 0), ElementsAre("3", "1", "2")) << "without a time the order of the rows is all there is";
}

TEST(Interactions, RatingsLeaveOutRows) {
  InteractionOptions options;
  options.rating = "stars";
  options.min_rating = 3;
  const Interactions all = read("user,item,stars\nu,a,5\nu,b,1\nu,c,3\n", options);
  EXPECT_THAT(met(all, 0), ElementsAre("a", "c"));
  EXPECT_EQ(all.low_rows, 1);
  EXPECT_THROW(read("user,item,stars\nu,a,five\n", options), DataError);
  options.on_bad_row = "drop";
  EXPECT_EQ(read("user,item,stars\nu,a,five\nu,b,4\n", options).bad_rows, 1);
  EXPECT_THROW(read("user,item,stars\nu,a,five\n", options), DataError) << "nothing is left";
}

TEST(LeaveLastOut, HoldsOutTheLastTwo) {
  const Interactions all = read("user,item\nu,a\nu,b\nu,c\nv,b\nv,new\nw,a\nx,c\nx,a\nx,b\nx,d\n");
  const LeaveLastOut split = leave_last_out(all, true);
  EXPECT_THAT(split.training, ElementsAre(1, 1, 1, 2));
  EXPECT_THAT(split.training_rows, ElementsAre(0, 3, 5, 6, 7));
  EXPECT_THAT(split.validation_rows, ElementsAre(1, 8));
  EXPECT_THAT(split.test_rows, ElementsAre(2, 4, 9));
  ASSERT_EQ(split.catalogue.num_items(), 3) << "new and d are met in no training row";
  EXPECT_EQ(split.catalogue.items()[0].count, 3);
  const int64_t a = *split.catalogue.find_item("a"), b = *split.catalogue.find_item("b"), c = *split.catalogue.find_item("c");
  EXPECT_THAT(split.validation, ElementsAre(b, LeaveLastOut::kNone, LeaveLastOut::kNone, b));
  EXPECT_THAT(split.test, ElementsAre(c, LeaveLastOut::kUnlearnt, LeaveLastOut::kNone, LeaveLastOut::kUnlearnt));
  EXPECT_THAT(split.before_validation(3), ElementsAre(c, a));
  EXPECT_THAT(split.before_test(3), ElementsAre(c, a, b));
  EXPECT_THAT(split.catalogue.users()[0].history, ElementsAre(a, b, c)) << "whole, to answer with";
  EXPECT_THAT(leave_last_out(all, false).training, ElementsAre(2, 1, 1, 3));
  EXPECT_THROW(leave_last_out(read("user,item\nu,a\nv,a\n"), true), DataError);
  EXPECT_THAT(report_interactions(all, split, "visits.csv").text, HasSubstr("2 of 3 test items occur in no training row"));
}

TEST(Catalogue, ComesBackFromItsFile) {
  const Catalogue catalogue({{"a", "Air", 3, {0}}, {"b", "", 1, {}}}, {{"u", {1, 0}, {}}}, {"kind: x"}, {});
  const Catalogue again = Catalogue::from_json(catalogue.to_json(), "catalogue.json");
  EXPECT_EQ(again.to_json(), catalogue.to_json());
  EXPECT_EQ(again.find_item("b"), 1);
  EXPECT_EQ(again.find_user("nobody"), std::nullopt);
}

TEST(Catalogue, DamagedFilesAreRefused) {
  const Json good = Catalogue({{"a", "Air", 3, {0}}}, {{"u", {0}, {}}}, {"kind: x"}, {}).to_json();
  const auto refused = [&](const char* pointer, const Json& value) {
    Json json = good;
    json[Json::json_pointer(pointer)] = value;
    EXPECT_THROW(Catalogue::from_json(json, "catalogue.json"), DataError) << pointer;
  };
  refused("/items", 3);
  refused("/items/0/id", 3);
  refused("/items/0/features", {1});
  refused("/items", Json::array());
  refused("/items/1", good["items"][0]);
  refused("/users/0/history", {-1});
  refused("/users/0/history", {1});
  refused("/users/0/history", "0");
  refused("/users", nullptr);
  EXPECT_THROW(Catalogue::from_json(Json::array(), "catalogue.json"), DataError);
}

}  // namespace
}  // namespace danlu::data
