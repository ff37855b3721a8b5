#include "danlu/eval/counts.h"

namespace danlu::eval {

double mean(std::span<const double> values, Counts counts) {
  double sum = 0;
  int64_t total = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const int64_t count = count_of(counts, i);
    sum += static_cast<double>(count) * values[i];
    total += count;
  }
  return sum / static_cast<double>(total);
}

}  // namespace danlu::eval
