#include "danlu/learn/models/gpt_quantized.h"

#include <set>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/tensor/allocator.h"

namespace danlu::models {
namespace {

constexpr const char* kWhere = "learn.gpt_quantized";
constexpr int64_t kSlack = int64_t{1} << 20;  // bytes beside the parameters

std::string stored_name(const std::string& name, WeightFormat format) { return name + "." + weight_format_name(format); }

void check(const formats::SafetensorsFile& file, const std::string& source, const std::string& name, Dtype dtype, const Shape& shape) {
  const formats::StoredType& type = file.stored_type(name);
  if (file.shape(name) == shape && type.dtype == dtype) return;
  throw DataError(kWhere, fmt::format("{}: tensor \"{}\": got {} {}; expected {} {}, as config.json says", source, name, type.name, file.shape(name).str(),
                                      formats::stored_type_of(dtype).name, shape.str()));
}

}  // namespace

std::vector<formats::NamedTensor> quantized_gpt_weights(const Gpt& network) {
  std::vector<formats::NamedTensor> tensors;
  for (const nn::NamedTensor& p : network.named_parameters()) tensors.push_back({p.name, p.tensor});
  for (const auto& [name, weight] : network.quantized_weights()) tensors.push_back({stored_name(name, weight.format()), weight.packed()});
  return tensors;
}

std::vector<nn::NamedTensor> dequantized_weights(const Gpt& network) {
  std::vector<nn::NamedTensor> weights = network.named_parameters();
  for (const auto& [name, weight] : network.quantized_weights()) weights.push_back({name, weight.dequantize()});
  return weights;
}

std::unique_ptr<Gpt> read_quantized_gpt(const formats::SafetensorsFile& file, const std::string& source, const GptOptions& options) {
  int64_t floats = 0;
  std::set<std::string> unread;
  for (const std::string& name : file.names()) {
    unread.insert(name);
    if (file.stored_type(name).dtype == Dtype::f32) floats += file.shape(name).numel();
  }
  const auto find = [&](const std::string& name, int64_t rows, int64_t columns) {
    for (const WeightFormat format : {WeightFormat::q8, WeightFormat::q4}) {
      const std::string stored = stored_name(name, format);
      if (unread.erase(stored) == 0) continue;
      check(file, source, stored, Dtype::u8, QuantizedWeight::packed_shape(format, rows, columns));
      return QuantizedWeight(format, rows, columns, file.map(stored));
    }
    return QuantizedWeight();
  };
  std::unique_ptr<Gpt> network;
  try {
    // A configuration that the file does not bear out costs no more memory than the file has parameters, in blocks that are up to a quarter larger.
    const AllocationLimit limit(5 * floats + kSlack + options.layers * kSlack / 16);
    network = std::make_unique<Gpt>(options, find);
  } catch (const std::bad_alloc&) {
    throw DataError(kWhere, fmt::format("{}: holds fewer weights than the network that config.json describes", source));
  }
  for (nn::NamedTensor& p : network->named_parameters()) {
    if (unread.erase(p.name) == 0) throw DataError(kWhere, fmt::format("{}: missing tensor \"{}\"", source, p.name));
    check(file, source, p.name, Dtype::f32, p.tensor.shape());
    file.read(p.name, p.tensor.mutable_span());
  }
  if (!unread.empty()) {
    throw DataError(kWhere, fmt::format("{}: unexpected tensor \"{}\"; the network that config.json describes has no place for it", source, *unread.begin()));
  }
  return network;
}

}  // namespace danlu::models
