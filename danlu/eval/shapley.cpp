#include "danlu/eval/shapley.h"

#include <cmath>
#include <limits>
#include <numeric>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/rng.h"

namespace danlu::eval {
namespace {

constexpr const char* kWhere = "eval.shapley";

std::vector<double> checked(const Worth& worth, std::span<const Coalition> coalitions) {
  if (coalitions.empty()) return {};
  std::vector<double> worths = worth(coalitions);
  if (worths.size() != coalitions.size()) throw ShapeError(kWhere, fmt::format("got {} worths of {} coalitions", worths.size(), coalitions.size()));
  for (const double w : worths) {
    if (!std::isfinite(w)) throw DataError(kWhere, fmt::format("got an answer of {}; expected finite ones: the input is too far from the training data to be explained", w));
  }
  return worths;
}

// The coalitions on the way from none to all in this order, without the two ends.
void add_steps(std::span<const int64_t> order, int64_t background, std::vector<Coalition>& coalitions) {
  Coalition growing{std::vector<uint8_t>(order.size(), 0), background};
  for (size_t i = 0; i + 1 < order.size(); ++i) {
    growing.present[static_cast<size_t>(order[i])] = 1;
    coalitions.push_back(growing);
  }
}

// What each player added on that way.
void add_gains(std::span<const int64_t> order, double none, std::span<const double> steps, double all, std::vector<double>& gains) {
  double before = none;
  for (size_t i = 0; i < order.size(); ++i) {
    const double after = i + 1 < order.size() ? steps[i] : all;
    gains[static_cast<size_t>(order[i])] += after - before;
    before = after;
  }
}

}  // namespace

ShapleyValues shapley_values(int64_t players, const Worth& worth, const ShapleyOptions& options) {
  if (options.backgrounds < 1) throw ShapeError(kWhere, fmt::format("got {} backgrounds; expected at least 1", options.backgrounds));
  if (options.orders < 2 || options.orders % 2 != 0) throw ShapeError(kWhere, fmt::format("got {} orders; expected an even number", options.orders));
  const auto size = static_cast<size_t>(players);
  std::vector<Coalition> ends = {{std::vector<uint8_t>(size, 1), 0}};
  for (int64_t b = 0; b < options.backgrounds; ++b) ends.push_back({std::vector<uint8_t>(size, 0), b});
  const std::vector<double> worths = checked(worth, ends);
  const double all = worths[0];
  const std::span<const double> none = std::span(worths).subspan(1);

  Rng rng(options.seed);
  std::vector<double> sum(size, 0), squares(size, 0);
  double pairs = 0;
  for (int64_t b = 0; b < options.backgrounds; ++b) {
    for (int64_t drawn = 0; drawn < options.orders / 2; ++drawn) {
      std::vector<int64_t> order(size);
      std::iota(order.begin(), order.end(), int64_t{0});
      rng.shuffle(order);
      const std::vector<int64_t> reverse(order.rbegin(), order.rend());
      std::vector<Coalition> coalitions;
      add_steps(order, b, coalitions);
      add_steps(reverse, b, coalitions);
      const std::vector<double> steps = checked(worth, coalitions);
      const std::span<const double> way(steps);
      std::vector<double> gains(size, 0);
      add_gains(order, none[static_cast<size_t>(b)], way.first(way.size() / 2), all, gains);
      add_gains(reverse, none[static_cast<size_t>(b)], way.subspan(way.size() / 2), all, gains);
      for (size_t i = 0; i < size; ++i) {
        const double gain = gains[i] / 2;
        sum[i] += gain;
        squares[i] += gain * gain;
      }
      ++pairs;
    }
  }
  ShapleyValues result;
  result.all = all;
  result.none = std::accumulate(none.begin(), none.end(), 0.0) / static_cast<double>(none.size());
  for (size_t i = 0; i < size; ++i) {
    const double mean = sum[i] / pairs;
    const double variance = pairs > 1 ? std::max(0.0, squares[i] - pairs * mean * mean) / (pairs - 1) : std::numeric_limits<double>::quiet_NaN();
    result.values.push_back(mean);
    result.errors.push_back(std::sqrt(variance / pairs));
  }
  return result;
}

}  // namespace danlu::eval
