#include "danlu/infer/decision.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::infer {

Tensor Decision::calibrated(const Tensor& logits) const {
  if (scale == 1 && offset == 0) return logits;
  Tensor scaled = Tensor::empty(logits.shape());
  const float* z = logits.data();
  float* y = scaled.mutable_data();
  for (int64_t i = 0; i < logits.numel(); ++i) y[i] = static_cast<float>(scale * static_cast<double>(z[i]) + offset);
  return scaled;
}

int64_t Decision::choose(std::span<const double> p) const {
  if (p.size() == 2) return p[1] >= threshold ? 1 : 0;
  return std::max_element(p.begin(), p.end()) - p.begin();
}

std::vector<size_t> Decision::choose_labels(std::span<const double> p) const {
  std::vector<size_t> labels;
  for (size_t k = 0; k < p.size(); ++k) {
    if (p[k] >= (k < thresholds.size() ? thresholds[k] : threshold)) labels.push_back(k);
  }
  return labels;
}

double Decision::confidence(std::span<const double> p) const {
  if (p.size() != 2 || threshold == 0.5) return p[static_cast<size_t>(choose(p))];
  if (threshold <= 0 || threshold >= 1) return 1;  // the answer is always the same
  // The odds against those of the threshold.
  const double above = p[1] * (1 - threshold), below = p[0] * threshold;
  return std::max(above, below) / (above + below);
}

Json Decision::to_json() const {
  Json json = {{"scale", scale}, {"offset", offset}, {"threshold", threshold}, {"least_confidence", least_confidence}};
  if (!thresholds.empty()) json["thresholds"] = thresholds;
  return json;
}

Decision Decision::from_json(const Json& json, const std::string& source) {
  Decision d;
  const auto read = [&](const char* key, double& value, double low, double high) {
    value = json.value(key, value);
    if (!(value >= low && value <= high)) {
      throw DataError("infer.decision", fmt::format("{}: decision.{}: got {}; expected a number in [{}, {}]", source, key, to_line(json.at(key)), low, high));
    }
  };
  read("scale", d.scale, 1e-6, 1e6);
  read("offset", d.offset, -1e6, 1e6);
  read("threshold", d.threshold, 0, 2);  // just above every probability: never
  read("least_confidence", d.least_confidence, 0, 1);
  d.thresholds = json.value("thresholds", d.thresholds);
  for (const double t : d.thresholds) {
    if (!(t >= 0 && t <= 2)) throw DataError("infer.decision", fmt::format("{}: decision.thresholds: got {}; expected numbers in [0, 2]", source, t));
  }
  return d;
}

}  // namespace danlu::infer
