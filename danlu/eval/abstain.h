// Answers that are withheld where a model is not sure enough, chosen on validation data.
#pragma once

#include <cstdint>
#include <span>

namespace danlu::eval {

// An answer is given from this confidence on.
struct Abstention {
  double least_confidence = 0;
  double coverage = 1;  // share of the samples that are answered
  double accuracy = 0;  // of those
};

// `correct` is 1 where the answer to a sample is right. Equal confidences are decided together. Throw ShapeError if the sizes differ, DataError if
// there is no sample.

// Answers at least that share of the samples, and as few beyond it as can be.
Abstention abstain_for_coverage(std::span<const double> confidences, std::span<const uint8_t> correct, double coverage);

// Answers as many as can be so that at least that share of them is right; where no confidence will do, those with the greatest share.
Abstention abstain_for_accuracy(std::span<const double> confidences, std::span<const uint8_t> correct, double accuracy);

}  // namespace danlu::eval
