// A language model with its weights in 8 or 4 bits.
//
//   auto small = compress::quantize_gpt(network, {.format = WeightFormat::q4}, ids);
//
// Each weight is rounded for the inputs that calibration texts bring to it (round_weight.h); as many layers at once as fit in memory, the later ones
// for what comes of the earlier ones as they are rounded. Norms, biases and learned positions stay f32. With 4 bits the embedding and the head keep 8: they are met once a token, and an error there passes no other layer.
#pragma once

#include <functional>
#include <memory>

#include "danlu/engine/ops/quantized_weight.h"
#include "danlu/learn/models/gpt.h"

namespace danlu::compress {

struct QuantizeGptOptions {
  WeightFormat format = WeightFormat::q8;
  std::function<void(int64_t done, int64_t of)> progress = {};  // weights
};

// calibration: i64 (N, T), T at most the context, texts of the kind that the model is for; or undefined: every weight to the nearest.
// Throws DataError for a network whose weights are not finite, ConfigError for one that is quantised already.
std::unique_ptr<models::Gpt> quantize_gpt(models::Gpt& network, const QuantizeGptOptions& options, const Tensor& calibration = {});

}  // namespace danlu::compress
