#include "danlu/learn/train/checkpoint.h"

#include <map>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/hash.h"
#include "danlu/formats/safetensors.h"

namespace danlu::train {
namespace {

constexpr const char* kStateKey = "danlu.state";

std::vector<nn::NamedTensor> all_of(const nn::Module& model) {
  std::vector<nn::NamedTensor> all = model.named_parameters();
  for (nn::NamedTensor& buffer : model.named_buffers()) all.push_back(std::move(buffer));
  return all;
}

std::vector<nn::NamedTensor> all_of(const nn::Module& model, optim::Optimizer* optimizer, const std::vector<nn::NamedTensor>& extra) {
  std::vector<nn::NamedTensor> all = all_of(model);
  all.insert(all.end(), extra.begin(), extra.end());
  if (optimizer != nullptr) {
    for (const auto& [name, moment] : optimizer->moments()) all.push_back({"optimizer." + name, moment});
  }
  return all;
}

}  // namespace

void save_checkpoint(const fs::path& path, const nn::Module& model, optim::Optimizer* optimizer, const Json& state,
                     const std::vector<nn::NamedTensor>& extra) {
  std::vector<formats::NamedTensor> tensors;
  for (const nn::NamedTensor& t : all_of(model, optimizer, extra)) tensors.push_back({t.name, t.tensor});
  formats::write_safetensors(path, tensors, {{"format", "pt"}, {kStateKey, to_line(state)}});
}

Json load_checkpoint(const fs::path& path, nn::Module& model, optim::Optimizer* optimizer, const std::vector<nn::NamedTensor>& extra,
                     Checksum checksum) {
  const formats::SafetensorsFile file(path);
  if (checksum == Checksum::required && !file.has_checksum()) {
    throw DataError("learn.checkpoint", fmt::format("{}: got no checksum danlu.xxh3 in the metadata; the file is damaged", path.string()));
  }
  const std::vector<nn::NamedTensor> wanted = all_of(model, optimizer, extra);
  // Read everything before anything is changed.
  std::vector<Tensor> values;
  for (const nn::NamedTensor& t : wanted) {
    values.push_back(file.read(t.name));
    if (!(values.back().shape() == t.tensor.shape()) || values.back().dtype() != t.tensor.dtype()) {
      throw DataError("learn.checkpoint", fmt::format("{}: tensor {}: got {}; the model has {}", path.string(), t.name,
                                                      values.back().shape().str(), t.tensor.shape().str()));
    }
  }
  const auto text = file.metadata().find(kStateKey);
  Json state = text == file.metadata().end() ? Json::object() : parse_json(text->second, path.string());
  const Json steps = state.is_object() ? state.value("optimizer_steps", Json(0)) : Json();
  if (!steps.is_number_integer()) {
    throw DataError("learn.checkpoint", fmt::format("{}: {}: expected an object with a whole number optimizer_steps", path.string(), kStateKey));
  }
  for (size_t i = 0; i < wanted.size(); ++i) {
    Tensor target = wanted[i].tensor;
    target.copy_from(values[i]);
  }
  if (optimizer != nullptr) optimizer->set_num_steps(steps.get<int64_t>());
  return state;
}

std::string weights_hash(const nn::Module& model) {
  std::string parts;
  for (const nn::NamedTensor& t : all_of(model)) {
    parts += t.name + "=" + hash_bytes(t.tensor.raw_bytes(), t.tensor.bytes()).hex() + "\n";
  }
  return hash_text(parts).hex();
}

}  // namespace danlu::train
