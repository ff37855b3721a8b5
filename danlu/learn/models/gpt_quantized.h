// The tensors of a Gpt with weights in few bits, as they lie in model.safetensors: under our own names, the quantised ones as
// "NAME.q8" or "NAME.q4", u8, packed as they are multiplied, so that the file is mapped and nothing is copied; the other parameters f32.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "danlu/formats/safetensors.h"
#include "danlu/learn/models/gpt.h"

namespace danlu::models {

std::vector<formats::NamedTensor> quantized_gpt_weights(const Gpt& network);

// Every weight by its name in f32: parameters as they are, and what the quantised ones stand for.
std::vector<nn::NamedTensor> dequantized_weights(const Gpt& network);

// In evaluation mode. Names and sizes are checked before memory is taken: DataError naming the tensor.
std::unique_ptr<Gpt> read_quantized_gpt(const formats::SafetensorsFile& file, const std::string& source, const GptOptions& options);

}  // namespace danlu::models
