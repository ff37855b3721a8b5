// The optimiser of a training: over the parameters that learn, each at its own rate.
#pragma once

#include <memory>
#include <vector>

#include "danlu/learn/nn/module.h"
#include "danlu/learn/optim/optimizer.h"
#include "danlu/learn/train/trainer.h"

namespace danlu::train {

// Of these parameters of the model, and of an objective besides; those that need no gradient (nn::Freeze) are left out. Throws ConfigError if train.lr_scale names a part
// that the model does not have.
std::unique_ptr<optim::Optimizer> make_optimizer(const nn::Module& model, const std::vector<Tensor>& parameters, const TrainOptions& options);

}  // namespace danlu::train
