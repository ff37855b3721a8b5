// The Gpt network in the words of Hugging Face transformers: config.json and the tensors of model.safetensors.
//
//   family   class                 weights that differ from ours
//   gpt2     GPT2LMHeadModel       (in, out): Conv1D
//   llama    LlamaForCausalLM      query, key and value apart; gate and up apart
//   qwen2    Qwen2ForCausalLM      as llama
//   qwen3    Qwen3ForCausalLM      as llama
//
// What a configuration asks for and Gpt does not have is refused by name, never passed over.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/formats/safetensors_folder.h"
#include "danlu/learn/models/gpt.h"

namespace danlu::models {

// Throws DataError naming `source` and the key that is absent, out of range or not supported.
GptOptions gpt_from_huggingface(const Json& config, const std::string& source);

// config.json, but for the ids of special tokens. `options` are those of a network: no size is 0.
Json gpt_to_huggingface(const GptOptions& options);

// Every name and shape is compared with the headers of the files before a weight is read or memory is taken, so that the sizes
// of a hostile configuration cost nothing. Throws DataError naming the tensors that are missing, not expected or of another shape.
std::unique_ptr<Gpt> read_huggingface_weights(const formats::SafetensorsFolder& folder, const GptOptions& options);

// The weights under the names and in the shapes that transformers has; most share memory with the network.
std::vector<formats::NamedTensor> huggingface_weights(const Gpt& network);

}  // namespace danlu::models
