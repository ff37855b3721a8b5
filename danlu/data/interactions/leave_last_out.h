// What each user met last is for the test, what came before that for validation, and the rest trains: as when a recommender is asked
// what a user will choose next.
//
//   interactions of a user    a b c d e f
//   train                     a b c d         (all but the last, if there are two; the only one, if there is one)
//   validation                        e       (of users with three or more)
//   test                                f
//
// The catalogue has the items of the training part and no others: what nobody has met yet cannot be learnt. A held-out item that is not
// in it can be found by no model, and counts as missed.
#pragma once

#include "danlu/data/interactions/catalogue.h"
#include "danlu/data/interactions/interactions.h"

namespace danlu::data {

struct LeaveLastOut {
  static constexpr int64_t kNone = -1;       // nothing is held out of this user
  static constexpr int64_t kUnlearnt = -2;   // an item that is not in the catalogue
  static bool is_item(int64_t held_out) { return held_out >= 0; }

  Catalogue catalogue;                // the histories are whole: held-out items are in them
  std::vector<int64_t> training;      // of each user: so many items at the beginning of its history train
  std::vector<int64_t> validation, test;  // of each user: an item of the catalogue, kNone or kUnlearnt
  // Rows of the table, ascending.
  std::vector<int64_t> training_rows, validation_rows, test_rows;

  // What a user had met before the held-out item.
  std::vector<int64_t> before_validation(int64_t user) const;
  std::vector<int64_t> before_test(int64_t user) const;
};

// Without validation the last but one trains too. Throws DataError if nobody has two interactions: then nothing can be tested.
LeaveLastOut leave_last_out(const Interactions& interactions, bool with_validation);

}  // namespace danlu::data
