#include "danlu/learn/train/transfer.h"

#include <algorithm>
#include <map>
#include <optional>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/learn/nn/freeze.h"

namespace danlu::train {
namespace {

constexpr const char* kWhere = "learn.transfer";

std::vector<nn::NamedTensor> all_of(const nn::Module& model) {
  std::vector<nn::NamedTensor> all = model.named_parameters();
  for (nn::NamedTensor& buffer : model.named_buffers()) all.push_back(std::move(buffer));
  return all;
}

// What a tensor is called there; nothing if it is not to be taken. The longest part that it is within decides.
std::optional<std::string> name_there(const std::string& name, const Json& names) {
  if (names.empty()) return name;
  std::optional<std::string> there;
  size_t longest = 0;
  for (const auto& [part, other] : names.items()) {
    if (!nn::is_within(name, part) || part.size() < longest) continue;
    longest = part.size();
    there = other.get<std::string>() + name.substr(part.size());
  }
  return there;
}

void check_names(const Json& names, const std::vector<nn::NamedTensor>& ours) {
  if (!names.is_object()) throw ConfigError(kWhere, fmt::format("transfer.names: got {}; expected parts of this model and what they are called there", to_line(names)));
  for (const auto& [part, other] : names.items()) {
    if (!other.is_string()) throw ConfigError(kWhere, fmt::format("transfer.names.{}: got {}; expected a name", part, to_line(other)));
    if (std::any_of(ours.begin(), ours.end(), [&](const nn::NamedTensor& t) { return nn::is_within(t.name, part); })) continue;
    throw ConfigError(kWhere, fmt::format("transfer.names: got \"{}\"; expected a part of the model, like \"{}\"", part, ours.front().name));
  }
}

}  // namespace

Transfer plan_transfer(const nn::Module& model, const std::vector<nn::NamedTensor>& theirs, const Json& names, const std::string& source) {
  const std::vector<nn::NamedTensor> ours = all_of(model);
  check_names(names, ours);
  std::map<std::string, Tensor> there;
  for (const nn::NamedTensor& t : theirs) there.emplace(t.name, t.tensor);
  Transfer transfer;
  for (const nn::NamedTensor& t : ours) {
    const std::optional<std::string> name = name_there(t.name, names);
    if (!name) {
      transfer.fresh.push_back(t.name + ": not asked for");
      continue;
    }
    const auto found = there.find(*name);
    if (found != there.end() && found->second.shape() == t.tensor.shape() && found->second.dtype() == t.tensor.dtype()) {
      transfer.taken.push_back({t.name, found->second.clone()});
      continue;
    }
    const std::string what = found == there.end() ? fmt::format("{}: {} has no {}", t.name, source, *name)
                                                  : fmt::format("{}: {} here, {} in {}", t.name, t.tensor.shape().str(), found->second.shape().str(), source);
    if (!names.empty()) throw ConfigError(kWhere, fmt::format("transfer.names: {}", what));
    transfer.fresh.push_back(what);
  }
  if (transfer.taken.empty()) {
    throw ConfigError(kWhere, fmt::format("nothing of {} fits this model: {}; expected the same model.type and sizes, or transfer.names", source,
                                          transfer.fresh.front()));
  }
  return transfer;
}

std::string Transfer::text() const {
  std::string page = fmt::format("{} tensors are taken, {} begin anew\n", taken.size(), fresh.size());
  for (const std::string& line : fresh) page += "  " + line + "\n";
  return page;
}

void Transfer::put_into(nn::Module& model) const {
  const std::vector<nn::NamedTensor> ours = all_of(model);
  for (const nn::NamedTensor& t : taken) {
    const auto found = std::find_if(ours.begin(), ours.end(), [&](const nn::NamedTensor& own) { return own.name == t.name; });
    if (found == ours.end() || !(found->tensor.shape() == t.tensor.shape())) throw InternalError(kWhere, fmt::format("the model has no {} of {}", t.name, t.tensor.shape().str()));
    Tensor(found->tensor).copy_from(t.tensor);
  }
}

}  // namespace danlu::train
