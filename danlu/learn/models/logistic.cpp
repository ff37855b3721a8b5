#include "danlu/learn/models/logistic.h"

#include "danlu/learn/nn/layers.h"

namespace danlu::models {

std::unique_ptr<nn::Module> make_logistic(const LogisticOptions&, const Shape& input, int64_t outputs) {
  auto model = std::make_unique<nn::Sequential>();
  if (input.rank() > 1) model->append(nn::Flatten());
  nn::Linear linear(input.numel(), outputs, true, nn::Init::xavier);
  linear.weight.fill(0);  // the loss is convex: zero is the usual start, and the answer does not depend on a seed
  model->append(std::move(linear));
  return model;
}

}  // namespace danlu::models
