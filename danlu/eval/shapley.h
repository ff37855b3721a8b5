// Shapley values: what each of several players adds to the worth of them all, shared out fairly.
//
//   phi_i = mean over orders of the players and over backgrounds of   v(those before i, and i) - v(those before i)
//
// For an explanation the players are the columns of a row, the words of a text or the patches of an image; v is a model's answer where
// the players of a coalition are as in the sample and the others as in a background: another row, no word, a gray patch. The values add
// up, to rounding, to the worth of all less the mean worth of none.
// Source    Shapley 1953; by sampled orders: Castro, Gomez, Tejada 2009; an order and its reverse: Mitchell et al. 2022, arXiv:2104.12199.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace danlu::eval {

struct Coalition {
  std::vector<uint8_t> present;  // 1 for each player that is in it
  int64_t background = 0;        // what the others are like
};

// The worth of each coalition. That of all players is the same for every background.
using Worth = std::function<std::vector<double>(std::span<const Coalition>)>;

struct ShapleyOptions {
  int64_t backgrounds = 1;
  int64_t orders = 8;  // of each background: half of them drawn, the others their reverse
  uint64_t seed = 1;
};

struct ShapleyValues {
  double all = 0;              // the worth of all players
  double none = 0;             // the mean worth of none
  std::vector<double> values;  // of each player
  std::vector<double> errors;  // standard errors, of the draw of orders and backgrounds; NaN for a single pair of orders
};

// Asks for the worth of players * orders * backgrounds coalitions, of two orders at a time. Throws ShapeError for no background, an odd
// number of orders, or another number of worths than coalitions; DataError for a worth that is not finite.
ShapleyValues shapley_values(int64_t players, const Worth& worth, const ShapleyOptions& options = {});

}  // namespace danlu::eval
