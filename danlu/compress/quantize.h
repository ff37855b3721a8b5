// Weights and activations of 8 bits, after training: a scale for each output of a layer, and a range for what comes into it, which
// samples of the training data tell.
//
// The widest numbers of an input are few, and cutting some of them off leaves finer steps for the others: of a few ranges, from all of it
// to 99 % of what was seen, each input gets the one whose rounding and cutting err least in the mean square.
// Source: Wu et al. 2020, arXiv:2004.09602, sections 3 to 5.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "danlu/learn/nn/module.h"

namespace danlu::compress {

// The least and the largest number of each layer's input that integers shall tell apart; zero is always one of them.
struct InputRange {
  float low = 0, high = 0;
  double percentile = 100;  // of the magnitudes, that it was chosen by
};
using InputRanges = std::map<std::string, InputRange>;

// `answer` runs the model on the samples to calibrate by. Throws DataError, naming the layer, for inputs that are not finite, and for a
// layer that was never asked.
InputRanges calibrate(nn::Module& model, const std::function<void()>& answer);

// The range for some numbers that were seen; of equal errors the widest. `values` must not be empty.
InputRange choose_range(std::vector<float> values);

// Gives every layer of the ranges a weight of 8 bits.
void to_int8(nn::Module& model, const InputRanges& ranges);

}  // namespace danlu::compress
