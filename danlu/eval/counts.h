// How often each sample counts: a resample of the data without copying it. Every measure that a bootstrap repeats takes
// one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace danlu::eval {

// One number >= 0 a sample. Empty: every sample counts once.
using Counts = std::span<const int32_t>;

inline int64_t count_of(Counts counts, size_t sample) { return counts.empty() ? 1 : counts[sample]; }

// A measure of resampled data, with all that does not depend on the resample (sorting, losses of samples) done before.
// Called from several threads at once.
using Statistic = std::function<double(Counts)>;

// Sum of counts * values / sum of counts; NaN if nothing counts.
double mean(std::span<const double> values, Counts counts = {});

}  // namespace danlu::eval
