// Counts the units of linear and convolution layers that learn nothing: no update since the last count gave their weights a gradient.
//
// That is what becomes of a ReLU that no sample switches on. A look after each update reads one element of a unit that is alive, and all
// of those of a unit that is not, so that it costs nothing to speak of.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/learn/nn/module.h"

namespace danlu::train {

struct LayerUnits {
  std::string name;  // "layers.0"
  int64_t dead = 0, units = 0;
};

class DeadUnits {
 public:
  explicit DeadUnits(const nn::Module& model);

  // After the gradients of an update are complete.
  void look();
  // The layers that have dead units, and a fresh start. Empty if nothing was seen.
  std::vector<LayerUnits> count();

  // The units that have had no gradient yet, for a checkpoint.
  Json to_json() const;
  void restore(const Json& json);

 private:
  struct Layer {
    std::string name;
    Tensor weight;  // (units, ...)
    std::vector<int64_t> silent;
  };
  void add(const nn::Module& module, const std::string& path);
  void begin();

  std::vector<Layer> layers_;
  bool looked_ = false;
};

}  // namespace danlu::train
