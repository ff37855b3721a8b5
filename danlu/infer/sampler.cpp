#include "danlu/infer/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/rng.h"

namespace danlu::infer {
namespace {

constexpr const char* kWhere = "infer.sampler";
constexpr double kMaxBias = 100;

uint64_t system_seed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

}  // namespace

void SamplingOptions::describe(OptionVisitor& v) {
  v.field("temperature", temperature, {0, 100}, "below 1 sharpens the distribution, above flattens it; 0 takes the most probable token");
  v.field("top_k", top_k, {0, 1e9}, "choose among the k most probable tokens; 0: among all");
  v.field("top_p", top_p, {0, 1}, "choose among the fewest tokens that hold this probability");
  v.field("min_p", min_p, {0, 1}, "choose among tokens at least this likely beside the most probable one");
  v.field("repetition_penalty", repetition_penalty, {0.01, 100}, "makes tokens of the prompt and the answer less likely; 1: none");
  v.field("presence_penalty", presence_penalty, {-2, 2}, "subtracted from the logits of tokens that the answer has already");
  v.field("frequency_penalty", frequency_penalty, {-2, 2}, "subtracted from them for each time");
  std::optional<int64_t> given;
  if (seed) given = static_cast<int64_t>(*seed);
  v.field("seed", given, {}, "of the draws; absent: another one each time");
  seed = given ? std::optional(static_cast<uint64_t>(*given)) : std::nullopt;
}

void check(const SamplingOptions& options) {
  SamplingOptions checked;
  read_options(write_options(options), checked);
  for (const auto& [id, bias] : options.logit_bias) {
    if (!(std::abs(bias) <= kMaxBias)) {
      throw ConfigError(kWhere, fmt::format("logit_bias of token {}: got {}; expected a number in [-{}, {}]", id, bias, kMaxBias, kMaxBias));
    }
  }
}

Sampler::Sampler(const SamplingOptions& options) : options_(options), seed_(options.seed ? *options.seed : system_seed()) {}

data::TokenId Sampler::next(std::span<float> logits, std::span<const data::TokenId> prompt, std::span<const data::TokenId> generated) {
  penalize(logits, prompt, generated);
  for (const auto& [id, bias] : options_.logit_bias) logits[static_cast<size_t>(id)] += static_cast<float>(bias);

  const auto largest = std::max_element(logits.begin(), logits.end());
  const bool has_nan = std::any_of(logits.begin(), logits.end(), [](float x) { return x != x; });
  if (has_nan || !std::isfinite(*largest)) {
    throw NumericError(kWhere, fmt::format("got {} among the logits; expected finite numbers; are the weights sound?", has_nan ? NAN : *largest));
  }
  if (options_.temperature == 0) return static_cast<data::TokenId>(largest - logits.begin());
  const float logit = *largest;
  take_candidates(logits);
  cut_candidates(logit);
  return draw();
}

void Sampler::penalize(std::span<float> logits, std::span<const data::TokenId> prompt, std::span<const data::TokenId> generated) {
  const bool repetition = options_.repetition_penalty != 1;
  if (!repetition && options_.presence_penalty == 0 && options_.frequency_penalty == 0) return;
  if (repetition) {
    for (; prompt_counted_ < prompt.size(); ++prompt_counted_) times_generated_.try_emplace(prompt[prompt_counted_], 0);
  }
  for (; generated_counted_ < generated.size(); ++generated_counted_) ++times_generated_[generated[generated_counted_]];
  for (const auto& [id, times] : times_generated_) {
    float& logit = logits[static_cast<size_t>(id)];
    const auto factor = static_cast<float>(options_.repetition_penalty);
    logit = logit > 0 ? logit / factor : logit * factor;
    if (times > 0) logit -= static_cast<float>(options_.presence_penalty + options_.frequency_penalty * static_cast<double>(times));
  }
}

// All tokens, or the k most probable ones.
void Sampler::take_candidates(std::span<const float> logits) {
  const auto more_probable = [](const Candidate& a, const Candidate& b) { return a.weight != b.weight ? a.weight > b.weight : a.id < b.id; };
  const bool all = options_.top_k == 0 || options_.top_k >= static_cast<int64_t>(logits.size());
  const size_t k = all ? logits.size() : static_cast<size_t>(options_.top_k);
  candidates_.clear();
  for (size_t i = 0; i < k; ++i) candidates_.push_back({logits[i], static_cast<data::TokenId>(i)});
  if (all) return;
  // A heap with the least probable of the k in front: few of the others get past it.
  std::make_heap(candidates_.begin(), candidates_.end(), more_probable);
  for (size_t i = k; i < logits.size(); ++i) {
    if (logits[i] <= candidates_.front().weight) continue;
    std::pop_heap(candidates_.begin(), candidates_.end(), more_probable);
    candidates_.back() = {logits[i], static_cast<data::TokenId>(i)};
    std::push_heap(candidates_.begin(), candidates_.end(), more_probable);
  }
  std::sort_heap(candidates_.begin(), candidates_.end(), more_probable);
}

// Logits become weights, and top-p and min-p drop the improbable ones.
void Sampler::cut_candidates(float largest) {
  double total = 0;
  for (Candidate& c : candidates_) {
    c.weight = static_cast<float>(std::exp(static_cast<double>(c.weight - largest) / options_.temperature));
    total += static_cast<double>(c.weight);
  }
  if (options_.top_p == 1 && options_.min_p == 0) return;
  // Tokens below the first bound hold less than 1 - top_p even if they were all: none is needed, and few are left to sort.
  const double bound = (1 - options_.top_p) * total / static_cast<double>(candidates_.size());
  const double least = std::max(bound, options_.min_p);  // the most probable has weight 1
  std::erase_if(candidates_, [&](const Candidate& c) { return static_cast<double>(c.weight) < least; });
  if (options_.top_p == 1) return;
  std::sort(candidates_.begin(), candidates_.end(),
            [](const Candidate& a, const Candidate& b) { return a.weight != b.weight ? a.weight > b.weight : a.id < b.id; });
  double held = 0;
  size_t kept = 0;
  do {
    held += static_cast<double>(candidates_[kept++].weight);
  } while (kept < candidates_.size() && held < options_.top_p * total);
  candidates_.resize(kept);
}

data::TokenId Sampler::draw() {
  const auto bits = philox(seed_, draws_++, 0);
  const double uniform = static_cast<double>((uint64_t{bits[0]} << 32 | bits[1]) >> 11) * 0x1p-53;
  const double total = std::accumulate(candidates_.begin(), candidates_.end(), 0.0,
                                       [](double sum, const Candidate& c) { return sum + static_cast<double>(c.weight); });
  double left = uniform * total;
  for (const Candidate& c : candidates_) {
    left -= static_cast<double>(c.weight);
    if (left < 0) return c.id;
  }
  // Rounding: the last that can be drawn at all.
  return std::find_if(candidates_.rbegin(), candidates_.rend(), [](const Candidate& c) { return c.weight > 0; })->id;
}

}  // namespace danlu::infer
