// Which of several alternatives is the right one, by a weighted sum of their features: the conditional logit.
//
//   P(a) = exp(w . x_a) / sum_b exp(w . x_b)
//
// The weights are those that make the right ones of given choices most probable: a convex problem, solved to the end. An alternative
// "none of these" is one more, with a feature of its own.
// Source    McFadden 1974, "Conditional logit analysis of qualitative choice behavior".
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace danlu::eval {

struct Choice {
  std::vector<float> features;  // alternatives x features, row-major
  int64_t right = 0;            // which alternative
};

// Throws ShapeError for sizes that do not fit, DataError if there is no choice. `ridge` / 2 is the price of the sum of w^2, beside the sum of
// -ln P: it keeps the weights of a few choices, or of ones that are all told apart, finite. > 0.
std::vector<double> fit_choice_model(std::span<const Choice> choices, int64_t features, double ridge = 0.1);

// P of each alternative.
std::vector<double> choice_probabilities(std::span<const float> features, std::span<const double> weights);

}  // namespace danlu::eval
