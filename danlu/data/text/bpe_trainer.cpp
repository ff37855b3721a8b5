#include "danlu/data/text/bpe_trainer.h"

#include <set>
#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/text/bpe_merges.h"
#include "danlu/data/text/byte_alphabet.h"
#include "danlu/data/text/normalizer.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.bpe_trainer";
constexpr int64_t kMinMemory = 16;  // MiB: below, the tables of the threads alone would not fit

TokenizerModel model_of(const BpeTrainerOptions& options) {
  TokenizerModel model;
  model.normalizer = normalizer_named(options.normalizer);
  if (!options.pattern.empty()) model.pre_tokenizer.push_back({.pattern = split_pattern(options.pattern)});
  for (const uint8_t byte : printable_order()) model.vocab.emplace_back(1, static_cast<char>(byte));
  return model;
}

void check(const BpeTrainerOptions& options) {
  const int64_t smallest = 256 + std::ssize(options.special_tokens);
  if (options.vocab_size < smallest || options.vocab_size > INT32_MAX) {
    throw ConfigError(kWhere, fmt::format("got vocab_size {}; expected at least {}: 256 bytes and {} special tokens",
                                          options.vocab_size, smallest, options.special_tokens.size()));
  }
  if (options.min_frequency < 1 || options.memory_mb < kMinMemory) {
    throw ConfigError(kWhere, fmt::format("got min_frequency {} and memory_mb {}; expected at least 1 and {}",
                                          options.min_frequency, options.memory_mb, kMinMemory));
  }
  std::set<std::string> seen;
  for (const std::string& token : options.special_tokens) {
    if (token.size() < 2 || !seen.insert(token).second) {
      throw ConfigError(kWhere, fmt::format("got special token \"{}\"; expected each once, and no single characters",
                                            token));
    }
  }
}

}  // namespace

void BpeTrainerOptions::describe(OptionVisitor& v) {
  v.field("vocab_size", vocab_size, {256, 1 << 24}, "tokens, with the 256 bytes and the special ones");
  v.field("min_frequency", min_frequency, {1, 1e15}, "how often a pair must occur to become a token");
  v.field("pattern", pattern, "what merges stay within: gpt2, cl100k, qwen, or nothing");
  v.choice("normalizer", normalizer, {"none", "nfc", "nfkc"}, "form of Unicode that every text is brought into");
  v.field("special_tokens", special_tokens, "tokens that no text contains; the first one ends documents");
  v.field("memory_mb", memory_mb, {kMinMemory, 1e9}, "for the distinct pieces; beyond it the rarest are forgotten");
}

Json BpeReport::to_json() const {
  return {{"bytes", bytes},         {"pieces", pieces}, {"distinct_pieces", distinct_pieces},
          {"forgotten", forgotten}, {"merges", merges}, {"exhausted", exhausted}};
}

BpeTrainer::BpeTrainer(const BpeTrainerOptions& options)
    : options_((check(options), options)), model_(model_of(options)), counter_(model_, options.memory_mb << 20) {}

void BpeTrainer::add(std::string_view text) { counter_.add(text); }

TokenizerModel BpeTrainer::train() {
  const std::vector<PieceCounter::Count> pieces = counter_.counts();
  if (counter_.bytes() == 0) throw DataError(kWhere, "got no text; expected some to learn merges from");
  const int64_t wanted = options_.vocab_size - std::ssize(model_.vocab) - std::ssize(options_.special_tokens);
  model_.merges = learn_merges(pieces, wanted, options_.min_frequency, options_.special_tokens, model_.vocab);
  for (const std::string& token : options_.special_tokens) {
    const auto id = static_cast<TokenId>(std::ssize(model_.vocab) + std::ssize(model_.added));
    model_.added.push_back({id, token, true});
  }
  if (!model_.added.empty()) model_.eos = model_.added.front().id;
  report_ = {.bytes = counter_.bytes(),
             .pieces = counter_.pieces(),
             .distinct_pieces = std::ssize(pieces),
             .forgotten = counter_.forgotten(),
             .merges = std::ssize(model_.merges),
             .exhausted = std::ssize(model_.merges) < wanted};
  return std::move(model_);
}

}  // namespace danlu::data
