#include <algorithm>
#include <cmath>
#include <optional>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/json.h"
#include "danlu/learn/models/gpt_gguf.h"
#include "danlu/learn/models/gpt_gguf_rope.h"

namespace danlu::models {
namespace {

using formats::GgufFile;
using formats::GgufMetadata;

constexpr const char* kWhere = "learn.gguf";
constexpr int64_t kMaxLayers = 1000, kMaxHeads = 4096, kMaxHeadDim = 4096, kMaxWidth = 1'000'000, kMaxHidden = 10'000'000,
                  kMaxContext = 10'000'000, kMaxVocab = 100'000'000;
constexpr const char* kFamilies[] = {"gpt2", "llama", "qwen2", "qwen3"};

// The keys of one architecture, "llama.block_count".
class Keys {
 public:
  Keys(const GgufFile& file, std::string family) : file_(file), family_(std::move(family)) {}

  [[noreturn]] void fail(const std::string& message) const { throw DataError(kWhere, fmt::format("{}: {}", file_.source(), message)); }
  std::string key(const char* name) const { return family_ + "." + name; }

  int64_t size(const char* name, int64_t most, std::optional<int64_t> absent = {}) const {
    const std::optional<int64_t> value = file_.whole(key(name));
    if (!value && absent) return *absent;
    if (!value || *value < 1 || *value > most) {
      fail(fmt::format("{}: got {}; expected a whole number from 1 to {}", key(name), value ? fmt::to_string(*value) : "nothing", most));
    }
    return *value;
  }
  double number(const char* name, double least, double most, std::optional<double> absent = {}) const {
    const std::optional<double> value = file_.number(key(name));
    if (!value && absent) return *absent;
    if (!value || !(*value >= least && *value <= most)) {
      fail(fmt::format("{}: got {}; expected a number from {} to {}", key(name), value ? fmt::to_string(*value) : "nothing", least, most));
    }
    return *value;
  }
  // What would change the network must be absent or have no effect.
  void require(const char* name, int64_t value) const {
    const std::optional<int64_t> got = file_.whole(key(name));
    if (got && *got != value) fail(fmt::format("{}: got {}; expected {}; nothing else is supported", key(name), *got, value));
  }
  void require(const char* name, double value) const {
    const std::optional<double> got = file_.number(key(name));
    if (got && *got != value) fail(fmt::format("{}: got {}; expected {}; nothing else is supported", key(name), *got, value));
  }
  void require(const char* name, const char* value) const {
    const std::optional<std::string> got = file_.text(key(name));
    if (got && *got != value) fail(fmt::format("{}: got {}; expected \"{}\"; nothing else is supported", key(name), to_line(*got), value));
  }

 private:
  const GgufFile& file_;
  std::string family_;
};

std::string family_of(const GgufFile& file) {
  const std::optional<std::string> family = file.text("general.architecture");
  if (family && std::find(std::begin(kFamilies), std::end(kFamilies), *family) != std::end(kFamilies)) return *family;
  throw DataError(kWhere, fmt::format("{}: general.architecture: got {}; expected {}; nothing else is supported", file.source(),
                                      family ? to_line(*family) : "nothing", fmt::join(kFamilies, ", ")));
}

void read_llama(const GgufFile& file, const Keys& keys, GptOptions& o) {
  keys.require("expert_count", int64_t{0});
  keys.require("attention.sliding_window", int64_t{0});
  keys.require("rope.scaling.type", "none");
  keys.require("rope.scale_linear", 1.0);
  o.kv_heads = keys.size("attention.head_count_kv", kMaxHeads, o.heads);
  const int64_t share = o.width / o.heads;
  o.head_dim = keys.size("attention.key_length", kMaxHeadDim, std::max<int64_t>(share, 1));
  keys.require("attention.value_length", o.head_dim);
  keys.require("rope.dimension_count", o.head_dim);
  o.norm_eps = keys.number("attention.layer_norm_rms_epsilon", 0, 1);
  o.rope_theta = keys.number("rope.freq_base", 1, 1e12, 10000);
  read_gguf_rope(file, o);
}

}  // namespace

GptOptions gpt_from_gguf(const GgufFile& file) {
  GptOptions o;
  o.family = family_of(file);
  const Keys keys(file, o.family);
  o.layers = keys.size("block_count", kMaxLayers);
  o.heads = keys.size("attention.head_count", kMaxHeads);
  o.width = keys.size("embedding_length", kMaxWidth);
  o.hidden = keys.size("feed_forward_length", kMaxHidden);
  o.context = keys.size("context_length", kMaxContext);
  if (o.family == "gpt2") {
    o.norm_eps = keys.number("attention.layer_norm_epsilon", 0, 1);
    keys.require("attention.head_count_kv", o.heads);
  } else {
    read_llama(file, keys, o);
  }
  if (!file.contains("token_embd.weight")) keys.fail("missing tensor \"token_embd.weight\"");
  o.vocab_size = file.shape("token_embd.weight")[0];
  if (o.vocab_size > kMaxVocab) keys.fail(fmt::format("tensor \"token_embd.weight\": got {} rows; expected at most {}", o.vocab_size, kMaxVocab));
  o.tied = !file.contains("output.weight");
  try {
    check_gpt(o, {}, "");
  } catch (const ConfigError& error) {
    keys.fail(error.message());
  }
  if (o.kv_heads == 0) o.kv_heads = o.heads;
  if (o.head_dim == 0) o.head_dim = o.width / o.heads;
  return o;
}

GgufMetadata gpt_to_gguf(const GptOptions& o) {
  if (o.family == "qwen2" && o.heads * o.head_dim != o.width) {
    throw ConfigError(kWhere, fmt::format("got {} heads of {} channels in a qwen2 of width {}; expected them to make the width, as llama.cpp does",
                                          o.heads, o.head_dim, o.width));
  }
  if (o.family != "llama" && o.rope_factor != 1) {
    throw ConfigError(kWhere, fmt::format("got rope_factor {} in a {}; llama.cpp slows frequencies in a llama alone", o.rope_factor, o.family));
  }
  GgufMetadata metadata = {{"general.architecture", o.family}};
  const auto size = [&](const char* name, int64_t value) { metadata.emplace_back(o.family + "." + name, static_cast<uint32_t>(value)); };
  const auto number = [&](const char* name, double value) { metadata.emplace_back(o.family + "." + name, static_cast<float>(value)); };
  size("block_count", o.layers);
  size("context_length", o.context);
  size("embedding_length", o.width);
  size("feed_forward_length", o.hidden);
  size("attention.head_count", o.heads);
  if (o.family == "gpt2") {
    number("attention.layer_norm_epsilon", o.norm_eps);
    return metadata;
  }
  size("attention.head_count_kv", o.kv_heads);
  size("attention.key_length", o.head_dim);
  size("attention.value_length", o.head_dim);
  number("attention.layer_norm_rms_epsilon", o.norm_eps);
  size("rope.dimension_count", o.head_dim);
  number("rope.freq_base", o.rope_theta);
  size("vocab_size", o.vocab_size);
  return metadata;
}

}  // namespace danlu::models
