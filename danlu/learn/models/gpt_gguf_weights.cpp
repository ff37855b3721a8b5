#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <set>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/json.h"
#include "danlu/base/threads.h"
#include "danlu/engine/kernels/packed_weight.h"
#include "danlu/learn/models/gpt_gguf.h"
#include "danlu/learn/models/gpt_gguf_rope.h"
#include "danlu/learn/models/gpt_quantized.h"
#include "danlu/learn/models/list_of_tensors.h"

namespace danlu::models {
namespace {

using formats::BlockType;
using formats::GgufFile;
using formats::GgufTensor;

constexpr const char* kWhere = "learn.gguf";
constexpr const char* kEmbedding = "token_embd.weight";
constexpr const char* kHead = "output.weight";
constexpr const char* kPositions = "position_embd.weight";

// A tensor of the file: so many rows of one of our parameters.
struct Part {
  std::string name, parameter;
  int64_t first = 0, rows = 0;
  int64_t columns = 0;   // 0: a vector
  int64_t head_dim = 0;  // where each head's rows are in the order of RoPE on neighbours; else 0

  Shape shape() const { return columns == 0 ? Shape{rows} : Shape{rows, columns}; }
  int64_t row_size() const { return std::max<int64_t>(columns, 1); }
};

// Those of a network, in the order of its layers.
class Parts {
 public:
  explicit Parts(const GptOptions& o) : gpt2_(o.family == "gpt2") {
    add(kEmbedding, "token_embedding", 0, o.vocab_size, o.width);
    if (gpt2_) add(kPositions, "position_embedding", 0, o.context, o.width);
    for (int64_t i = 0; i < o.layers; ++i) block(o, fmt::format("blocks.{}.", i), fmt::format("blk.{}.", i));
    norm("final_norm", "output_norm", o.width);
    if (!o.tied) add(kHead, "head.weight", 0, o.vocab_size, o.width);
  }
  const std::vector<Part>& all() const { return all_; }

 private:
  void add(std::string name, std::string parameter, int64_t first, int64_t rows, int64_t columns, int64_t head_dim = 0) {
    all_.push_back({std::move(name), std::move(parameter), first, rows, columns, head_dim});
  }
  void norm(const std::string& ours, const std::string& theirs, int64_t size) {
    add(theirs + ".weight", ours + ".weight", 0, size, 0);
    if (gpt2_) add(theirs + ".bias", ours + ".bias", 0, size, 0);
  }
  void dense(const std::string& ours, const std::string& theirs, int64_t first, int64_t rows, int64_t columns, bool bias, int64_t head_dim = 0) {
    add(theirs + ".weight", ours + ".weight", first, rows, columns, head_dim);
    if (bias) add(theirs + ".bias", ours + ".bias", first, rows, 0, head_dim);
  }
  void block(const GptOptions& o, const std::string& ours, const std::string& theirs) {
    const int64_t queries = o.heads * o.head_dim, keys = o.kv_heads * o.head_dim;
    norm(ours + "attention_norm", theirs + "attn_norm", o.width);
    if (gpt2_) {
      dense(ours + "qkv", theirs + "attn_qkv", 0, 3 * o.width, o.width, true);
    } else {
      const bool bias = o.family == "qwen2";
      const int64_t turned = o.family == "llama" ? o.head_dim : 0;
      dense(ours + "qkv", theirs + "attn_q", 0, queries, o.width, bias, turned);
      dense(ours + "qkv", theirs + "attn_k", queries, keys, o.width, bias, turned);
      dense(ours + "qkv", theirs + "attn_v", queries + keys, keys, o.width, bias);
    }
    if (o.family == "qwen3") {
      norm(ours + "query_norm", theirs + "attn_q_norm", o.head_dim);
      norm(ours + "key_norm", theirs + "attn_k_norm", o.head_dim);
    }
    dense(ours + "projection", theirs + "attn_output", 0, o.width, queries, gpt2_);
    norm(ours + "ffn_norm", theirs + "ffn_norm", o.width);
    if (!gpt2_) dense(ours + "up", theirs + "ffn_gate", 0, o.hidden, o.width, false);
    dense(ours + "up", theirs + "ffn_up", gpt2_ ? 0 : o.hidden, o.hidden, o.width, gpt2_);
    dense(ours + "down", theirs + "ffn_down", 0, o.width, o.hidden, gpt2_);
  }

