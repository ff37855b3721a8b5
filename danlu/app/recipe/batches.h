// A bundle's outputs for many samples, a batch at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "danlu/infer/predictor.h"

namespace danlu::app {

constexpr int64_t kPredictBatch = 256;

// encode(piece) turns a few of the samples into the predictor's input. (N, outputs), N the number of samples.
template <class Sample, class Encode>
Tensor predict_in_batches(infer::Predictor& predictor, std::span<const Sample> samples, const Encode& encode) {
  Tensor all = Tensor::empty({0, 1});
  for (size_t begin = 0; begin < samples.size(); begin += kPredictBatch) {
    const auto piece = samples.subspan(begin, std::min<size_t>(kPredictBatch, samples.size() - begin));
    const Tensor outputs = predictor.run(encode(piece));
    if (begin == 0) all = Tensor::empty(outputs.shape().with(0, static_cast<int64_t>(samples.size())));
    const auto row = static_cast<int64_t>(begin);
    all.rows(row, row + outputs.size(0)).copy_from(outputs);
  }
  return all;
}

}  // namespace danlu::app
