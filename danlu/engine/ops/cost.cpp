#include "danlu/engine/ops/cost.h"

#include <algorithm>
#include <string_view>

namespace danlu {
namespace {

double count(const Shape& shape) { return static_cast<double>(shape.numel()); }

double forward_flops(const ProfileEvent& e) {
  const std::string_view op = e.name;
  const Shape &x = e.inputs[0], &w = e.inputs[1];
  if (op == "linear") return 2 * count(e.output) * static_cast<double>(w[1]);
  if (op == "conv2d") return 2 * count(e.output) * count(w) / static_cast<double>(w[0]);
  if (op == "conv_transpose2d") return 2 * count(x) * count(w) / static_cast<double>(w[0]);
  if (op == "matmul") return 2 * count(x) * static_cast<double>(e.output[-1]);
  if (op == "linear_cross_entropy") {
    // Forward makes the gradients too, while the logits are there.
    return (e.kind == ProfileEvent::Kind::forward ? 6 : 0) * count(x) * static_cast<double>(w[0]);
  }
  // Scores and weighted values of every pair of positions, half of which a causal mask hides.
  if (op == "attention") return 2 * count(e.output) * static_cast<double>(x[1]);
  // The state times the recurrent weight at every position; what the input gives is another operation.
  if (op == "rnn" || op == "lstm" || op == "gru") return 2 * count(e.output) * static_cast<double>(w[0]);
  return count(e.output);
}

}  // namespace

Cost cost_of(const ProfileEvent& e) {
  if (e.kind == ProfileEvent::Kind::other) return {};
  double numbers = count(e.output);
  for (const Shape& input : e.inputs) numbers += input.rank() > 0 ? count(input) : 0;
  const double times = e.kind == ProfileEvent::Kind::forward ? 1 : std::max(e.gradients, 1);
  return {times * forward_flops(e), times * numbers * static_cast<double>(sizeof(float))};
}

}  // namespace danlu