  bool gpt2_;
  std::vector<Part> all_;
};

// Row `i` of a head stands at this place in the file.
int64_t turned_row(int64_t i, int64_t head_dim) { return i < head_dim / 2 ? 2 * i : 2 * (i - head_dim / 2) + 1; }

// Between our order of rows and the file's.
template <bool kToFile>
void turn_rows(const Part& part, const float* from, float* to) {
  const auto bytes = static_cast<size_t>(part.row_size()) * sizeof(float);
  for (int64_t row = 0; row < part.rows; ++row) {
    const int64_t i = row % part.head_dim, other = row - i + turned_row(i, part.head_dim);
    std::memcpy(to + (kToFile ? other : row) * part.row_size(), from + (kToFile ? row : other) * part.row_size(), bytes);
  }
}

void read_part(const GgufFile& file, const Part& part, std::span<float> to) {
  if (part.head_dim == 0) return file.read(part.name, to);
  std::vector<float> turned(to.size());
  file.read(part.name, turned);
  turn_rows<false>(part, turned.data(), to.data());
}

std::map<std::string, Tensor> weights_of(const Gpt& network) {
  std::map<std::string, Tensor> weights;
  for (nn::NamedTensor& w : dequantized_weights(network)) weights.emplace(std::move(w.name), std::move(w.tensor));
  return weights;
}

// ---- Groups of 8 and 4 bits, which are the same in Q8_0 and Q4_0 but for their order ----------------------------------------------

std::optional<WeightFormat> format_of(const BlockType& type) {
  const std::string_view name = type.name;
  if (name == "Q8_0") return WeightFormat::q8;
  if (name == "Q4_0") return WeightFormat::q4;
  return std::nullopt;
}

// A block: the scale, then signed codes, or halves of bytes of which the low ones are the first 16 elements'.
void block_to_group(WeightFormat format, const std::byte* block, uint8_t* codes, uint16_t& scale) {
  std::memcpy(&scale, block, sizeof scale);
  const auto* bytes = reinterpret_cast<const uint8_t*>(block) + sizeof scale;
  for (int64_t i = 0; i < kernels::kGroup; ++i) {
    codes[i] = format == WeightFormat::q8 ? static_cast<uint8_t>(bytes[i] + 128) : static_cast<uint8_t>(i < 16 ? bytes[i] & 0x0f : bytes[i - 16] >> 4);
  }
}

void group_to_block(WeightFormat format, const uint8_t* codes, uint16_t scale, std::byte* block) {
  std::memcpy(block, &scale, sizeof scale);
  auto* bytes = reinterpret_cast<uint8_t*>(block) + sizeof scale;
  if (format == WeightFormat::q8) {
    for (int64_t i = 0; i < kernels::kGroup; ++i) bytes[i] = static_cast<uint8_t>(codes[i] + 128);
  } else {
    for (int64_t i = 0; i < 16; ++i) bytes[i] = static_cast<uint8_t>(codes[i] | codes[i + 16] << 4);
  }
}

// Calls each(row of ours, group, the block's place in the part's data), rows divided among the threads.
template <class Each>
void for_groups(const Part& part, const BlockType& type, const Each& each) {
  const int64_t groups = part.columns / kernels::kGroup;
  parallel_for(part.rows, kernels::kUnitRows, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t i = part.head_dim > 0 ? row % part.head_dim : 0, there = part.head_dim > 0 ? row - i + turned_row(i, part.head_dim) : row;
      for (int64_t group = 0; group < groups; ++group) each(part.first + row, group, (there * groups + group) * type.bytes);
    }
  });
}

// The parameter in as many bits as all its parts have in the file; undefined if that is none.
QuantizedWeight read_groups(const GgufFile& file, const std::vector<Part>& parts, const std::string& parameter, int64_t rows, int64_t columns) {
  std::vector<const Part*> own;
  for (const Part& part : parts) {
    if (part.parameter == parameter) own.push_back(&part);
  }
  const BlockType& type = file.type(own.front()->name);
  const auto format = format_of(type);
  if (!format || !std::all_of(own.begin(), own.end(), [&](const Part* part) { return &file.type(part->name) == &type; })) return {};
  Tensor packed = Tensor::zeros(QuantizedWeight::packed_shape(*format, rows, columns), Dtype::u8);
  uint8_t* out = packed.mutable_data<uint8_t>();
  const kernels::PackedWeight layout{*format, rows, columns, nullptr};
  for (const Part* part : own) {
    const std::byte* data = file.bytes(part->name).data();
    for_groups(*part, type, [&](int64_t row, int64_t group, int64_t place) {
      uint8_t codes[kernels::kGroup];
      uint16_t scale = 0;
      block_to_group(*format, data + place, codes, scale);
      kernels::put_group(layout, out, row, group, codes, scale);
    });
  }
  return {*format, rows, columns, packed};
}

// What a part is stored as if the network has it in as many bits as the type; else empty.
std::vector<std::byte> blocks_of(const Gpt& network, const Part& part, const BlockType& type) {
  const auto found = network.quantized_weights().find(part.parameter);
  const auto format = format_of(type);
  if (found == network.quantized_weights().end() || format != found->second.format() || part.columns % kernels::kGroup != 0) return {};
  std::vector<std::byte> blocks(type.bytes_of(static_cast<size_t>(part.rows * part.columns)));
  for_groups(part, type, [&](int64_t row, int64_t group, int64_t place) {
    uint8_t codes[kernels::kGroup];
    uint16_t scale = 0;
    kernels::get_group(found->second.layout(), row, group, codes, &scale);
    group_to_block(*format, codes, scale, blocks.data() + place);
  });
  return blocks;
}

// ------------------------------------------------------------------------------------------------------------------------------------

const BlockType& float_type(const char* name) { return *formats::find_block_type(std::string_view(name)); }

