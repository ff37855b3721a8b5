// Transfer learning: a model begins with weights of another, as far as they fit.
#pragma once

#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/learn/nn/module.h"

namespace danlu::train {

struct Transfer {
  std::vector<nn::NamedTensor> taken;  // copies, by the names of the model that is to have them
  // Why each of the others begins anew: "head.weight: (3, 128) here, (10, 128) there".
  std::vector<std::string> fresh;

  std::string text() const;
  // Copies them into the model. Throws InternalError if it is another than that they were chosen for.
  void put_into(nn::Module& model) const;
};

// What of `theirs` the model can take: tensors of the same name and shape. `names` {"encoder": "backbone.encoder"} says what parts of the
// model are to be taken, and what they are called there; then each tensor of those parts must be there and fit. Throws ConfigError for that,
// for a part that the model does not have, and if nothing is taken.
Transfer plan_transfer(const nn::Module& model, const std::vector<nn::NamedTensor>& theirs, const Json& names, const std::string& source);

}  // namespace danlu::train
