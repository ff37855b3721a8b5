#include "danlu/data/interactions/report.h"

#include <algorithm>

#include "danlu/base/format.h"

namespace danlu::data {
namespace {

constexpr size_t kShown = 5;               // items that were met most often
constexpr double kManyUnlearnt = 0.1;      // of the test
constexpr double kManyTied = 0.5;          // of the rows
constexpr int64_t kFewUsers = 100;         // to measure on

Json spread(std::vector<int64_t> counts) {
  std::sort(counts.begin(), counts.end());
  return {{"least", counts.front()}, {"median", counts[counts.size() / 2]}, {"most", counts.back()}};
}

std::string spread_text(const Json& s) { return fmt::format("{} to {}, median {}", to_line(s["least"]), to_line(s["most"]), to_line(s["median"])); }

class Findings {
 public:
  void add(bool applies, const char* severity, const char* check, const std::string& text) {
    if (applies) list.push_back({{"severity", severity}, {"check", check}, {"column", ""}, {"text", text}});
  }
  Json list = Json::array();
};

}  // namespace

InteractionReport report_interactions(const Interactions& all, const LeaveLastOut& split, const std::string& source) {
  std::vector<int64_t> per_user, per_item;
  int64_t single = 0;
  for (const auto& events : all.events) {
    per_user.push_back(std::ssize(events));
    single += events.size() == 1;
  }
  std::vector<const Catalogue::Item*> popular;
  for (const Catalogue::Item& item : split.catalogue.items()) {
    per_item.push_back(item.count);
    popular.push_back(&item);
  }
  std::stable_sort(popular.begin(), popular.end(), [](const auto* a, const auto* b) { return a->count > b->count; });
  const int64_t unlearnt = std::count(split.test.begin(), split.test.end(), LeaveLastOut::kUnlearnt);
  const auto users = std::ssize(all.users), items = std::ssize(all.items), tested = std::ssize(split.test_rows);
  const double density = static_cast<double>(all.size()) / (static_cast<double>(users) * static_cast<double>(items));

  Findings found;
  found.add(!all.has_times, "warning", "time", "no column says when: the order of the rows stands for it; if they are in another order, set data.interactions.time, or the last ones are not the last");
  found.add(static_cast<double>(all.tied_rows) > kManyTied * static_cast<double>(all.rows), "warning", "ties",
            fmt::format("{} rows are of the same user and time as another: which of them came first is left to chance", all.tied_rows));
  found.add(static_cast<double>(unlearnt) > kManyUnlearnt * static_cast<double>(tested), "warning", "new items",
            fmt::format("{} of {} test items occur in no training row: no model can find them, and each counts as missed", unlearnt, tested));
  found.add(tested < kFewUsers, "warning", "users", fmt::format("{} users can be tested on: the intervals will be wide", tested));
  found.add(single > 0, "note", "single", fmt::format("{} users have one interaction: they train and are not measured", single));
  found.add(all.repeated_rows > 0, "note", "repeated", fmt::format("{} rows are of an item that the user had met before; the first time counts", all.repeated_rows));
  found.add(all.bad_rows > 0, "note", "bad rows", fmt::format("{} rows without user, item or time, or with a rating that is no number, are left out", all.bad_rows));
  found.add(all.low_rows > 0, "note", "low ratings", fmt::format("{} rows with a low rating are left out", all.low_rows));

  InteractionReport report;
  Json top = Json::array();
  for (size_t i = 0; i < std::min(kShown, popular.size()); ++i) top.push_back({{"item", popular[i]->id}, {"title", popular[i]->title}, {"count", popular[i]->count}});
  report.json = {{"source", source}, {"rows", all.rows}, {"users", users}, {"items", items}, {"interactions", all.size()}, {"density", density},
                 {"of a user", spread(per_user)}, {"of an item", spread(per_item)},
                 {"train", split.training_rows.size()}, {"validation", split.validation_rows.size()}, {"test", tested}, {"test_unlearnt", unlearnt},
                 {"catalogue", split.catalogue.num_items()}, {"duplicates", all.repeated_rows}, {"most_met", top}, {"findings", found.list}};
  report.text = fmt::format(
      "{}: {} rows, {} interactions of {} users with {} items, {:.2f} % of all pairs\n"
      "of a user   {}\nof an item  {}\n"
      "leave last out: {} to train, {} to validate, {} to test; {} items can be recommended\n",
      source, all.rows, all.size(), users, items, 100 * density, spread_text(report.json["of a user"]), spread_text(report.json["of an item"]), split.training_rows.size(),
      split.validation_rows.size(), tested, split.catalogue.num_items());
  for (const Json& item : top) report.text += fmt::format("  {:>6}  {}\n", to_line(item["count"]), item["title"] == "" ? item["item"].get<std::string>() : item["title"].get<std::string>());
  for (const Json& f : found.list) report.text += fmt::format("{}: {}\n", f["severity"].get<std::string>(), f["text"].get<std::string>());
  return report;
}

}  // namespace danlu::data
