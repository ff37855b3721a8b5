// The models of one kind that a server has, by their names: what its services have in common.
//
// Threads: models are added before the server starts; after that any thread may ask.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace danlu::serve {

template <class Model>
class NamedModels {
 public:
  using Named = std::pair<const std::string, Model>;

  // `refuse` throws the RequestError for a name that is none of these models, or for none ("").
  explicit NamedModels(std::function<void(const std::string& name)> refuse) : refuse_(std::move(refuse)) {}

  void add_model(const std::string& name, Model model) { models_.try_emplace(name, std::move(model)); }

  bool contains(const std::string& name) const { return models_.contains(name); }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [name, model] : models_) names.push_back(name);
    return names;
  }

 protected:
  bool empty() const { return models_.empty(); }
  const Model& model(const std::string& name) const { return models_.at(name); }
  // That of the name in a request; "" is the one that is there alone.
  const Named& find(const std::string& name) const {
    const auto found = name.empty() && models_.size() == 1 ? models_.begin() : models_.find(name);
    if (found == models_.end()) refuse_(name);
    return *found;
  }

 private:
  const std::function<void(const std::string&)> refuse_;
  std::map<std::string, Model> models_;
};

}  // namespace danlu::serve
