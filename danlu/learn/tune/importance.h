// How much each parameter matters: the part of the variance of the trials' ranks that it explains by itself.
//
// Values are put in groups, the choices or up to four ranges with equally many trials, and the variance between the groups is
// compared with all of it: epsilon squared, the correlation ratio without its bias towards many groups (Kelley 1935). Ranks, because
// one trial that diverged would otherwise outweigh all others. Effects of parameters in combination are not seen, and what a search
// has looked at most weighs most: a hint, no proof.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "danlu/learn/tune/space.h"

namespace danlu::tune {

// Of each parameter, in [0, 1], in the order of the space; all 0 below 4 trials. costs[i] belongs to points[i].
std::vector<double> importance(const Space& space, std::span<const Point> points, std::span<const double> costs);

}  // namespace danlu::tune
