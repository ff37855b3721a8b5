#include "danlu/learn/models/gpt_gguf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "danlu/base/error.h"
#include "danlu/base/temporary_directory.h"
#include "danlu/engine/ops/random.h"
#include "danlu/learn/models/gpt_gguf_rope.h"

namespace danlu::models {
namespace {

using formats::BlockType;
using formats::GgufFile;
using formats::GgufMetadata;
using formats::GgufTensor;
using formats::GgufValue;
using testing::Contains;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;

constexpr const char* kFamilies[] = {"gpt2", "llama", "qwen2", "qwen3"};

const BlockType& type_named(std::string_view name) { return *formats::find_block_type(name); }

GptOptions tiny(const std::string& family) {
  GptOptions o;
  o.family = family;
  o.layers = 2;
  o.heads = 4;
  o.kv_heads = family == "gpt2" ? 0 : 2;
  o.width = 32;
  o.context = 12;
  o.vocab_size = 20;
  o.norm_eps = 1e-6;
  return o;
}

std::unique_ptr<Gpt> random_network(const GptOptions& options) {
  manual_seed(2);
  auto network = std::make_unique<Gpt>(options);
  for (Tensor parameter : network->parameters()) {  // vectors too, so that none passes for another
    for (float& x : parameter.mutable_span()) x += static_cast<float>(&x - parameter.data()) / 4096;
  }
  return network;
}

class GgufGpt : public testing::Test {
 protected:
  GgufFile written(const Gpt& network, std::string_view type = "F32") const { return write(gpt_to_gguf(network.options()), formats_of(network, type)); }
  GgufFile write(const GgufMetadata& metadata, const std::vector<GgufTensor>& tensors) const {
    formats::write_gguf(directory_ / "x.gguf", metadata, tensors);
    return GgufFile(directory_ / "x.gguf");
  }
  static std::vector<GgufTensor> formats_of(const Gpt& network, std::string_view type = "F32") { return gguf_weights(network, type_named(type)); }

  // The words with which a file is refused that has another value for a key, or one tensor more or less.
  template <class Change>
  std::string refusal(const std::string& family, const Change& change) const {
    const Gpt network(tiny(family), false);
    GgufMetadata metadata = gpt_to_gguf(network.options());
    std::vector<GgufTensor> tensors = formats_of(network);
    change(metadata, tensors);
    const GgufFile file = write(metadata, tensors);
    try {
      read_gguf_weights(file, gpt_from_gguf(file));
    } catch (const DataError& error) {
      EXPECT_THAT(error.message(), HasSubstr("x.gguf: "));
      return error.message();
    }
    return "";
  }
  std::string refusal(const std::string& family, const std::string& key, const std::optional<GgufValue>& value) const {
    return refusal(family, [&](GgufMetadata& metadata, auto&) {
      std::erase_if(metadata, [&](const auto& pair) { return pair.first == key; });
      if (value) metadata.emplace_back(key, *value);
    });
  }

