#include "danlu/infer/logprobs.h"

#include <algorithm>
#include <cmath>

namespace danlu::infer {
namespace {

// The ids of the `count` largest, largest first, smaller ids first among equals.
std::vector<data::TokenId> largest_ids(std::span<const float> logits, size_t count) {
  const auto before = [&](data::TokenId a, data::TokenId b) {
    const float x = logits[static_cast<size_t>(a)], y = logits[static_cast<size_t>(b)];
    return x != y ? x > y : a < b;
  };
  std::vector<data::TokenId> heap;  // the least of them in front
  for (size_t i = 0; i < logits.size(); ++i) {
    const auto id = static_cast<data::TokenId>(i);
    if (heap.size() == count) {
      if (!before(id, heap.front())) continue;
      std::pop_heap(heap.begin(), heap.end(), before);
      heap.back() = id;
    } else {
      heap.push_back(id);
    }
    std::push_heap(heap.begin(), heap.end(), before);
  }
  std::sort_heap(heap.begin(), heap.end(), before);
  return heap;
}

}  // namespace

TokenLogprob token_logprob(std::span<const float> logits, data::TokenId id, int top) {
  const size_t count = std::clamp<size_t>(static_cast<size_t>(std::max(top, 1)), 1, logits.size());
  const std::vector<data::TokenId> largest = largest_ids(logits, count);
  const auto maximum = static_cast<double>(logits[static_cast<size_t>(largest.front())]);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - maximum);
  const double log_sum = maximum + std::log(sum);
  const auto logprob = [&](data::TokenId token) { return static_cast<double>(logits[static_cast<size_t>(token)]) - log_sum; };

  TokenLogprob result{id, logprob(id), {}};
  for (const data::TokenId token : largest) result.top.emplace_back(token, logprob(token));
  return result;
}

}  // namespace danlu::infer
