#include "danlu/learn/models/mlp.h"

#include "danlu/base/format.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/engine/ops/movement.h"
#include "danlu/learn/nn/layers.h"

namespace danlu::models {

void MlpOptions::describe(OptionVisitor& v) {
  v.field("hidden", hidden, {1, 1e7}, "widths of the hidden layers");
  v.choice("activation", activation, nn::ActivationLayer::names(), "between the layers");
  v.field("dropout", dropout, {0, 0.99}, "fraction of hidden units dropped in training");
  v.field("batch_norm", batch_norm, "normalise each hidden layer over the batch");
  v.field("members", members, {1, 1024}, "perceptrons of an ensemble, trained together; the answer is their mean");
}

namespace {

nn::Sequential make_perceptron(const MlpOptions& o, const Shape& input, int64_t outputs) {
  nn::Sequential model;
  if (input.rank() > 1) model.append(nn::Flatten());
  int64_t width = input.numel();
  for (const int64_t hidden : o.hidden) {
    model.append(nn::Linear(width, hidden));
    if (o.batch_norm) model.append(nn::BatchNorm(hidden));
    model.append(nn::ActivationLayer(o.activation));
    if (o.dropout > 0) model.append(nn::Dropout(static_cast<float>(o.dropout)));
    width = hidden;
  }
  model.append(nn::Linear(width, outputs, true, nn::Init::xavier));
  return model;
}

// Perceptrons that learn side by side and answer together.
class Ensemble : public nn::Module {
 public:
  Ensemble(const MlpOptions& o, const Shape& input, int64_t outputs) {
    for (int64_t m = 0; m < o.members; ++m) add(std::to_string(m), make_perceptron(o, input, outputs));
  }
  Tensor forward(const Tensor& x) override {
    std::vector<Tensor> answers;
    for (const auto& [name, member] : children()) answers.push_back((*member)(x));
    if (is_training()) return concat(answers, 0);
    Tensor sum = answers.front();
    for (size_t m = 1; m < answers.size(); ++m) sum = sum + answers[m];
    return sum * (1 / static_cast<float>(answers.size()));
  }
  std::string describe() const override { return fmt::format("Ensemble of {}", children().size()); }
};

}  // namespace

std::unique_ptr<nn::Module> make_mlp(const MlpOptions& o, const Shape& input, int64_t outputs) {
  if (o.members > 1) return std::make_unique<Ensemble>(o, input, outputs);
  return std::make_unique<nn::Sequential>(make_perceptron(o, input, outputs));
}

}  // namespace danlu::models
