// Parts of a model that do not learn while others do: those that came from another model, and are good as they are.
#pragma once

#include <string>
#include <vector>

#include "danlu/learn/nn/module.h"

namespace danlu::nn {

// Is it that part of a model, or inside it: "stages.0" names stages.0.1.first.conv.weight, and stages.01 not?
bool is_within(const std::string& name, const std::string& part);

class Freeze {
 public:
  // `parts` are names of modules or parameters, or their beginnings up to a dot. Parameters in them need no gradient until this object is
  // gone; modules in them stay in evaluation mode: nothing is dropped, and batch norms keep their statistics. Throws ConfigError for a
  // name that the model does not have, naming the nearest, and if nothing is left to learn. The model must outlive this.
  Freeze(Module& model, const std::vector<std::string>& parts);
  ~Freeze();
  Freeze(const Freeze&) = delete;
  Freeze& operator=(const Freeze&) = delete;

 private:
  std::vector<Tensor> parameters_;
  std::vector<Module*> modules_;
};

}  // namespace danlu::nn
