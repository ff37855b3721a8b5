// Weights that are set to zero, the smallest first, in linear layers and convolutions.
//
// A model that goes on learning while more and more of its weights are taken away loses less than one that loses them at once: prune()
// then holds them at zero after each update. Biases and norms keep theirs.
// Source: Zhu, Gupta 2017, arXiv:1710.01878; of every M weights: Mishra et al. 2021, arXiv:2104.08378.
#pragma once

#include <cstdint>
#include <vector>

#include "danlu/compress/target.h"
#include "danlu/compress/weighted_layers.h"

namespace danlu::compress {

enum class Scope : uint8_t { global, layer };  // whose smallest: of all layers together, or of each

class Pruning {
 public:
  // The model outlives it. Throws ConfigError where there is nothing to prune.
  Pruning(nn::Module& model, const Target& target, Scope scope);

  // Chooses anew so that this part of the target's share is zero: 1, all of it.
  void choose(double part);
  // Sets what was chosen to zero.
  void apply();
  // The share of all these weights that is zero now.
  double sparsity() const;

 private:
  void choose_smallest(std::vector<std::vector<uint8_t>*>& kept, const std::vector<const Tensor*>& weights, double share) const;
  Target target_;
  Scope scope_;
  std::vector<NamedLayer> layers_;
  std::vector<std::vector<uint8_t>> kept_;  // of each layer's weights
};

// The part of the target that is reached at a share of the ramp: fast at first, when there are many weights to spare, and slowly at
// the end: 1 - (1 - done)^3.
double cubic_schedule(double done);

// Gives the layers weights without the zeros, where that takes less room.
void to_sparse(nn::Module& model);

}  // namespace danlu::compress
