// The curves behind the numbers of a report, as points to draw: few, and no further from the true curve than an eye can tell.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/eval/predictions.h"

namespace danlu::eval {

// The indexes, ascending, of the points that a polyline keeps, the ends among them: none that is left out lies further than
// `tolerance` from what is drawn. Throws ShapeError if x and y differ in length.
// Source: Douglas, Peucker 1973.
std::vector<size_t> simplify(std::span<const double> x, std::span<const double> y, double tolerance);

// Two classes: of the positive one; more: of each against the rest. Classes without samples, or without others, are left out.
//   {"roc": [{"class", "area", "false_positive_rate": [], "true_positive_rate": []}],
//    "precision_recall": [{"class", "area", "recall": [], "precision": []}]}
// Several labels a sample: precision and recall alone, of each label.
// Numbers: {"scatter": {"actual": [], "predicted": []}}, of at most a thousand samples, evenly spread.
Json curves(const Predictions& predictions, std::span<const std::string> class_names);

}  // namespace danlu::eval
