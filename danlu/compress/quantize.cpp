#include "danlu/compress/quantize.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/compress/weighted_layers.h"

namespace danlu::compress {
namespace {

constexpr const char* kWhere = "compress.quantize";
constexpr size_t kKept = size_t{1} << 17;  // numbers of an input to choose its range by

// Some of the numbers of an input, evenly over all calls, and the bounds of all.
class Seen {
 public:
  void take(std::span<const float> x, const std::string& name) {
    for (const float v : x) {
      if (!std::isfinite(v)) throw DataError(kWhere, fmt::format("the input of layer {}: got a {} for a sample of the training data; expected finite numbers", name, v));
      low_ = std::min(low_, v);
      high_ = std::max(high_, v);
      if (count_++ % stride_ != 0) continue;
      kept_.push_back(v);
      if (kept_.size() < kKept) continue;
      for (size_t i = 0; i < kKept / 2; ++i) kept_[i] = kept_[2 * i];
      kept_.resize(kKept / 2);
      stride_ *= 2;
    }
  }
  bool any() const { return count_ > 0; }
  std::vector<float> values() const {
    std::vector<float> all = kept_;
    all.insert(all.end(), {low_, high_});
    return all;
  }

 private:
  float low_ = 0, high_ = 0;
  int64_t count_ = 0, stride_ = 1;
  std::vector<float> kept_;
};

// The mean of the squared errors of the numbers told by integers within a range.
double error_of(const std::vector<float>& values, const InputRange& range) {
  const float scale = range.low < 0 ? std::max(-range.low, range.high) / 127 : range.high / 255;
  if (!std::isnormal(scale)) return 0;
  const float least = range.low < 0 ? -127.0f : 0.0f, most = range.low < 0 ? 127.0f : 255.0f;
  double sum = 0;
  for (const float v : values) {
    const double error = static_cast<double>(v) - static_cast<double>(scale * std::clamp(std::nearbyint(v / scale), least, most));
    sum += error * error;
  }
  return sum / static_cast<double>(values.size());
}

}  // namespace

InputRange choose_range(std::vector<float> values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const InputRange whole{std::min(*low, 0.0f), std::max(*high, 0.0f)};
  std::vector<float> magnitudes;
  for (const float v : values) {
    if (v != 0) magnitudes.push_back(std::abs(v));
  }
  if (magnitudes.empty()) return whole;
  std::sort(magnitudes.begin(), magnitudes.end());
  InputRange best = whole;
  double least = error_of(values, whole);
  for (const double percentile : {99.999, 99.99, 99.9, 99.5, 99.0}) {
    const float bound = magnitudes[static_cast<size_t>(percentile / 100 * static_cast<double>(magnitudes.size() - 1))];
    const InputRange cut{std::max(whole.low, -bound), std::min(whole.high, bound), percentile};
    const double error = error_of(values, cut);
    if (error < least) {
      least = error;
      best = cut;
    }
  }
  return best;
}

InputRanges calibrate(nn::Module& model, const std::function<void()>& answer) {
  const std::vector<NamedLayer> layers = weighted_layers(model);
  std::vector<Seen> seen(layers.size());
  struct Watch {
    const std::vector<NamedLayer>& layers;
    ~Watch() {
      for (const NamedLayer& l : layers) l.layer->watch_inputs({});
    }
  } const watch{layers};
  for (size_t i = 0; i < layers.size(); ++i) {
    layers[i].layer->watch_inputs([&seen, i, &layers](const Tensor& x) { seen[i].take(x.span(), layers[i].name); });
  }
  answer();
  InputRanges ranges;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (!seen[i].any()) throw DataError(kWhere, fmt::format("layer {} was not asked for any sample of the calibration", layers[i].name));
    ranges[layers[i].name] = choose_range(seen[i].values());
  }
  return ranges;
}

void to_int8(nn::Module& model, const InputRanges& ranges) {
  for (const NamedLayer& l : weighted_layers(model)) {
    const auto range = ranges.find(l.name);
    if (range == ranges.end()) continue;
    const Tensor& weight = l.layer->weight;
    const int64_t outputs = weight.size(0), inputs = weight.shape().inner(0);
    Tensor rounded = Tensor::empty(weight.shape(), Dtype::u8), scales = Tensor::empty({outputs});
    for (int64_t j = 0; j < outputs; ++j) {
      const float* row = weight.data() + j * inputs;
      float largest = 0;
      for (int64_t i = 0; i < inputs; ++i) largest = std::max(largest, std::abs(row[i]));
      const float scale = std::isnormal(largest / 127) ? largest / 127 : 1;
      scales.mutable_data()[j] = scale;
      for (int64_t i = 0; i < inputs; ++i) rounded.mutable_data<uint8_t>()[j * inputs + i] = static_cast<uint8_t>(128 + std::nearbyint(row[i] / scale));
    }
    l.layer->set_compact_weight(std::make_shared<nn::Int8Weight>(rounded, scales, Tensor::from({2}, {range->second.low, range->second.high})));
  }
  plan_again(model);
}

}  // namespace danlu::compress
