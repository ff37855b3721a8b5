#include "danlu/learn/models/gpt_huggingface.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "danlu/base/error.h"
#include "danlu/base/temporary_directory.h"
#include "danlu/engine/ops/random.h"

namespace danlu::models {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Tensors = std::vector<formats::NamedTensor>;

GptOptions tiny(const std::string& family) {
  GptOptions o;
  o.family = family;
  o.layers = 2;
  o.heads = 4;
  o.kv_heads = family == "gpt2" ? 0 : 2;
  o.width = 16;
  o.context = 12;
  o.vocab_size = 20;
  return o;
}

Json config_of(const std::string& family) { return gpt_to_huggingface(Gpt(tiny(family), false).options()); }

template <class Body>
std::string words(const Body& body) {
  try {
    body();
  } catch (const DataError& error) {
    return error.message();
  }
  return "";
}

// The words with which a configuration is refused that has `value` for `key`.
std::string refusal(const std::string& family, const char* key, const Json& value) {
  Json config = config_of(family);
  config[key] = value;
  return words([&] { gpt_from_huggingface(config, "m/config.json"); });
}

TEST(HuggingFaceConfig, ComesBackAsWritten) {
  for (const char* family : {"gpt2", "llama", "qwen2", "qwen3"}) {
    GptOptions o = tiny(family);
    o.tied = false;
    o.norm_eps = 1e-6;
    if (o.family == "gpt2") {
      o.dropout = 0.2;
    } else {
      o.rope_theta = 5e5;
      o.rope_factor = 8;
      o.head_dim = 6;
    }
    const Gpt network(o, false);
    EXPECT_EQ(write_options(gpt_from_huggingface(gpt_to_huggingface(network.options()), "x")), write_options(network.options())) << family;
  }
}

TEST(HuggingFaceConfig, HasTheDefaultsOfItsClass) {
  Json config = config_of("qwen3");
  for (const char* key : {"num_key_value_heads", "head_dim", "rope_theta", "rms_norm_eps", "tie_word_embeddings"}) config.erase(key);
  config["rope_scaling"] = nullptr;
  const GptOptions o = gpt_from_huggingface(config, "x");
  EXPECT_EQ(o.kv_heads, 4);
  EXPECT_EQ(o.head_dim, 128);
  EXPECT_EQ(o.rope_theta, 10000);
  EXPECT_EQ(o.norm_eps, 1e-6);
  EXPECT_FALSE(o.tied);
  config["model_type"] = "llama";
  EXPECT_EQ(gpt_from_huggingface(config, "x").head_dim, 4);
}

TEST(HuggingFaceConfig, RopeIsReadInBothSpellings) {
  Json config = config_of("llama");
  const Json stretched = {{"factor", 8.0}, {"low_freq_factor", 1.0}, {"high_freq_factor", 4.0}, {"original_max_position_embeddings", 64}};
  config.erase("rope_theta");
  config["rope_parameters"] = stretched;
  config["rope_parameters"].update({{"rope_type", "llama3"}, {"rope_theta", 5e5}});
  const GptOptions together = gpt_from_huggingface(config, "x");
  EXPECT_EQ(together.rope_theta, 5e5);
  EXPECT_EQ(together.rope_factor, 8);
  EXPECT_EQ(together.rope_original_context, 64);

  config.erase("rope_parameters");
  config["rope_theta"] = 5e5;
  config["rope_scaling"] = stretched;
  config["rope_scaling"]["type"] = "llama3";
  EXPECT_EQ(write_options(gpt_from_huggingface(config, "x")), write_options(together));
  config["rope_scaling"] = {{"rope_type", "default"}};
  EXPECT_EQ(gpt_from_huggingface(config, "x").rope_factor, 1);
}

TEST(HuggingFaceConfig, RefusesWhatItDoesNotHaveByName) {
  const struct {
    const char* family;
    const char* key;
    Json value;
    const char* words;
  } cases[] = {
      {"llama", "model_type", "mixtral", R"(model_type: got "mixtral"; expected "gpt2" or "llama" or "qwen2" or "qwen3")"},
      {"llama", "model_type", nullptr, "model_type: got nothing"},
      {"llama", "hidden_act", "gelu", R"(hidden_act: got "gelu"; expected "silu")"},
      {"llama", "attention_bias", true, "attention_bias: got true; expected false; nothing else is supported"},
      {"llama", "mlp_bias", true, "mlp_bias: got true"},
      {"qwen3", "attention_bias", true, "attention_bias: got true"},
      {"llama", "quantization_config", {{"bits", 4}}, R"(quantization_config: got {"bits":4}; expected null)"},
      {"llama", "rope_scaling", {{"rope_type", "yarn"}, {"factor", 4}}, R"(rope_scaling: rope_type: got "yarn"; expected "default" or "llama3")"},
      {"llama", "rope_scaling", {{"type", "linear"}}, R"(rope_scaling: type: got "linear")"},
      {"llama", "rope_scaling", {{"factor", 4}}, "rope_scaling: rope_type: got nothing"},
      {"llama", "rope_scaling", {{"rope_type", "llama3"}}, "rope_scaling: factor: got nothing"},
      {"llama", "rope_scaling", 3, "rope_scaling: expected an object"},
      {"llama", "rope_parameters", {{"full_attention", Json::object()}}, "rope_parameters: full_attention: got {}"},
      {"llama", "partial_rotary_factor", 0.5, "partial_rotary_factor: got 0.5"},
      {"qwen2", "use_sliding_window", true, "use_sliding_window: got true"},
      {"qwen2", "layer_types", {"full_attention", "sliding_attention"}, "layer_types: got"},
      {"gpt2", "activation_function", "relu", R"(activation_function: got "relu"; expected "gelu_new")"},
      {"gpt2", "scale_attn_by_inverse_layer_idx", true, "scale_attn_by_inverse_layer_idx: got true"},
      {"gpt2", "add_cross_attention", true, "add_cross_attention: got true"},
      {"gpt2", "n_layer", 0, "n_layer: got 0; expected a whole number from 1 to 1000"},
      {"gpt2", "n_layer", "2", R"(n_layer: got "2")"},
      {"gpt2", "n_layer", nullptr, "n_layer: got nothing"},
      {"gpt2", "n_embd", 18446744073709551615u, "n_embd: got 18446744073709551615"},
      {"gpt2", "n_embd", 16.0, "n_embd: got 16.0"},
      {"gpt2", "n_head", 3, "heads: got 3 for a width of 16"},
      {"gpt2", "tie_word_embeddings", "yes", "tie_word_embeddings: got \"yes\"; expected true or false"},
      {"llama", "num_key_value_heads", 3, "kv_heads: got 3 for 4 heads"},
      {"llama", "rms_norm_eps", "1e-5", "rms_norm_eps: got \"1e-5\"; expected a number from 0 to 1"},
      {"llama", "vocab_size", -1, "vocab_size: got -1"},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(refusal(c.family, c.key, c.value), AllOf(HasSubstr("m/config.json"), HasSubstr(c.words))) << c.family << " " << c.key;
  }
  EXPECT_THAT(words([] { gpt_from_huggingface(Json::array(), "c"); }), HasSubstr("expected an object"));
}

class HuggingFaceWeights : public testing::Test {
 protected:
  HuggingFaceWeights() { manual_seed(5); }

