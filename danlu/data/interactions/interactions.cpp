#include "danlu/data/interactions/interactions.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/table/values.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.interactions";

// Names as they come, with a number for each.
class Names {
 public:
  int64_t add(Cell name) {
    const auto [at, is_new] = numbers_.try_emplace(std::string(name), static_cast<int64_t>(names.size()));
    if (is_new) names.emplace_back(name);
    return at->second;
  }
  std::vector<std::string> names;

 private:
  std::unordered_map<std::string, int64_t> numbers_;
};

// One column of features, or none.
class FeatureColumns {
 public:
  FeatureColumns(const Table& table, const std::vector<std::string>& columns, const std::string& separator) : table_(table), separator_(separator) {
    for (const std::string& name : columns) columns_.push_back(table.column_index(name));
  }

  void read(int64_t row, int64_t owner) {
    if (columns_.empty()) return;
    if (owner >= static_cast<int64_t>(features_.of.size())) features_.of.resize(static_cast<size_t>(owner) + 1);
    std::vector<int64_t>& own = features_.of[static_cast<size_t>(owner)];
    if (!own.empty()) return;
    for (const int64_t column : columns_) {
      const Cell cell = table_.cell(row, column);
      if (is_missing(cell)) continue;
      for (const std::string_view word : split(cell)) {
        const int64_t feature = names_.add(fmt::format("{}: {}", table_.column(column).name, word));
        if (std::find(own.begin(), own.end(), feature) == own.end()) own.push_back(feature);
      }
    }
  }

  Features take(size_t owners) {
    features_.of.resize(owners);
    features_.names = std::move(names_.names);
    return std::move(features_);
  }

 private:
  std::vector<std::string_view> split(std::string_view text) const {
    std::vector<std::string_view> words;
    while (!text.empty()) {
      const size_t end = separator_.empty() ? std::string_view::npos : text.find(separator_);
      const std::string_view word = text.substr(0, end);
      if (!word.empty()) words.push_back(word);
      text = end == std::string_view::npos ? std::string_view() : text.substr(end + separator_.size());
    }
    return words;
  }

  const Table& table_;
  const std::string& separator_;
  std::vector<int64_t> columns_;
  Names names_;
  Features features_;
};

class Reader {
 public:
  Reader(const Table& table, const InteractionOptions& options)
      : table_(table),
        options_(options),
        user_(table.column_index(options.user)),
        item_(table.column_index(options.item)),
        time_(column(options.time)),
        rating_(column(options.rating)),
        title_(column(options.title)),
        item_features_(table, options.item_features, options.separator),
        user_features_(table, options.user_features, options.separator) {
    if (options.min_rating && !rating_) throw ConfigError(kWhere, "min_rating needs the column that the ratings are in; set data.interactions.rating");
  }

  Interactions read() {
    found_.rows = table_.num_rows();
    found_.has_times = time_.has_value();
    for (int64_t row = 0; row < table_.num_rows(); ++row) {
      const std::optional<double> time = check(row);
      if (!time) {
        ++found_.bad_rows;
      } else if (options_.min_rating && *parse_number(table_.cell(row, *rating_)) < *options_.min_rating) {
        ++found_.low_rows;
      } else {
        add(row, *time);
      }
    }
    found_.users = std::move(users_.names);
    found_.items = std::move(items_.names);
    found_.item_features = item_features_.take(found_.items.size());
    found_.user_features = user_features_.take(found_.users.size());
    for (auto& events : found_.events) arrange(events);
    if (found_.size() == 0) {
      throw DataError(kWhere, fmt::format("{}: got no interaction from {} rows; expected some to learn from", table_.source(), table_.num_rows()));
    }
    found_.hash = hash();
    return std::move(found_);
  }

 private:
  std::optional<int64_t> column(const std::string& name) const {
    if (name.empty()) return std::nullopt;
    return table_.column_index(name);
  }

  // When it was; nothing for a row that is left out.
  std::optional<double> check(int64_t row) const {
    const auto bad = [&](int64_t column, const char* expected) -> std::optional<double> {
      if (options_.on_bad_row == "drop") return std::nullopt;
      const Cell cell = table_.cell(row, column);
      const std::string got = is_missing(cell) ? "nothing" : fmt::format("\"{}\"", cell);
      throw DataError(kWhere, fmt::format("{}: got {}; expected {}; to leave such rows out set data.interactions.on_bad_row: drop", table_.place(row, column), got, expected));
    };
    if (is_missing(table_.cell(row, user_))) return bad(user_, "a user");
    if (is_missing(table_.cell(row, item_))) return bad(item_, "an item");
    if (rating_) {
      const auto rating = parse_number(table_.cell(row, *rating_));
      if (!rating || !std::isfinite(*rating)) return bad(*rating_, "a number");
    }
    if (!time_) return static_cast<double>(row);
    const Cell cell = table_.cell(row, *time_);
    std::optional<double> time = parse_number(cell);
    if (!time) time = parse_date(cell);
    if (!time || !std::isfinite(*time)) return bad(*time_, "a number or a date");
    return time;
  }