const BlockType& type_of(const Part& part, const Gpt& network, const BlockType& wanted) {
  if (part.columns == 0 || part.name == kPositions) return float_type("F32");
  const bool is_head = part.name == (network.options().tied ? kEmbedding : kHead);
  const auto found = network.quantized_weights().find(part.parameter);
  const bool has_eight = found != network.quantized_weights().end() && found->second.format() == WeightFormat::q8;
  const BlockType& type = (is_head || has_eight) && wanted.name == std::string_view("Q4_0") ? float_type("Q8_0") : wanted;
  return part.columns % type.elements == 0 ? type : float_type("F16");
}

[[noreturn]] void fail(const GgufFile& file, const std::string& message) { throw DataError(kWhere, fmt::format("{}: {}", file.source(), message)); }

void check(const GgufFile& file, const std::vector<Part>& parts, const GptOptions& o) {
  std::set<std::string_view> expected;
  if (o.family == "llama") expected.insert(kRopeFrequencies);  // read with the options
  std::vector<std::string> missing, unexpected;
  for (const Part& part : parts) {
    expected.insert(part.name);
    if (!file.contains(part.name)) missing.push_back(part.name);
  }
  for (const std::string& name : file.names()) {
    if (!expected.contains(name)) unexpected.push_back(name);
  }
  if (!missing.empty()) fail(file, list_of_tensors("missing", missing) + (unexpected.empty() ? "" : "; " + list_of_tensors("unexpected", unexpected)));
  if (!unexpected.empty()) fail(file, list_of_tensors("unexpected", unexpected) + fmt::format("; a {} has no place for them", o.family));
  for (const Part& part : parts) {
    if (file.shape(part.name) == part.shape()) continue;
    fail(file, fmt::format("tensor {}: got {}; expected {}, as the metadata say", to_line(part.name), file.shape(part.name).str(), part.shape().str()));
  }
}

}  // namespace

std::unique_ptr<Gpt> read_gguf_weights(const GgufFile& file, const GptOptions& options) {
  const Parts parts(options);
  check(file, parts.all(), options);
  auto network = std::make_unique<Gpt>(
      options, [&](const std::string& name, int64_t rows, int64_t columns) { return read_groups(file, parts.all(), name, rows, columns); });
  std::map<std::string, Tensor> parameters;
  for (const nn::NamedTensor& p : network->named_parameters()) parameters.emplace(p.name, p.tensor);
  for (const Part& part : parts.all()) {
    const auto found = parameters.find(part.parameter);
    if (found == parameters.end()) continue;  // in few bits
    Tensor rows = found->second.rows(part.first, part.first + part.rows);
    read_part(file, part, rows.mutable_span());
  }
  return network;
}

std::vector<GgufTensor> gguf_weights(const Gpt& network, const BlockType& type) {
  const GptOptions& o = network.options();
  const std::map<std::string, Tensor> parameters = weights_of(network);
  std::vector<GgufTensor> weights;
  if (const Tensor divisors = gguf_rope_divisors(o); divisors.defined()) weights.push_back({kRopeFrequencies, divisors, &float_type("F32"), {}});
  const Parts parts(o);
  for (const Part& part : parts.all()) {
    Tensor rows = parameters.at(part.parameter).rows(part.first, part.first + part.rows);
    if (part.head_dim > 0) {
      Tensor turned = Tensor::empty(rows.shape());
      turn_rows<true>(part, rows.data(), turned.mutable_data());
      rows = turned;
    }
    const BlockType& stored = type_of(part, network, type);
    weights.push_back({part.name, rows, &stored, blocks_of(network, part, stored)});
  }
  return weights;
}

double check_gguf_weights(const GgufFile& file, const Gpt& network, const BlockType& type) {
  const std::vector<GgufTensor> weights = gguf_weights(network, type);
  if (weights.size() != file.names().size()) fail(file, fmt::format("got {} tensors; expected {}", file.names().size(), weights.size()));
  std::vector<std::byte> bytes;
  for (const GgufTensor& weight : weights) {
    const std::span<const std::byte> stored = file.bytes(weight.name);
    bytes.resize(weight.type->bytes_of(static_cast<size_t>(weight.tensor.numel())));
    if (weight.blocks.empty()) weight.type->encode(weight.tensor.span(), bytes);
    else bytes = weight.blocks;
    if (&file.type(weight.name) != weight.type || !(file.shape(weight.name) == weight.tensor.shape()) || !std::equal(bytes.begin(), bytes.end(), stored.begin(), stored.end())) {
      fail(file, fmt::format("tensor {} is not what was written", to_line(weight.name)));
    }
  }
  double largest = 0;
  const std::map<std::string, Tensor> parameters = weights_of(network);
  const Parts parts(network.options());
  std::vector<float> read;
  for (const Part& part : parts.all()) {
    const Tensor rows = parameters.at(part.parameter).rows(part.first, part.first + part.rows);
    read.resize(static_cast<size_t>(rows.numel()));
    read_part(file, part, read);
    for (size_t i = 0; i < read.size(); ++i) largest = std::max(largest, std::abs(static_cast<double>(read[i]) - rows.data()[i]));
  }
  return largest;
}

}  // namespace danlu::models
