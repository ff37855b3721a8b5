#include "danlu/eval/abstain.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::eval {
namespace {

// What comes of each least confidence, most confident first.
std::vector<Abstention> choices(std::span<const double> confidences, std::span<const uint8_t> correct) {
  if (confidences.size() != correct.size()) {
    throw ShapeError("eval.abstain", fmt::format("got {} confidences for {} answers; expected one for each", confidences.size(), correct.size()));
  }
  if (confidences.empty()) throw DataError("eval.abstain", "got no samples; expected validation data to choose a confidence on");
  std::vector<size_t> order(confidences.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return confidences[a] > confidences[b]; });
  std::vector<Abstention> all;
  double right = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    right += correct[order[i]];
    if (i + 1 < order.size() && confidences[order[i + 1]] == confidences[order[i]]) continue;
    const auto answered = static_cast<double>(i + 1);
    all.push_back({confidences[order[i]], answered / static_cast<double>(order.size()), right / answered});
  }
  return all;
}

}  // namespace

Abstention abstain_for_coverage(std::span<const double> confidences, std::span<const uint8_t> correct, double coverage) {
  const auto all = choices(confidences, correct);
  return *std::find_if(all.begin(), all.end() - 1, [&](const Abstention& a) { return a.coverage >= coverage; });
}

Abstention abstain_for_accuracy(std::span<const double> confidences, std::span<const uint8_t> correct, double accuracy) {
  const auto all = choices(confidences, correct);
  const auto widest = std::find_if(all.rbegin(), all.rend(), [&](const Abstention& a) { return a.accuracy >= accuracy; });
  if (widest != all.rend()) return *widest;
  return *std::max_element(all.begin(), all.end(), [](const Abstention& a, const Abstention& b) { return a.accuracy < b.accuracy; });
}

}  // namespace danlu::eval
