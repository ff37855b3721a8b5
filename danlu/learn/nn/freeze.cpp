#include "danlu/learn/nn/freeze.h"

#include <algorithm>
#include <functional>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/options.h"

namespace danlu::nn {

bool is_within(const std::string& name, const std::string& part) {
  return name.starts_with(part) && (name.size() == part.size() || name[part.size()] == '.');
}

Freeze::Freeze(Module& model, const std::vector<std::string>& parts) {
  const auto is_frozen = [&](const std::string& name) {
    return std::any_of(parts.begin(), parts.end(), [&](const std::string& part) { return is_within(name, part); });
  };
  const std::vector<NamedTensor> parameters = model.named_parameters();
  for (const std::string& part : parts) {
    if (std::any_of(parameters.begin(), parameters.end(), [&](const NamedTensor& p) { return is_within(p.name, part); })) continue;
    std::vector<std::string> names;  // of every part, the largest first
    for (const NamedTensor& p : parameters) {
      for (size_t dot = p.name.find('.'); dot != std::string::npos; dot = p.name.find('.', dot + 1)) {
        const std::string name = p.name.substr(0, dot);
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      }
    }
    throw ConfigError("learn.freeze", fmt::format("got \"{}\"; expected a part of the model that has parameters, like \"{}\"{}", part, names.empty() ? "" : names.front(),
                                                  did_you_mean(part, names)));
  }
  for (const NamedTensor& p : parameters) {
    if (is_frozen(p.name)) parameters_.push_back(p.tensor);
  }
  if (!parameters.empty() && parameters_.size() == parameters.size()) {
    throw ConfigError("learn.freeze", fmt::format("got all parts of the model ({}); expected some that learn", fmt::join(parts, ", ")));
  }
  for (Tensor& p : parameters_) p.set_requires_grad(false);
  const std::function<void(Module&, const std::string&)> visit = [&](Module& module, const std::string& path) {
    for (const auto& [name, child] : module.children()) {
      const std::string inside = path.empty() ? name : path + "." + name;
      if (is_frozen(inside)) {
        modules_.push_back(child.get());
        child->set_frozen(true);
        child->eval();
      }
      visit(*child, inside);
    }
  };
  visit(model, "");
}

Freeze::~Freeze() {
  for (Tensor& p : parameters_) p.set_requires_grad();
  for (Module* module : modules_) module->set_frozen(false);
}

}  // namespace danlu::nn
