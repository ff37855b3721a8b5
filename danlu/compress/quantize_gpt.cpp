#include "danlu/compress/quantize_gpt.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/compress/round_weight.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/gemm.h"

namespace danlu::compress {
namespace {

using models::Gpt;
using Weights = std::map<std::string, QuantizedWeight>;
using Parameters = std::map<std::string, Tensor>;

constexpr const char* kWhere = "compress.quantize_gpt";
constexpr int64_t kTokensAtOnce = 4096;
constexpr int64_t kMoments = int64_t{1} << 28;  // numbers of second moments in memory at once

bool is_embedding(const std::string& name) { return name == "token_embedding" || name == "head.weight"; }

// The network with those weights that are rounded, and the others as they were.
std::unique_ptr<Gpt> with_weights(const Gpt& network, const Parameters& parameters, const Weights& weights) {
  auto result = std::make_unique<Gpt>(network.options(), [&](const std::string& name, int64_t, int64_t) {
    const auto found = weights.find(name);
    return found == weights.end() ? QuantizedWeight() : found->second;
  });
  for (nn::NamedTensor& p : result->named_parameters()) p.tensor.rebase(parameters.at(p.name));
  return result;
}

// Sums of x x^T of the inputs of the named weights.
Parameters second_moments(Gpt& network, const Tensor& calibration, const std::vector<std::string>& names) {
  Parameters moments;
  network.observe([&](const std::string& name, const Tensor& x) {
    if (std::find(names.begin(), names.end(), name) == names.end()) return;
    const int64_t columns = x.size(-1), rows = x.shape().outer(-1);
    auto [sum, is_new] = moments.try_emplace(name);
    if (is_new) sum->second = Tensor::zeros({columns, columns});
    kernels::gemm(true, false, columns, columns, rows, x.data(), x.data(), 1, sum->second.mutable_data());
  });
  const NoGrad no_grad;
  const int64_t at_once = std::max<int64_t>(1, kTokensAtOnce / calibration.size(1));
  for (int64_t i = 0; i < calibration.size(0); i += at_once) network.hidden(calibration.rows(i, std::min(i + at_once, calibration.size(0))));
  network.observe({});
  return moments;
}

}  // namespace

std::unique_ptr<Gpt> quantize_gpt(Gpt& network, const QuantizeGptOptions& options, const Tensor& calibration) {
  if (!network.quantized_weights().empty()) throw ConfigError(kWhere, "got a model that is quantised already; start from the trained one");
  Parameters parameters;
  std::vector<std::string> names;
  for (const nn::NamedTensor& p : network.named_parameters()) parameters.emplace(p.name, p.tensor);
  Gpt(network.options(), [&](const std::string& name, int64_t, int64_t) {  // asks for every weight, in the order of the layers
    names.push_back(name);
    return QuantizedWeight();
  });
  Weights weights;
  for (size_t first = 0; first < names.size();) {
    // As many weights as have room for their second moments, by one pass over the calibration texts.
    size_t last = first;
    for (int64_t room = kMoments; last < names.size(); ++last) {
      const int64_t columns = parameters.at(names[last]).size(1);
      room -= columns * columns;
      if (room < 0 && last > first) break;
    }
    const std::vector<std::string> now(names.begin() + static_cast<int64_t>(first), names.begin() + static_cast<int64_t>(last));
    Parameters moments;
    if (calibration.defined()) moments = second_moments(*with_weights(network, parameters, weights), calibration, now);
    for (const std::string& name : now) {
      const auto found = moments.find(name);  // none of the embedding and the head, which hidden() does not multiply
      weights.emplace(name, round_weight(parameters.at(name), is_embedding(name) ? WeightFormat::q8 : options.format,
                                         found == moments.end() ? Tensor() : found->second));
      if (options.progress) options.progress(static_cast<int64_t>(weights.size()), static_cast<int64_t>(names.size()));
    }
    first = last;
  }
  return with_weights(network, parameters, weights);
}

}  // namespace danlu::compress
