#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/learn/models/gpt_huggingface.h"
#include "danlu/learn/models/list_of_tensors.h"

namespace danlu::models {
namespace {

using formats::NamedTensor;
using formats::SafetensorsFolder;

constexpr const char* kWhere = "learn.huggingface";
constexpr const char* kHead = "lm_head.weight";

// One of our parameters as transformers has it: in parts, whose rows follow one another in ours.
struct Layout {
  struct Part {
    std::string name;
    int64_t rows;
  };
  std::string parameter;
  int64_t columns = 0;  // 0: a vector
  bool transposed = false;
  std::vector<Part> parts;

  Shape shape_of(const Part& part) const {
    if (columns == 0) return {part.rows};
    return transposed ? Shape{columns, part.rows} : Shape{part.rows, columns};
  }
};

// The layouts of a network, in the order of its layers.
class Layouts {
 public:
  Layouts(const GptOptions& options, const std::string& prefix) : gpt2_(options.family == "gpt2") {
    const GptOptions& o = options;
    matrix("token_embedding", o.width, {{prefix + (gpt2_ ? "wte.weight" : "embed_tokens.weight"), o.vocab_size}});
    if (gpt2_) matrix("position_embedding", o.width, {{prefix + "wpe.weight", o.context}});
    for (int64_t i = 0; i < o.layers; ++i) {
      const std::string ours = fmt::format("blocks.{}.", i);
      const std::string theirs = fmt::format("{}{}.{}.", prefix, gpt2_ ? "h" : "layers", i);
      gpt2_ ? gpt2_block(o, ours, theirs) : llama_block(o, ours, theirs);
    }
    norm("final_norm", prefix + (gpt2_ ? "ln_f" : "norm"), o.width);
    if (!o.tied) matrix("head.weight", o.width, {{kHead, o.vocab_size}});
  }
  const std::vector<Layout>& all() const { return all_; }

 private:
  using Parts = std::vector<Layout::Part>;

  void matrix(const std::string& parameter, int64_t columns, Parts parts) { all_.push_back({parameter, columns, false, std::move(parts)}); }
  void norm(const std::string& ours, const std::string& theirs, int64_t size) {
    all_.push_back({ours + ".weight", 0, false, {{theirs + ".weight", size}}});
    if (gpt2_) all_.push_back({ours + ".bias", 0, false, {{theirs + ".bias", size}}});
  }
  // Parts are named without ".weight".
  void dense(const std::string& ours, int64_t in, const Parts& parts, bool bias) {
    Layout weight{ours + ".weight", in, gpt2_, {}}, vector{ours + ".bias", 0, false, {}};
    for (const auto& [name, rows] : parts) {
      weight.parts.push_back({name + ".weight", rows});
      vector.parts.push_back({name + ".bias", rows});
    }
    all_.push_back(std::move(weight));
    if (bias) all_.push_back(std::move(vector));
  }
  void gpt2_block(const GptOptions& o, const std::string& ours, const std::string& theirs) {
    norm(ours + "attention_norm", theirs + "ln_1", o.width);
    dense(ours + "qkv", o.width, {{theirs + "attn.c_attn", 3 * o.width}}, true);
    dense(ours + "projection", o.width, {{theirs + "attn.c_proj", o.width}}, true);
    norm(ours + "ffn_norm", theirs + "ln_2", o.width);
    dense(ours + "up", o.width, {{theirs + "mlp.c_fc", o.hidden}}, true);
    dense(ours + "down", o.hidden, {{theirs + "mlp.c_proj", o.width}}, true);
  }
  void llama_block(const GptOptions& o, const std::string& ours, const std::string& theirs) {
    const std::string attention = theirs + "self_attn.", ffn = theirs + "mlp.";
    const int64_t queries = o.heads * o.head_dim, keys = o.kv_heads * o.head_dim;
    norm(ours + "attention_norm", theirs + "input_layernorm", o.width);
    dense(ours + "qkv", o.width, {{attention + "q_proj", queries}, {attention + "k_proj", keys}, {attention + "v_proj", keys}}, o.family == "qwen2");
    if (o.family == "qwen3") {
      norm(ours + "query_norm", attention + "q_norm", o.head_dim);
      norm(ours + "key_norm", attention + "k_norm", o.head_dim);
    }
    dense(ours + "projection", queries, {{attention + "o_proj", o.width}}, false);
    norm(ours + "ffn_norm", theirs + "post_attention_layernorm", o.width);
    dense(ours + "up", o.width, {{ffn + "gate_proj", o.hidden}, {ffn + "up_proj", o.hidden}}, false);
    dense(ours + "down", o.hidden, {{ffn + "down_proj", o.width}}, false);
  }

