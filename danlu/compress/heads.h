// Attention heads and neurons of a Transformer encoder taken away: of each block those that the loss would miss least. What is left is a
// smaller model of the same kind, faster on any processor, which has to learn again for a while.
//
// A unit is as important as the loss changes with a factor of its output, |d loss / d factor|, averaged over batches of training samples:
// the sum of weight times gradient over the columns of the layer that reads it.
//
// Source: Michel, Levy, Neubig 2019, arXiv:1905.10650; neurons: Molchanov et al. 2017, arXiv:1611.06440.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "danlu/compress/channels.h"

namespace danlu::compress {

// Has the model blocks of attention and feed-forward that units can be taken from: encoder, vit?
bool has_heads(const Json& config);

// Measures a model, batch by batch:
//
//   for (const Batch& batch : loader) {
//     backward(loss(model(batch.x), batch.y));
//     importance.add();
//   }
class HeadImportance {
 public:
  // `model` was made by `config`, and outlives this.
  HeadImportance(nn::Module& model, const Json& config);

  // Reads the gradients of the last batch, and sets them to zero.
  void add();

  // By the name of a block: of each head, and of each neuron. Sums over the batches.
  const std::map<std::string, std::vector<double>>& heads() const { return heads_; }
  const std::map<std::string, std::vector<double>>& neurons() const { return neurons_; }

 private:
  nn::Module& model_;
  int64_t head_count_;
  std::map<std::string, std::vector<double>> heads_, neurons_;
};

// At least one head and one neuron of each block stay. Throws ConfigError for a model without such blocks, and for one that is compressed
// already.
Narrowed take_heads(nn::Module& model, const Json& config, const Shape& input, int64_t outputs, double share, const HeadImportance& importance);

}  // namespace danlu::compress
