// Who met what, and when: a table with a row for each time that a user chose, bought, saw or rated an item.
//
//   user,item,rating,timestamp,title,genres
//   7,296,4,851868750,Pulp Fiction,Comedy|Crime|Drama
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "danlu/base/hash.h"
#include "danlu/base/options.h"
#include "danlu/data/table/table.h"

namespace danlu::data {

// The columns of the table.
struct InteractionOptions {
  std::string user = "user";
  std::string item = "item";
  std::string time;
  std::string rating;
  std::optional<double> min_rating;
  std::string title;
  std::vector<std::string> item_features, user_features;
  std::string separator = "|";
  std::string on_bad_row = "error";
  void describe(OptionVisitor& v);
};

// Categories of users or items, any number of them each: "genres: Comedy". What a row has besides stands in the first row of its user
// or item that has something there.
struct Features {
  std::vector<std::string> names;
  std::vector<std::vector<int64_t>> of;  // for each user or item the indexes of its names
};

struct Interactions {
  std::vector<std::string> users, items;  // as the table calls them, in the order in which they come in it
  std::vector<std::string> titles;        // of items; empty texts where there are none
  Features user_features, item_features;

  // What a user met, the earliest first, each item once: the first time. Rows of one time come in an order that has nothing to do with
  // that of the table, which may be one of items and would give the last ones away.
  struct Event {
    int64_t item = 0;
    int64_t row = 0;  // of the table
    double time = 0;
  };
  std::vector<std::vector<Event>> events;  // of each user

  int64_t rows = 0;         // of the table
  int64_t bad_rows = 0;     // left out: without user, item or time, or with a rating that is no number
  int64_t low_rows = 0;     // left out: rated below min_rating
  int64_t repeated_rows = 0;  // left out: the user had met the item before
  int64_t tied_rows = 0;    // of the same user and time as another
  bool has_times = false;
  Hash128 hash;             // of all that is above

  int64_t size() const;  // events of all users
};

// Throws DataError naming the line: for a row without user or item, a rating that is no number, or a time that is neither number nor
// date, unless those are to be dropped; for a column that is not there; if nothing is left.
Interactions read_interactions(const Table& table, const InteractionOptions& options);

}  // namespace danlu::data
