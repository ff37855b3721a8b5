// Which point to try next. Every suggestion is a function of the seed, the number of the trial and what the trials before it have
// come to, and of nothing else: a search that was interrupted goes on with the same points.
#pragma once

#include <optional>
#include <span>

#include "danlu/learn/tune/options.h"
#include "danlu/learn/tune/space.h"

namespace danlu::tune {

// A trial, as a suggester sees it.
struct Observation {
  Point point;
  std::optional<double> cost;  // less is better; none: it failed
  int64_t rung = 0;            // how far it came; those that came further are the better ones
};

// The n-th point at random, from 0. `tried`: where the space is finite, no point is suggested twice; nothing if none is left.
std::optional<Point> suggest_random(const Space& space, int64_t seed, int64_t n, std::span<const Observation> tried);

// The n-th of all combinations of the parameters' grids, the last parameter changing fastest; nothing after the last.
std::optional<Point> suggest_grid(const Space& space, int64_t points, int64_t n);
int64_t grid_size(const Space& space, int64_t points);

// The n-th point, by a tree of Parzen estimators: the trials so far are divided into a few good ones and the rest, a density is
// fitted to each, and of some points drawn from the first that with the greatest ratio of the two is taken. The first
// `options.startup` are suggest_random's. See parzen.h.
// Source: Bergstra, Bardenet, Bengio, Kégl 2011, "Algorithms for hyper-parameter optimization", with the joint densities and
// bandwidths of Optuna; Watanabe 2023, arXiv:2304.11127.
std::optional<Point> suggest_tpe(const Space& space, const TpeOptions& options, int64_t seed, int64_t n, std::span<const Observation> tried);

}  // namespace danlu::tune
