// Checkpoints: one safetensors file each, written atomically, with checksums.
//
// Tensors: parameters and buffers of the model under their own names, moments of the optimiser under "optimizer.NAME".
// Metadata: "danlu.state", a JSON object with what else there is to know (step, epoch, losses, schedule).
// The file opens in Python's safetensors as it is.
#pragma once

#include <string>
#include <vector>

#include "danlu/base/files.h"
#include "danlu/base/json.h"
#include "danlu/learn/nn/module.h"
#include "danlu/learn/optim/optimizer.h"

namespace danlu::train {

// `optimizer` may be null: then only the model is saved. `extra`: further tensors, under their names as they are.
void save_checkpoint(const fs::path& path, const nn::Module& model, optim::Optimizer* optimizer, const Json& state,
                     const std::vector<nn::NamedTensor>& extra = {});

enum class Checksum { optional, required };  // files of other programs have none

// Copies the weights into `model` (and the moments into `optimizer`, unless null) and returns the state. Throws DataError if
// a tensor is absent, has another shape, or the file is damaged; nothing is changed then.
Json load_checkpoint(const fs::path& path, nn::Module& model, optim::Optimizer* optimizer = nullptr,
                     const std::vector<nn::NamedTensor>& extra = {}, Checksum checksum = Checksum::optional);

// A hash of all parameters and buffers: equal weights, equal text.
std::string weights_hash(const nn::Module& model);

}  // namespace danlu::train