  bool gpt2_;
  std::vector<Layout> all_;
};

const char* prefix_of(const GptOptions& options) { return options.family == "gpt2" ? "transformer." : "model."; }

// Masks and frequencies that old releases saved; they follow from the configuration.
bool is_known_buffer(std::string_view name) {
  return name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias") || name.ends_with("rotary_emb.inv_freq");
}

[[noreturn]] void fail(const SafetensorsFolder& folder, const std::string& message) {
  throw DataError(kWhere, fmt::format("{}: {}", folder.source(), message));
}

void check_names(const SafetensorsFolder& folder, const std::vector<Layout>& layouts, bool tied) {
  std::set<std::string_view> expected;
  if (tied) expected.insert(kHead);  // a copy, which check_tied looks at
  std::vector<std::string> missing, unexpected;
  for (const Layout& layout : layouts) {
    for (const Layout::Part& part : layout.parts) {
      expected.insert(part.name);
      if (!folder.contains(part.name)) missing.push_back(part.name);
    }
  }
  for (const std::string& name : folder.names()) {
    if (!expected.contains(name) && !is_known_buffer(name)) unexpected.push_back(name);
  }
  if (!missing.empty()) fail(folder, list_of_tensors("missing", missing) + (unexpected.empty() ? "" : "; " + list_of_tensors("unexpected", unexpected)));
  if (!unexpected.empty()) fail(folder, list_of_tensors("unexpected", unexpected) + "; the network that config.json describes has no place for them");
}

void check_shapes(const SafetensorsFolder& folder, const std::vector<Layout>& layouts) {
  for (const Layout& layout : layouts) {
    for (const Layout::Part& part : layout.parts) {
      const Shape expected = layout.shape_of(part);
      const formats::StoredType& type = folder.stored_type(part.name);
      if (!(folder.shape(part.name) == expected) || type.dtype != Dtype::f32) {
        fail(folder, fmt::format("tensor \"{}\": got {} {}; expected {} of a floating-point type, as config.json says", part.name, type.name,
                                 folder.shape(part.name).str(), expected.str()));
      }
    }
  }
}

void transpose(const Tensor& from, float* to) {
  const int64_t rows = from.size(0), columns = from.size(1);
  const float* in = from.data();
  for (int64_t c = 0; c < columns; ++c) {
    for (int64_t r = 0; r < rows; ++r) to[c * rows + r] = in[r * columns + c];
  }
}

void read_parts(const SafetensorsFolder& folder, const Layout& layout, Tensor parameter) {
  float* to = parameter.mutable_data();
  for (const Layout::Part& part : layout.parts) {
    const int64_t size = part.rows * std::max<int64_t>(layout.columns, 1);
    if (layout.transposed) {
      transpose(folder.read(part.name), to);
    } else {
      folder.read(part.name, {to, static_cast<size_t>(size)});
    }
    to += size;
  }
}

// A head that is said to be the embedding and is there besides must be the same.
void check_tied(const SafetensorsFolder& folder, const Tensor& embedding) {
  if (!folder.contains(kHead)) return;
  const bool fits = folder.shape(kHead) == embedding.shape() && folder.stored_type(kHead).dtype == Dtype::f32;
  const Tensor head = fits ? folder.read(kHead) : Tensor();
  if (!fits || std::memcmp(head.raw_bytes(), embedding.raw_bytes(), head.bytes()) != 0) {
    fail(folder, fmt::format("tensor \"{}\" differs from the embedding, and config.json has tie_word_embeddings: true", kHead));
  }
}

}  // namespace

std::unique_ptr<Gpt> read_huggingface_weights(const SafetensorsFolder& folder, const GptOptions& options) {
  // The bare network, without a head, is saved without the prefix.
  const std::string embedding = options.family == "gpt2" ? "wte.weight" : "embed_tokens.weight";
  const Layouts layouts(options, folder.contains(embedding) ? "" : prefix_of(options));
  check_names(folder, layouts.all(), options.tied);
  check_shapes(folder, layouts.all());

  auto network = std::make_unique<Gpt>(options, false);
  std::map<std::string, Tensor> parameters;
  for (const nn::NamedTensor& p : network->named_parameters()) parameters.emplace(p.name, p.tensor);
  for (const Layout& layout : layouts.all()) read_parts(folder, layout, parameters.at(layout.parameter));
  if (options.tied) check_tied(folder, parameters.at("token_embedding"));
  return network;
}

std::vector<NamedTensor> huggingface_weights(const Gpt& network) {
  std::map<std::string, Tensor> parameters;
  for (const nn::NamedTensor& p : network.named_parameters()) parameters.emplace(p.name, p.tensor);
  std::vector<NamedTensor> weights;
  const Layouts layouts(network.options(), prefix_of(network.options()));
  for (const Layout& layout : layouts.all()) {
    int64_t row = 0;
    for (const Layout::Part& part : layout.parts) {
      Tensor tensor = parameters.at(layout.parameter).rows(row, row + part.rows);
      row += part.rows;
      if (layout.transposed) {
        const Tensor ours = std::move(tensor);
        tensor = Tensor::empty(layout.shape_of(part));
        transpose(ours, tensor.mutable_data());
      }
      weights.push_back({part.name, tensor});
    }
  }
  return weights;
}

}  // namespace danlu::models
