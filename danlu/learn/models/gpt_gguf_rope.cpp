#include "danlu/learn/models/gpt_gguf_rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::models {
namespace {

constexpr const char* kWhere = "learn.gguf";
constexpr double kTolerance = 1e-4;  // of a divisor in f32 that others have computed in f32

double frequency(const GptOptions& o, int64_t i) { return std::pow(o.rope_theta, -2.0 * static_cast<double>(i) / static_cast<double>(o.head_dim)); }

// The part of a frequency that is kept.
double kept(const GptOptions& o, double frequency) {
  const double turns = static_cast<double>(o.rope_original_context) * frequency / (2 * std::numbers::pi);
  return std::clamp((turns - o.rope_low_freq) / (o.rope_high_freq - o.rope_low_freq), 0.0, 1.0);
}

double divisor(const GptOptions& o, int64_t i) {
  const double part = kept(o, frequency(o, i));
  return 1 / (part + (1 - part) / o.rope_factor);
}

bool makes(const GptOptions& o, const std::vector<float>& divisors) {
  for (size_t i = 0; i < divisors.size(); ++i) {
    const double expected = divisor(o, static_cast<int64_t>(i));
    if (!(std::abs(divisors[i] - expected) <= kTolerance * expected)) return false;
  }
  return true;
}

}  // namespace

Tensor gguf_rope_divisors(const GptOptions& o) {
  if (o.rope_factor == 1) return {};
  Tensor divisors = Tensor::empty({o.head_dim / 2});
  for (int64_t i = 0; i < o.head_dim / 2; ++i) divisors.mutable_data()[i] = static_cast<float>(divisor(o, i));
  return divisors;
}

void read_gguf_rope(const formats::GgufFile& file, GptOptions& o) {
  if (o.family != "llama" || !file.contains(kRopeFrequencies)) return;
  const auto fail = [&](const std::string& what) { throw DataError(kWhere, fmt::format("{}: tensor \"{}\": {}", file.source(), kRopeFrequencies, what)); };
  if (!(file.shape(kRopeFrequencies) == Shape{o.head_dim / 2}) || o.head_dim < 2) {
    fail(fmt::format("got the shape {}; expected ({},)", file.shape(kRopeFrequencies).str(), o.head_dim / 2));
  }
  std::vector<float> divisors(static_cast<size_t>(o.head_dim / 2));
  file.read(kRopeFrequencies, divisors);
  const double factor = *std::max_element(divisors.begin(), divisors.end());
  if (!(factor >= 1 && factor <= 1e6)) fail(fmt::format("got divisors up to {}; expected 1 to 1000000", factor));
  if (makes(o, divisors)) return;  // all are 1

  o.rope_factor = factor;
  std::vector<int64_t> contexts = {8192};  // Llama 3's
  for (size_t i = 0; i < divisors.size(); ++i) {
    // One that is neither kept nor slowed in full tells where between the two it lies.
    const double part = (1 / divisors[i] - 1 / factor) / (1 - 1 / factor);
    if (!(part > 0.001 && part < 0.999)) continue;
    const double turns = o.rope_low_freq + part * (o.rope_high_freq - o.rope_low_freq);
    const double context = std::round(turns * 2 * std::numbers::pi / frequency(o, static_cast<int64_t>(i)));
    if (context >= 1 && context <= 1e9) contexts.push_back(static_cast<int64_t>(context));
  }
  // Where none lies between, the context is bounded by the last that is kept and the first that is not.
  for (int64_t context = 1; context <= int64_t{1} << 29; context *= 2) contexts.push_back(context);
  for (const int64_t context : contexts) {
    o.rope_original_context = context;
    if (makes(o, divisors)) return;
  }
  fail("got divisors that are not those of Llama 3; nothing else is supported");
}

}  // namespace danlu::models
