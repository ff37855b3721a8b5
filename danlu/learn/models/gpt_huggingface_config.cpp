#include <algorithm>
#include <optional>
#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/learn/models/gpt_huggingface.h"

namespace danlu::models {
namespace {

constexpr const char* kWhere = "learn.huggingface";
constexpr int64_t kMaxLayers = 1000, kMaxHeads = 4096, kMaxHeadDim = 4096, kMaxWidth = 1'000'000, kMaxHidden = 10'000'000,
                  kMaxContext = 10'000'000, kMaxVocab = 100'000'000;

// An object of untrusted JSON, read key by key. null counts as absent, as in Python.
class Keys {
 public:
  Keys(const Json& json, std::string source) : json_(json), source_(std::move(source)) {
    if (!json.is_object()) fail("expected an object");
  }

  [[noreturn]] void fail(const std::string& message) const { throw DataError(kWhere, fmt::format("{}: {}", source_, message)); }
  [[noreturn]] void fail(const char* key, const std::string& expected) const {
    fail(fmt::format("{}: got {}; expected {}", key, has(key) ? to_line(json_[key]) : "nothing", expected));
  }

  bool has(const char* key) const { return json_.contains(key) && !json_[key].is_null(); }
  const Json& operator[](const char* key) const { return json_[key]; }

  int64_t size(const char* key, int64_t most, std::optional<int64_t> absent = {}) const {
    if (!has(key) && absent) return *absent;
    if (has(key) && json_[key].is_number_integer()) {
      const auto value = json_[key].get<int64_t>();  // 2^63 and above wrap to a negative number
      if (value >= 1 && value <= most) return value;
    }
    fail(key, fmt::format("a whole number from 1 to {}", most));
  }
  double number(const char* key, double least, double most, std::optional<double> absent = {}) const {
    if (!has(key) && absent) return *absent;
    if (has(key) && json_[key].is_number()) {
      const auto value = json_[key].get<double>();
      if (value >= least && value <= most) return value;
    }
    fail(key, fmt::format("a number from {} to {}", least, most));
  }
  bool flag(const char* key, bool absent) const {
    if (!has(key)) return absent;
    if (!json_[key].is_boolean()) fail(key, "true or false");
    return json_[key].get<bool>();
  }
  // What is there must be one of these: nothing else is supported.
  void require(const char* key, const std::vector<Json>& supported) const {
    if (!has(key) || std::find(supported.begin(), supported.end(), json_[key]) != supported.end()) return;
    std::string words;
    for (const Json& value : supported) words += (words.empty() ? "" : " or ") + to_line(value);
    fail(key, words + "; nothing else is supported");
  }
  void refuse(const char* key) const {
    if (has(key)) fail(key, "null; this is not supported");
  }

