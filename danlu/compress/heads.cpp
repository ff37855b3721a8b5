#include "danlu/compress/heads.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/compress/pick.h"
#include "danlu/learn/models/model.h"

namespace danlu::compress {
namespace {

constexpr const char* kWhere = "compress.heads";
constexpr const char* kProjection = ".projection.weight";  // reads the heads of its block
constexpr const char* kDown = ".down.weight";              // reads the neurons

// "encoder.blocks.3" of "encoder.blocks.3.qkv.weight"; empty for what is in no block.
std::string block_of(const std::string& name) {
  const size_t blocks = name.find("blocks.");
  return blocks == std::string::npos ? "" : name.substr(0, name.find('.', blocks + 7));
}

// What the loss changes by with a factor of each group of columns that stand side by side.
std::vector<double> changes(const Tensor& weight, int64_t groups) {
  const Tensor gradient = weight.grad();
  std::vector<double> sums(static_cast<size_t>(groups));
  if (!gradient.defined()) return sums;
  const int64_t columns = weight.size(1), width = columns / groups;
  for (int64_t i = 0; i < weight.numel(); ++i) {
    sums[static_cast<size_t>(i % columns / width)] += static_cast<double>(weight.data()[i]) * static_cast<double>(gradient.data()[i]);
  }
  return sums;
}

void add_magnitudes(const std::vector<double>& changes, std::vector<double>& sums) {
  sums.resize(changes.size());
  for (size_t i = 0; i < changes.size(); ++i) sums[i] += std::abs(changes[i]);
}

int64_t remaining(int64_t units, double share) { return std::max<int64_t>(1, units - std::llround(share * static_cast<double>(units))); }

// Rows of a head in each of `parts` that stand one after another: queries, keys, values.
Indexes rows_of(const Indexes& heads, int64_t head_dim, int64_t all_heads, int64_t parts) {
  Indexes rows;
  for (int64_t part = 0; part < parts; ++part) {
    for (const int64_t head : heads) {
      for (int64_t d = 0; d < head_dim; ++d) rows.push_back((part * all_heads + head) * head_dim + d);
    }
  }
  return rows;
}

}  // namespace

bool has_heads(const Json& config) {
  const std::string type = config.value("type", "");
  return type == "encoder" || type == "vit";
}

HeadImportance::HeadImportance(nn::Module& model, const Json& config) : model_(model), head_count_(config.value("heads", int64_t{0})) {
  if (!has_heads(config)) throw ConfigError(kWhere, fmt::format("channels: got the model {}; expected encoder or vit, which have heads", config.value("type", "")));
}

void HeadImportance::add() {
  for (nn::NamedTensor& p : model_.named_parameters()) {
    const std::string block = block_of(p.name);
    if (!block.empty() && p.name == block + kProjection) add_magnitudes(changes(p.tensor, head_count_), heads_[block]);
    if (!block.empty() && p.name == block + kDown) add_magnitudes(changes(p.tensor, p.tensor.size(1)), neurons_[block]);
    p.tensor.zero_grad();
  }
}

Narrowed take_heads(nn::Module& model, const Json& config, const Shape& input, int64_t outputs, double share, const HeadImportance& importance) {
  if (importance.heads().empty()) throw ConfigError(kWhere, "channels: got no weights of attention with a gradient; expected a model as it was trained, and samples to measure it by");
  const int64_t heads = config.at("heads"), width = config.at("width"), given = config.value("head_dim", int64_t{0});
  const int64_t head_dim = given > 0 ? given : width / heads, kept_heads = remaining(heads, share);
  const int64_t kept_neurons = remaining(std::ssize(importance.neurons().begin()->second), share);
  Narrowed result{config, nullptr};
  result.config.update({{"heads", kept_heads}, {"head_dim", head_dim}, {"hidden", kept_neurons}});
  result.model = models::parse_model(result.config).make(input, outputs);

  std::map<std::string, Tensor> known;
  for (const auto& all : {model.named_parameters(), model.named_buffers()}) {
    for (const nn::NamedTensor& t : all) known[t.name] = t.tensor;
  }
  for (const auto& all : {result.model->named_parameters(), result.model->named_buffers()}) {
    for (const nn::NamedTensor& t : all) {
      const std::string block = block_of(t.name), part = block.empty() ? "" : t.name.substr(block.size() + 1);
      Tensor target = t.tensor, source = known.at(t.name);
      if (part.starts_with("qkv.")) source = pick(source, 0, rows_of(largest(importance.heads().at(block), kept_heads), head_dim, heads, 3));
      else if (part == "projection.weight") source = pick(source, 1, rows_of(largest(importance.heads().at(block), kept_heads), head_dim, heads, 1));
      else if (part.starts_with("up.")) source = pick(source, 0, largest(importance.neurons().at(block), kept_neurons));
      else if (part == "down.weight") source = pick(source, 1, largest(importance.neurons().at(block), kept_neurons));
      target.copy_from(source);
    }
  }
  return result;
}

}  // namespace danlu::compress