  void add(int64_t row, double time) {
    const int64_t user = users_.add(table_.cell(row, user_)), item = items_.add(table_.cell(row, item_));
    found_.events.resize(users_.names.size());
    found_.titles.resize(items_.names.size());
    if (title_ && found_.titles[static_cast<size_t>(item)].empty()) found_.titles[static_cast<size_t>(item)] = std::string(table_.cell(row, *title_));
    item_features_.read(row, item);
    user_features_.read(row, user);
    found_.events[static_cast<size_t>(user)].push_back({item, row, time});
  }

  // By time; among those of one time by a hash of the names.
  void arrange(std::vector<Interactions::Event>& events) {
    const auto chance = [&](const Interactions::Event& e) { return hash_text(fmt::format("{}\n{}", table_.cell(e.row, user_), table_.cell(e.row, item_))); };
    if (time_) {
      std::vector<std::pair<Hash128, Interactions::Event>> keyed;
      for (const Interactions::Event& e : events) keyed.emplace_back(chance(e), e);
      std::stable_sort(keyed.begin(), keyed.end(), [](const auto& a, const auto& b) { return a.second.time != b.second.time ? a.second.time < b.second.time : a.first < b.first; });
      for (size_t i = 0; i < keyed.size(); ++i) {
        events[i] = keyed[i].second;
        found_.tied_rows += (i > 0 && events[i].time == events[i - 1].time) || (i + 1 < keyed.size() && keyed[i + 1].second.time == events[i].time);
      }
    }
    std::unordered_set<int64_t> met;
    found_.repeated_rows += static_cast<int64_t>(std::erase_if(events, [&](const Interactions::Event& e) { return !met.insert(e.item).second; }));
  }

  Hash128 hash() const {
    std::string text;
    for (size_t user = 0; user < found_.users.size(); ++user) {
      text += fmt::format("u {}\n", found_.users[user]);
      for (const int64_t feature : found_.user_features.of[user]) text += fmt::format("{}\n", found_.user_features.names[static_cast<size_t>(feature)]);
      for (const Interactions::Event& e : found_.events[user]) text += fmt::format("{} {}\n", e.item, e.time);
    }
    for (size_t item = 0; item < found_.items.size(); ++item) {
      text += fmt::format("i {}\n{}\n", found_.items[item], found_.titles[item]);
      for (const int64_t feature : found_.item_features.of[item]) text += fmt::format("{}\n", found_.item_features.names[static_cast<size_t>(feature)]);
    }
    return hash_text(text);
  }

  const Table& table_;
  const InteractionOptions& options_;
  int64_t user_, item_;
  std::optional<int64_t> time_, rating_, title_;
  FeatureColumns item_features_, user_features_;
  Names users_, items_;
  Interactions found_;
};

}  // namespace

void InteractionOptions::describe(OptionVisitor& v) {
  v.field("user", user, "the column that says who");
  v.field("item", item, "the column that says what");
  v.field("time", time, "the column that says when, numbers or dates; empty: the rows are in order of time");
  v.field("rating", rating, "the column of ratings; empty: there are none");
  v.field("min_rating", min_rating, {}, "rows with a lower rating are left out; absent: every row is an interaction, whatever its rating");
  v.field("title", title, "the column with what people call an item; empty: none");
  v.field("item_features", item_features, "columns of categories of items, for model two_tower");
  v.field("user_features", user_features, "columns of categories of users, for model two_tower");
  v.field("separator", separator, "between several categories in a cell; empty: a cell is one");
  v.choice("on_bad_row", on_bad_row, {"error", "drop"}, "a row without user, item or time, or with a rating that is no number");
}

int64_t Interactions::size() const {
  int64_t count = 0;
  for (const auto& of_user : events) count += static_cast<int64_t>(of_user.size());
  return count;
}

Interactions read_interactions(const Table& table, const InteractionOptions& options) { return Reader(table, options).read(); }

}  // namespace danlu::data