 private:
  const Json& json_;
  std::string source_;
};

GptOptions read_gpt2(const Keys& keys) {
  keys.require("activation_function", {"gelu_new", "gelu_pytorch_tanh"});
  keys.require("scale_attn_weights", {true});
  keys.require("scale_attn_by_inverse_layer_idx", {false});
  keys.require("add_cross_attention", {false});
  GptOptions o;
  o.layers = keys.size("n_layer", kMaxLayers);
  o.heads = o.kv_heads = keys.size("n_head", kMaxHeads);
  o.width = keys.size("n_embd", kMaxWidth);
  o.hidden = keys.size("n_inner", kMaxHidden, 4 * o.width);
  o.context = keys.size("n_positions", kMaxContext);
  o.norm_eps = keys.number("layer_norm_epsilon", 0, 1, 1e-5);
  o.dropout = keys.number("resid_pdrop", 0, 0.99, 0.1);
  o.tied = keys.flag("tie_word_embeddings", true);
  return o;
}

// Releases before 5 have rope_theta and rope_scaling beside the sizes, later ones both in rope_parameters.
void read_rope(const Keys& keys, const std::string& source, GptOptions& o) {
  const bool together = keys.has("rope_parameters");
  const char* key = together ? "rope_parameters" : "rope_scaling";
  o.rope_theta = keys.number("rope_theta", 1, 1e12, 10000);
  keys.require("partial_rotary_factor", {1.0});
  if (!keys.has(key)) return;
  const Keys rope(keys[key], source + ": " + key);
  for (const auto& [name, value] : keys[key].items()) {
    if (value.is_object()) rope.fail(name.c_str(), "one setting for all layers; nothing else is supported");
  }
  if (together) o.rope_theta = rope.number("rope_theta", 1, 1e12, o.rope_theta);
  rope.require("partial_rotary_factor", {1.0});
  rope.require("type", {"default", "llama3"});
  rope.require("rope_type", {"default", "llama3"});
  const char* type = rope.has("rope_type") ? "rope_type" : "type";
  if (!rope.has(type)) {
    if (together) return;
    rope.fail("rope_type", "\"default\" or \"llama3\"");
  }
  if (rope[type] == "default") return;
  o.rope_factor = rope.number("factor", 1, 1e6);
  o.rope_low_freq = rope.number("low_freq_factor", 0, 1e6);
  o.rope_high_freq = rope.number("high_freq_factor", 0, 1e6);
  o.rope_original_context = rope.size("original_max_position_embeddings", 1'000'000'000);
}

void refuse_sliding_window(const Keys& keys) {
  keys.require("use_sliding_window", {false});
  if (!keys.has("layer_types")) return;
  const Json& types = keys["layer_types"];
  const bool full = types.is_array() && std::all_of(types.begin(), types.end(), [](const Json& type) { return type == "full_attention"; });
  if (!full) keys.fail("layer_types", "\"full_attention\" for every layer; nothing else is supported");
}

GptOptions read_llama(const Keys& keys, const std::string& source, const std::string& family) {
  keys.require("hidden_act", {"silu", "swish"});
  keys.require("mlp_bias", {false});
  if (family != "qwen2") keys.require("attention_bias", {false});  // Qwen2 has its own and no such key
  refuse_sliding_window(keys);
  GptOptions o;
  o.layers = keys.size("num_hidden_layers", kMaxLayers);
  o.heads = keys.size("num_attention_heads", kMaxHeads);
  o.kv_heads = keys.size("num_key_value_heads", kMaxHeads, o.heads);
  o.width = keys.size("hidden_size", kMaxWidth);
  // Qwen3's heads are 128 wide unless said otherwise, whatever the width; 0 stands for an even share of it.
  o.head_dim = keys.has("head_dim") ? keys.size("head_dim", kMaxHeadDim) : family == "qwen3" ? 128 : 0;
  o.hidden = keys.size("intermediate_size", kMaxHidden);
  o.context = keys.size("max_position_embeddings", kMaxContext);
  o.norm_eps = keys.number("rms_norm_eps", 0, 1, 1e-6);
  o.tied = keys.flag("tie_word_embeddings", false);
  read_rope(keys, source, o);
  return o;
}

Json write_gpt2(const GptOptions& o) {
  return {{"architectures", {"GPT2LMHeadModel"}},
          {"model_type", "gpt2"},
          {"activation_function", "gelu_new"},
          {"attn_pdrop", 0.0},
          {"embd_pdrop", o.dropout},
          {"resid_pdrop", o.dropout},
          {"layer_norm_epsilon", o.norm_eps},
          {"n_embd", o.width},
          {"n_head", o.heads},
          {"n_inner", o.hidden},
          {"n_layer", o.layers},
          {"n_positions", o.context}};
}

Json write_llama(const GptOptions& o) {
  const char* architecture = o.family == "llama" ? "LlamaForCausalLM" : o.family == "qwen2" ? "Qwen2ForCausalLM" : "Qwen3ForCausalLM";
  Json json = {{"architectures", {architecture}},
               {"model_type", o.family},
               {"hidden_act", "silu"},
               {"hidden_size", o.width},
               {"intermediate_size", o.hidden},
               {"num_hidden_layers", o.layers},
               {"num_attention_heads", o.heads},
               {"num_key_value_heads", o.kv_heads},
               {"head_dim", o.head_dim},
               {"max_position_embeddings", o.context},
               {"rms_norm_eps", o.norm_eps},
               {"rope_theta", o.rope_theta},
               {"rope_scaling", nullptr},
               {"attention_dropout", 0.0}};
  if (o.rope_factor != 1) {
    json["rope_scaling"] = {{"rope_type", "llama3"},
                            {"factor", o.rope_factor},
                            {"low_freq_factor", o.rope_low_freq},
                            {"high_freq_factor", o.rope_high_freq},
                            {"original_max_position_embeddings", o.rope_original_context}};
  }
  if (o.family != "qwen2") json["attention_bias"] = false;
  if (o.family == "llama") json["mlp_bias"] = false;
  if (o.family != "llama") json["use_sliding_window"] = false;
  return json;
}

}  // namespace

GptOptions gpt_from_huggingface(const Json& config, const std::string& source) {
  const Keys keys(config, source);
  if (!keys.has("model_type")) keys.fail("model_type", "the kind of network");
  keys.require("model_type", {"gpt2", "llama", "qwen2", "qwen3"});
  keys.refuse("quantization_config");
  keys.require("is_encoder_decoder", {false});
  const auto family = keys["model_type"].get<std::string>();
  GptOptions o = family == "gpt2" ? read_gpt2(keys) : read_llama(keys, source, family);
  o.family = family;
  o.vocab_size = keys.size("vocab_size", kMaxVocab);
  try {
    check_gpt(o, {}, "");
  } catch (const ConfigError& error) {
    keys.fail(error.message());
  }
  if (o.head_dim == 0) o.head_dim = o.width / o.heads;
  return o;
}

Json gpt_to_huggingface(const GptOptions& o) {
  Json json = o.family == "gpt2" ? write_gpt2(o) : write_llama(o);
  json["vocab_size"] = o.vocab_size;
  json["tie_word_embeddings"] = o.tied;
  json["torch_dtype"] = "float32";
  return json;
}

}  // namespace danlu::models
