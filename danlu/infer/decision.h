// From a model's outputs to an answer: probabilities that keep what they promise, the probability from which on an answer is the positive
// class, and the confidence below which there is none. A part of the bundle (config.json), so that `predict`, `serve` and the
// evaluation decide alike.
//
//   "decision": {"scale": 0.83, "offset": -0.2, "threshold": 0.17, "least_confidence": 0.6}
//   "decision": {"thresholds": [0.31, 0.08, 0.5], ...}      of several labels a sample, one for each
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu::infer {

// What an answer is called that is not given.
inline constexpr const char* kAbstain = "abstain";

struct Decision {
  double scale = 1, offset = 0;  // logits become scale z + offset; the offset for two classes only
  double threshold = 0.5;        // two classes: the second from this probability on
  double least_confidence = 0;   // below it the answer is "abstain"
  std::vector<double> thresholds = {};  // several labels: each holds from its probability on; empty: all from `threshold` on

  // Logits (N, 1) or (N, C), calibrated. Outside differentiation.
  Tensor calibrated(const Tensor& logits) const;

  // Of the probabilities of one sample. The class that is answered: the second of two by the threshold, else the most probable.
  int64_t choose(std::span<const double> probabilities) const;
  // How sure that is, in [0, 1]: the probability of the answer; where the threshold is not one half, as if it were, by odds.
  double confidence(std::span<const double> probabilities) const;
  bool abstains(std::span<const double> probabilities) const { return least_confidence > 0 && confidence(probabilities) < least_confidence; }

  // Several labels: those that hold, as indexes.
  std::vector<size_t> choose_labels(std::span<const double> probabilities) const;

  Json to_json() const;
  // Throws DataError naming `source` for a number out of range; nlohmann's exceptions for one of another type.
  static Decision from_json(const Json& json, const std::string& source);
};

}  // namespace danlu::infer
