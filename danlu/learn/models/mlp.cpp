#include "danlu/learn/models/mlp.h"

#include "danlu/learn/nn/layers.h"

namespace danlu::models {

void MlpOptions::describe(OptionVisitor& v) {
  v.field("hidden", hidden, {1, 1e7}, "widths of the hidden layers");
  v.choice("activation", activation, nn::ActivationLayer::names(), "between the layers");
  v.field("dropout", dropout, {0, 0.99}, "fraction of hidden units dropped in training");
  v.field("batch_norm", batch_norm, "normalise each hidden layer over the batch");
}

std::unique_ptr<nn::Module> make_mlp(const MlpOptions& o, const Shape& input, int64_t outputs) {
  auto model = std::make_unique<nn::Sequential>();
  if (input.rank() > 1) model->append(nn::Flatten());
  int64_t width = input.numel();
  for (const int64_t hidden : o.hidden) {
    model->append(nn::Linear(width, hidden));
    if (o.batch_norm) model->append(nn::BatchNorm(hidden));
    model->append(nn::ActivationLayer(o.activation));
    if (o.dropout > 0) model->append(nn::Dropout(static_cast<float>(o.dropout)));
    width = hidden;
  }
  model->append(nn::Linear(width, outputs, true, nn::Init::xavier));
  return model;
}

}  // namespace danlu::models
