#include "danlu/compress/weighted_layers.h"

namespace danlu::compress {
namespace {

void collect(nn::Module& module, const std::string& name, std::vector<NamedLayer>& found) {
  if (auto* layer = dynamic_cast<nn::WeightedLayer*>(&module); layer != nullptr && !layer->normalizes_weight()) found.push_back({name, layer});
  for (const auto& [child_name, child] : module.children()) collect(*child, name.empty() ? child_name : name + "." + child_name, found);
}

}  // namespace

std::vector<NamedLayer> weighted_layers(nn::Module& model) {
  std::vector<NamedLayer> found;
  collect(model, "", found);
  return found;
}

void plan_again(nn::Module& model) {
  for (const auto& [name, child] : model.children()) plan_again(*child);
  if (auto* sequence = dynamic_cast<nn::Sequential*>(&model)) sequence->plan();
}

}  // namespace danlu::compress