  Tensors weights_of(const GptOptions& options) const { return huggingface_weights(Gpt(options)); }
  // Reads these tensors as the weights of a network.
  std::unique_ptr<Gpt> read(const Tensors& tensors, const GptOptions& options) const {
    formats::write_safetensors(directory_ / "model.safetensors", tensors);
    return read_huggingface_weights(formats::SafetensorsFolder(directory_.path()), Gpt(options, false).options());
  }
  std::string refusal_of(const Tensors& tensors, const GptOptions& options) const {
    return words([&] { read(tensors, options); });
  }

  const TemporaryDirectory directory_;
};

template <class NamedTensors>
std::vector<float> find(const NamedTensors& tensors, std::string_view name) {
  const auto it = std::find_if(tensors.begin(), tensors.end(), [&](const auto& t) { return t.name == name; });
  return it == tensors.end() ? std::vector<float>() : it->tensor.to_vector();
}

Tensors renamed(Tensors tensors, const std::function<std::string(const std::string&)>& name) {
  for (auto& tensor : tensors) tensor.name = name(tensor.name);
  return tensors;
}

TEST_F(HuggingFaceWeights, Conv1dIsTransposed) {
  const Gpt network(tiny("gpt2"));
  const std::vector<float> ours = find(network.named_parameters(), "blocks.1.up.weight");
  const std::vector<float> theirs = find(huggingface_weights(network), "transformer.h.1.mlp.c_fc.weight");
  ASSERT_EQ(ours.size(), 64u * 16u);
  ASSERT_EQ(theirs.size(), ours.size());
  for (size_t out = 0; out < 64; ++out) {
    for (size_t in = 0; in < 16; ++in) ASSERT_EQ(theirs[in * 64 + out], ours[out * 16 + in]);
  }
}

TEST_F(HuggingFaceWeights, QueryKeyAndValueFollowOneAnother) {
  const Gpt network(tiny("qwen2"));
  const Tensors theirs = huggingface_weights(network);
  std::vector<float> joined;
  for (const char* part : {"q", "k", "v"}) {
    const auto rows = find(theirs, std::string("model.layers.0.self_attn.") + part + "_proj.weight");
    joined.insert(joined.end(), rows.begin(), rows.end());
  }
  EXPECT_EQ(find(network.named_parameters(), "blocks.0.qkv.weight"), joined);
}

TEST_F(HuggingFaceWeights, TheBareNetworkHasNoPrefix) {
  for (const char* family : {"gpt2", "llama"}) {
    const Tensors tensors = renamed(weights_of(tiny(family)), [](const std::string& name) { return name.substr(name.find('.') + 1); });
    EXPECT_EQ(refusal_of(tensors, tiny(family)), "") << family;
  }
}

TEST_F(HuggingFaceWeights, KnownBuffersArePassedOver) {
  Tensors tensors = weights_of(tiny("gpt2"));
  tensors.push_back({"transformer.h.0.attn.bias", Tensor::zeros({1, 1, 12, 12}, Dtype::u8)});
  tensors.push_back({"transformer.h.0.attn.masked_bias", Tensor::scalar(-1e4f)});
  EXPECT_EQ(refusal_of(tensors, tiny("gpt2")), "");
  tensors = weights_of(tiny("llama"));
  tensors.push_back({"model.layers.0.self_attn.rotary_emb.inv_freq", Tensor::zeros({2})});
  EXPECT_EQ(refusal_of(tensors, tiny("llama")), "");
}

TEST_F(HuggingFaceWeights, MissingAndUnexpectedTensorsAreNamed) {
  Tensors tensors = weights_of(tiny("llama"));
  tensors.pop_back();
  EXPECT_THAT(refusal_of(tensors, tiny("llama")), AllOf(HasSubstr("model.safetensors: missing tensor \"model.norm.weight\"")));
  tensors.push_back({"model.norm.weight", Tensor::zeros({16})});
  tensors.push_back({"score.weight", Tensor::zeros({2, 16})});
  EXPECT_THAT(refusal_of(tensors, tiny("llama")), HasSubstr("unexpected tensor \"score.weight\""));
  EXPECT_THAT(refusal_of(weights_of(tiny("llama")), tiny("qwen2")),
              HasSubstr("6 missing tensors: \"model.layers.0.self_attn.q_proj.bias\", "));
  GptOptions untied = tiny("llama");
  untied.tied = false;
  EXPECT_THAT(refusal_of(weights_of(tiny("llama")), untied), HasSubstr("missing tensor \"lm_head.weight\""));
}

TEST_F(HuggingFaceWeights, ShapesMustBeThoseOfTheConfiguration) {
  GptOptions wide = tiny("llama");
  wide.hidden = 32;
  EXPECT_THAT(refusal_of(weights_of(wide), tiny("llama")),
              HasSubstr("tensor \"model.layers.0.mlp.gate_proj.weight\": got F32 (32, 16); expected (64, 16) of a floating-point type"));
  Tensors tensors = weights_of(tiny("llama"));
  tensors.back().tensor = Tensor::zeros({16}, Dtype::i32);
  EXPECT_THAT(refusal_of(tensors, tiny("llama")), HasSubstr("tensor \"model.norm.weight\": got I32 (16,)"));
}

// Sizes that would take terabytes are refused for what the file has, before any is taken.
TEST_F(HuggingFaceWeights, AbsurdSizesCostNothing) {
  formats::write_safetensors(directory_ / "model.safetensors", weights_of(tiny("llama")));
  Json config = config_of("llama");
  config.update({{"hidden_size", 1000000}, {"intermediate_size", 10000000}, {"vocab_size", 100000000}, {"head_dim", 4096}, {"num_attention_heads", 4096}});
  const std::string refused = words([&] {
    read_huggingface_weights(formats::SafetensorsFolder(directory_.path()), gpt_from_huggingface(config, "config.json"));
  });
  EXPECT_THAT(refused, HasSubstr("got F32 (20, 16); expected (100000000, 1000000)"));
}

TEST_F(HuggingFaceWeights, ATiedHeadMustBeTheEmbedding) {
  Tensors tensors = weights_of(tiny("qwen3"));
  tensors.push_back({"lm_head.weight", tensors[0].tensor});
  EXPECT_EQ(refusal_of(tensors, tiny("qwen3")), "");
  tensors.back().tensor = Tensor::zeros({20, 16});
  EXPECT_THAT(refusal_of(tensors, tiny("qwen3")), HasSubstr("\"lm_head.weight\" differs from the embedding"));
  tensors.back().tensor = Tensor::zeros({20});
  EXPECT_THAT(refusal_of(tensors, tiny("qwen3")), HasSubstr("\"lm_head.weight\" differs from the embedding"));
}

}  // namespace
}  // namespace danlu::models