  const TemporaryDirectory directory_;
};

TEST_F(GgufGpt, ComesBackAsWritten) {
  for (const char* family : kFamilies) {
    for (const bool tied : {true, false}) {
      GptOptions options = tiny(family);
      options.tied = tied;
      if (options.family == "llama" || options.family == "qwen3") options.head_dim = 6;
      if (options.family != "gpt2") options.rope_theta = 5e5;
      const auto network = random_network(options);
      const GgufFile file = written(*network);
      const GptOptions read = gpt_from_gguf(file);
      EXPECT_EQ(write_options(read), write_options(network->options())) << family;
      const auto before = network->named_parameters(), after = read_gguf_weights(file, read)->named_parameters();
      ASSERT_EQ(before.size(), after.size());
      for (size_t i = 0; i < before.size(); ++i) EXPECT_EQ(before[i].tensor.to_vector(), after[i].tensor.to_vector()) << family << " " << before[i].name;
      EXPECT_EQ(check_gguf_weights(file, *network, type_named("F32")), 0);
    }
  }
}

TEST_F(GgufGpt, HasTheNamesOfLlamaCpp) {
  EXPECT_THAT(written(Gpt(tiny("gpt2"), false)).names(),
              IsSupersetOf({"token_embd.weight", "position_embd.weight", "blk.0.attn_norm.weight", "blk.0.attn_norm.bias", "blk.1.attn_qkv.weight",
                            "blk.1.attn_qkv.bias", "blk.1.attn_output.bias", "blk.1.ffn_norm.bias", "blk.0.ffn_up.weight", "blk.0.ffn_down.bias", "output_norm.bias"}));
  const std::vector<std::string> llama = written(Gpt(tiny("llama"), false)).names();
  EXPECT_THAT(llama, IsSupersetOf({"blk.0.attn_q.weight", "blk.0.attn_k.weight", "blk.0.attn_v.weight", "blk.0.ffn_gate.weight", "output_norm.weight"}));
  EXPECT_THAT(llama, Not(Contains("output.weight")));
  EXPECT_THAT(llama, Not(Contains("blk.0.attn_q.bias")));
  EXPECT_THAT(written(Gpt(tiny("qwen2"), false)).names(), Contains("blk.0.attn_q.bias"));
  EXPECT_THAT(written(Gpt(tiny("qwen3"), false)).names(), IsSupersetOf({"blk.0.attn_q_norm.weight", "blk.1.attn_k_norm.weight"}));
}

// Pairs that RoPE turns are halves of a head apart with us and neighbours in a llama there.
TEST_F(GgufGpt, RowsOfALlamasQueriesAndKeysAreInterleaved) {
  for (const char* family : {"llama", "qwen2"}) {
    const auto network = random_network(tiny(family));
    const GgufFile file = written(*network);
    const auto rows = [&](const char* name) {
      std::vector<float> values(static_cast<size_t>(file.shape(name).numel()));
      file.read(name, values);
      return values;
    };
    const auto parameters = network->named_parameters();
    const auto qkv = std::find_if(parameters.begin(), parameters.end(), [](const auto& p) { return p.name == "blocks.0.qkv.weight"; });
    const std::vector<float> q = rows("blk.0.attn_q.weight"), k = rows("blk.0.attn_k.weight"), v = rows("blk.0.attn_v.weight");
    const int64_t turned[] = {0, 4, 1, 5, 2, 6, 3, 7};  // of a head of 8
    for (int64_t row = 0; row < 32; ++row) {
      const int64_t ours = family == std::string("llama") ? row / 8 * 8 + turned[row % 8] : row;
      const auto is_row = [&](const std::vector<float>& values, int64_t first) {
        return std::equal(values.begin() + row * 32, values.begin() + row * 32 + 32, qkv->tensor.data() + first * 32);
      };
      EXPECT_TRUE(is_row(q, ours)) << family << row;
      if (row >= 16) continue;
      EXPECT_TRUE(is_row(k, 32 + ours)) << family << row;
      EXPECT_TRUE(is_row(v, 48 + row)) << family << row;
    }
  }
}

TEST_F(GgufGpt, TypesAreThoseThatLlamaCppReads) {
  GptOptions options = tiny("gpt2");
  options.hidden = 48;
  const GgufFile four = written(Gpt(options, false), "Q4_0");
  EXPECT_STREQ(four.type("blk.0.attn_qkv.weight").name, "Q4_0");
  EXPECT_STREQ(four.type("blk.0.attn_qkv.bias").name, "F32");
  EXPECT_STREQ(four.type("blk.0.ffn_norm.weight").name, "F32");
  EXPECT_STREQ(four.type("position_embd.weight").name, "F32");
  EXPECT_STREQ(four.type("blk.0.ffn_down.weight").name, "F16") << "rows of 48";
  EXPECT_STREQ(four.type("token_embd.weight").name, "Q8_0") << "the output layer";
  options.tied = false;
  const GgufFile untied = written(Gpt(options, false), "Q4_0");
  EXPECT_STREQ(untied.type("token_embd.weight").name, "Q4_0");
  EXPECT_STREQ(untied.type("output.weight").name, "Q8_0");
}

TEST_F(GgufGpt, ErrorsAreThoseOfTheType) {
  const auto network = random_network(tiny("llama"));
  const double f16 = check_gguf_weights(written(*network, "F16"), *network, type_named("F16"));
  const double q8 = check_gguf_weights(written(*network, "Q8_0"), *network, type_named("Q8_0"));
  const double q4 = check_gguf_weights(written(*network, "Q4_0"), *network, type_named("Q4_0"));
  EXPECT_GT(f16, 0);
  EXPECT_LT(f16, 2e-3);
  EXPECT_GT(q8, f16);
  EXPECT_LT(q8, 0.012);
  EXPECT_GT(q4, q8);
  EXPECT_LT(q4, 0.3);
  const auto other = random_network(tiny("llama"));
  other->parameters()[3].mutable_data()[5] += 1;
  const GgufFile file = written(*network, "Q8_0");
  EXPECT_THROW(check_gguf_weights(file, *other, type_named("Q8_0")), DataError);
}

TEST_F(GgufGpt, Llama3sFrequenciesAreDivisors) {
  for (const auto& [factor, context, head_dim] : {std::tuple(8.0, int64_t{8192}, int64_t{64}), {32.0, int64_t{8192}, int64_t{128}}, {8.0, int64_t{64}, int64_t{8}}, {4.0, int64_t{5000}, int64_t{2}}}) {
    GptOptions options = tiny("llama");
    options.head_dim = head_dim;
    options.rope_theta = 5e5;
    options.rope_factor = factor;
    options.rope_original_context = context;
    const auto network = random_network(options);
    const GgufFile file = written(*network);
    const GptOptions read = gpt_from_gguf(file);
    const std::vector<float> before = gguf_rope_divisors(network->options()).to_vector(), after = gguf_rope_divisors(read).defined() ? gguf_rope_divisors(read).to_vector() : std::vector<float>(before.size(), 1);
    for (size_t i = 0; i < before.size(); ++i) EXPECT_NEAR(after[i], before[i], 1e-4 * before[i]) << factor << " " << context << " " << i;
    if (head_dim >= 64) {
      EXPECT_EQ(write_options(read), write_options(network->options()));
    }
  }
  EXPECT_THAT(refusal("llama", [](auto&, std::vector<GgufTensor>& tensors) { tensors.push_back({kRopeFrequencies, Tensor::from({4}, {1, 2, 1, 2}), &type_named("F32")}); }),
              HasSubstr("\"rope_freqs.weight\": got divisors that are not those of Llama 3"));
  EXPECT_THAT(refusal("llama", [](auto&, std::vector<GgufTensor>& tensors) { tensors.push_back({kRopeFrequencies, Tensor::from({2}, {1, 2}), &type_named("F32")}); }),
              HasSubstr("\"rope_freqs.weight\": got the shape (2,); expected (4,)"));
}

TEST_F(GgufGpt, WhatLlamaCppHasNoPlaceForIsRefused) {
  GptOptions options = tiny("qwen2");
  options.head_dim = 6;
  EXPECT_THROW(gpt_to_gguf(Gpt(options, false).options()), ConfigError);
  options = tiny("qwen3");
  options.rope_factor = 8;
  EXPECT_THROW(gpt_to_gguf(Gpt(options, false).options()), ConfigError);
}

TEST_F(GgufGpt, WhatGptDoesNotHaveIsRefusedByName) {
  const struct {
    const char* family;
    const char* key;
    std::optional<GgufValue> value;
    const char* words;
  } cases[] = {
      {"llama", "general.architecture", "mamba", R"(general.architecture: got "mamba"; expected gpt2, llama, qwen2, qwen3; nothing else is supported)"},
      {"llama", "general.architecture", {}, "general.architecture: got nothing"},
      {"llama", "general.architecture", uint32_t{1}, R"("general.architecture": got u32; expected string)"},
      {"llama", "llama.block_count", {}, "llama.block_count: got nothing; expected a whole number from 1 to 1000"},
      {"llama", "llama.block_count", uint32_t{0}, "llama.block_count: got 0"},
      {"llama", "llama.block_count", uint32_t{4000000000}, "llama.block_count: got 4000000000"},
      {"llama", "llama.block_count", 2.0f, R"("llama.block_count": got f32; expected a whole number)"},
      {"llama", "llama.block_count", uint32_t{3}, R"(9 missing tensors: "blk.2.attn_norm.weight", )"},
      {"llama", "llama.block_count", uint32_t{1}, R"(9 unexpected tensors: "blk.1.attn_norm.weight", )"},
      {"llama", "llama.attention.head_count", uint32_t{5}, "heads"},
      {"llama", "llama.attention.head_count_kv", uint32_t{3}, "kv_heads: got 3 for 4 heads"},
      {"llama", "llama.attention.key_length", uint32_t{7}, "llama.attention.value_length: got 8; expected 7"},
      {"llama", "llama.attention.layer_norm_rms_epsilon", {}, "layer_norm_rms_epsilon: got nothing"},
      {"llama", "llama.attention.layer_norm_rms_epsilon", std::nanf(""), "layer_norm_rms_epsilon: got nan"},
      {"llama", "llama.rope.dimension_count", uint32_t{4}, "llama.rope.dimension_count: got 4; expected 8; nothing else is supported"},
      {"llama", "llama.rope.scaling.type", "yarn", R"(llama.rope.scaling.type: got "yarn"; expected "none")"},
      {"llama", "llama.expert_count", uint32_t{8}, "llama.expert_count: got 8; expected 0"},
      {"qwen2", "qwen2.attention.sliding_window", uint32_t{4096}, "sliding_window: got 4096"},
      {"gpt2", "gpt2.context_length", uint32_t{13}, R"(tensor "position_embd.weight": got (12, 32); expected (13, 32), as the metadata say)"},
      {"gpt2", "gpt2.embedding_length", uint32_t{1000000}, R"(tensor "token_embd.weight": got (20, 32); expected (20, 1000000))"},
  };
  for (const auto& [family, key, value, words] : cases) EXPECT_THAT(refusal(family, key, value), HasSubstr(words)) << key;
}

TEST_F(GgufGpt, TensorsMustBeThoseOfTheNetwork) {
  const auto extra = [](const char* name) {
    return [name](auto&, std::vector<GgufTensor>& tensors) { tensors.push_back({name, Tensor::zeros({32}), &type_named("F32")}); };
  };
  EXPECT_THAT(refusal("llama", extra("blk.0.attn_q.bias")), HasSubstr("unexpected tensor \"blk.0.attn_q.bias\"; a llama has no place for them"));
  EXPECT_THAT(refusal("qwen3", extra("rope_freqs.weight")), HasSubstr("unexpected tensor \"rope_freqs.weight\""));
  EXPECT_THAT(refusal("llama", [](auto&, std::vector<GgufTensor>& tensors) { tensors.erase(tensors.begin()); }), HasSubstr("missing tensor \"token_embd.weight\""));
  EXPECT_THAT(refusal("llama", [](auto&, std::vector<GgufTensor>& tensors) { tensors.erase(tensors.begin() + 2); }), HasSubstr("missing tensor \"blk.0.attn_q.weight\""));
}

}  // namespace
}  // namespace danlu::models
