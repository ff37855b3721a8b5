#include "danlu/infer/gguf_tokenizer.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/json.h"
#include "danlu/data/text/byte_alphabet.h"
#include "danlu/data/text/tokenizer_model.h"
#include "danlu/data/text/vocabulary_builder.h"

namespace danlu::infer {
namespace {

using data::Normalizer;
using data::PreTokenizerStep;
using data::TokenId;
using data::TokenizerModel;
using formats::GgufArray;
using formats::GgufFile;
using formats::GgufMetadata;

constexpr const char* kWhere = "infer.gguf";

constexpr const char* kModel = "tokenizer.ggml.model";
constexpr const char* kPre = "tokenizer.ggml.pre";
constexpr const char* kTokens = "tokenizer.ggml.tokens";
constexpr const char* kTypes = "tokenizer.ggml.token_type";
constexpr const char* kMerges = "tokenizer.ggml.merges";
constexpr const char* kAddBos = "tokenizer.ggml.add_bos_token";
constexpr const char* kBos = "tokenizer.ggml.bos_token_id";
constexpr const char* kEos = "tokenizer.ggml.eos_token_id";
constexpr const char* kPad = "tokenizer.ggml.padding_token_id";
constexpr const char* kUnk = "tokenizer.ggml.unknown_token_id";
// More tokens that end an answer.
constexpr const char* kMoreEos[] = {"tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"};
constexpr const char* kTemplate = "tokenizer.chat_template";
// Ours.
constexpr const char* kNormalizer = "danlu.normalizer";
constexpr const char* kAllEos = "danlu.eos_token_ids";

// What tokenizer.ggml.token_type says.
enum TokenType : int64_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5 };

// Control tokens that end an answer by what they are called, as llama.cpp has it.
constexpr const char* kEndWords[] = {"<|eot_id|>", "<|im_end|>", "<|end|>", "<|endoftext|>", "<|end_of_text|>", "<|eom_id|>"};

struct Cut {
  const char* name;                   // the one that is written
  std::vector<const char*> others;    // that stand for the same
  std::vector<PreTokenizerStep> steps;
  bool ignore_merges;
};

const std::vector<Cut>& cuts() {
  using Kind = PreTokenizerStep::Kind;
  const auto pattern = [](const char* name) { return PreTokenizerStep{.pattern = data::split_pattern(name)}; };
  static const std::vector<Cut> all = {
      {"gpt-2", {"phi-2", "mpt", "olmo"}, {pattern("gpt2")}, false},
      {"llama-bpe", {"llama3", "llama-v3"}, {pattern("cl100k")}, true},
      {"smaug-bpe", {"dbrx", "chatglm-bpe"}, {pattern("cl100k")}, false},
      {"qwen2", {"deepseek-r1-qwen", "stablelm2", "megrez"}, {pattern("qwen")}, false},
      {"smollm", {"starcoder", "refact", "command-r", "codeshell"}, {{.kind = Kind::digits, .pattern = {}, .individual_digits = true}, pattern("gpt2")}, false},
  };
  return all;
}

std::string cut_names() {
  std::string names;
  for (const Cut& cut : cuts()) names += (names.empty() ? "" : ", ") + std::string(cut.name);
  return names;
}

const char* name_of(Normalizer normalizer) { return normalizer == Normalizer::nfc ? "nfc" : normalizer == Normalizer::nfkc ? "nfkc" : "none"; }

class Reader {
 public:
  explicit Reader(const GgufFile& file) : file_(file) {}

  GgufTokenizer read() {
    read_cut();
    read_vocabulary();
    read_parts();
    model_.chat_template = file_.text(kTemplate).value_or("");
    std::vector<TokenId> eos = read_eos();
    try {
      return {data::Tokenizer(std::move(model_)), std::move(eos)};
    } catch (const DataError& error) {
      fail(error.message());
    }
  }

 private:
  [[noreturn]] void fail(const std::string& message) const { throw DataError(kWhere, fmt::format("{}: {}", file_.source(), message)); }
  [[noreturn]] void fail(const char* key, const std::optional<std::string>& got, const std::string& expected) const {
    fail(fmt::format("{}: got {}; expected {}; nothing else is supported", key, got ? to_line(*got) : "nothing", expected));
  }

  void read_cut() {
    const std::optional<std::string> model = file_.text(kModel);
    if (model != "gpt2") fail(kModel, model, "\"gpt2\", byte-level pairs");
    const std::optional<std::string> pre = file_.text(kPre);
    const auto cut = std::find_if(cuts().begin(), cuts().end(), [&](const Cut& c) {
      return pre == c.name || std::any_of(c.others.begin(), c.others.end(), [&](const char* other) { return pre == other; });
    });
    if (cut == cuts().end()) fail(kPre, pre, cut_names());
    model_.pre_tokenizer = cut->steps;
    model_.ignore_merges = cut->ignore_merges;

    const std::optional<std::string> normalizer = file_.text(kNormalizer);
    const std::string name = normalizer.value_or(pre == "qwen2" ? "nfc" : "none");
    for (const Normalizer known : {Normalizer::none, Normalizer::nfc}) {
      if (name == infer::name_of(known)) model_.normalizer = known;
    }
    if (name != infer::name_of(model_.normalizer)) fail(kNormalizer, name, "none or nfc");
  }

  void read_vocabulary() {
    const std::vector<std::string>* tokens = file_.texts(kTokens);
    if (tokens == nullptr || tokens->empty() || tokens->size() > INT32_MAX) fail(fmt::format("{}: expected the tokens", kTokens));
    const std::vector<int64_t> types = file_.wholes(kTypes).value_or(std::vector<int64_t>(tokens->size(), kNormal));
    if (types.size() != tokens->size()) fail(fmt::format("{}: got {} types for {} tokens", kTypes, types.size(), tokens->size()));
    std::vector<std::pair<std::string, int64_t>> normal;
    for (size_t i = 0; i < tokens->size(); ++i) {
      const std::string& token = (*tokens)[i];
      const auto id = static_cast<TokenId>(i);
      switch (types[i]) {
        case kNormal: normal.emplace_back(token, id); break;
        case kUnknown:
        case kControl:
        case kUserDefined: model_.added.push_back({id, token, types[i] != kUserDefined}); break;
        case kUnused: break;
        default: fail(fmt::format("{}: got {} for token {}; expected 1 to 5: normal, unknown, control, user-defined or unused", kTypes, types[i], i));
      }
    }
    const std::vector<std::string>* merges = file_.texts(kMerges);
    if (merges == nullptr) fail(fmt::format("{}: expected the merges", kMerges));
    data::VocabularyBuilder vocabulary(model_, normal, file_.source());
    for (size_t i = 0; i < merges->size(); ++i) {
      const std::string_view merge = (*merges)[i];
      const size_t space = merge.find(' ');
      if (space == merge.npos || merge.find(' ', space + 1) != merge.npos) {
        fail(fmt::format("{}: got {} as merge {}; expected two tokens with one space between them", kMerges, to_line(std::string(merge.substr(0, 100))), i));
      }
      vocabulary.add_merge(merge.substr(0, space), merge.substr(space + 1));
    }
  }

  std::optional<TokenId> id(const char* key) const {
    const std::optional<int64_t> id = file_.whole(key);
    if (!id) return std::nullopt;
    if (*id < 0 || *id >= std::ssize(*file_.texts(kTokens))) fail(fmt::format("{}: got {}; expected an id of the vocabulary", key, *id));
    return static_cast<TokenId>(*id);
  }

  void read_parts() {
    model_.bos = id(kBos);
    model_.eos = id(kEos);
    model_.pad = id(kPad);
    model_.unk = id(kUnk);
    for (auto* part : {&model_.bos, &model_.eos, &model_.pad, &model_.unk}) {
      // A token that is not in the vocabulary, such as one that is unused, has no part.
      if (*part && (static_cast<size_t>(**part) >= model_.vocab.size() || model_.vocab[static_cast<size_t>(**part)].empty())) part->reset();
    }
    model_.add_bos = file_.flag(kAddBos).value_or(false) && model_.bos;
  }

  std::vector<TokenId> read_eos() const {
    std::vector<TokenId> eos;
    const auto add = [&](std::optional<int64_t> id) {
      if (!id || *id < 0 || *id >= std::ssize(model_.vocab) || std::find(eos.begin(), eos.end(), *id) != eos.end()) return;
      eos.push_back(static_cast<TokenId>(*id));
    };
    if (const auto all = file_.wholes(kAllEos)) {
      for (const int64_t id : *all) add(id);
      return eos;
    }
    add(model_.eos);
    for (const char* key : kMoreEos) add(file_.whole(key));
    for (const data::AddedToken& token : model_.added) {
      if (token.special && std::find(std::begin(kEndWords), std::end(kEndWords), token.content) != std::end(kEndWords)) add(token.id);
    }
    return eos;
  }

  const GgufFile& file_;
  TokenizerModel model_;
};

bool same(const PreTokenizerStep& a, const PreTokenizerStep& b) {
  // The patterns of cuts() match all of a text: inverted or not, its matches are the pieces.
  return a.kind == b.kind && a.pattern == b.pattern && a.behavior == b.behavior && a.individual_digits == b.individual_digits;
}

[[noreturn]] void refuse(const std::string& got, const std::string& expected) {
  throw ConfigError(kWhere, fmt::format("got a tokeniser {}; expected {}: a GGUF file cannot say anything else exactly", got, expected));
}

const Cut& cut_of(const TokenizerModel& model) {
  const auto found = std::find_if(cuts().begin(), cuts().end(), [&](const Cut& cut) {
    return cut.ignore_merges == model.ignore_merges && std::equal(cut.steps.begin(), cut.steps.end(), model.pre_tokenizer.begin(), model.pre_tokenizer.end(), same);
  });
  if (found != cuts().end()) return *found;
  std::string steps;
  for (const PreTokenizerStep& step : model.pre_tokenizer) {
    steps += (steps.empty() ? "" : ", then ") + (step.kind == PreTokenizerStep::Kind::digits ? std::string("by digits") : "by " + to_line(step.pattern));
  }
  refuse(fmt::format("that cuts texts {}{}", steps.empty() ? "not at all" : steps, model.ignore_merges ? " and does not merge pieces that are tokens" : ""),
         "one of the cuts that are built into llama.cpp and known here, " + cut_names());
}

}  // namespace

GgufTokenizer read_gguf_tokenizer(const GgufFile& file) { return Reader(file).read(); }

GgufTokenizerMetadata write_gguf_tokenizer(const data::Tokenizer& tokenizer, const std::vector<TokenId>& eos, int64_t rows) {
  const TokenizerModel& model = tokenizer.model();
  if (!model.byte_level) refuse("of characters", "a byte-level one");
  if (model.add_prefix_space) refuse("that puts a space before a text", "one that does not");
  if (model.normalizer == Normalizer::nfkc) refuse("that brings texts into the form NFKC", "one that leaves them as they are, or NFC");
  const Cut& cut = cut_of(model);

  std::vector<std::string> tokens(static_cast<size_t>(rows));
  std::vector<int32_t> types(tokens.size(), kNormal);
  for (size_t i = 0; i < model.vocab.size(); ++i) tokens[i] = data::to_printable(model.vocab[i]);
  for (const data::AddedToken& token : model.added) {
    tokens[static_cast<size_t>(token.id)] = token.content;
    types[static_cast<size_t>(token.id)] = token.special ? kControl : kUserDefined;
  }
  const std::set<std::string> taken(tokens.begin(), tokens.end());
  if (const auto empty = static_cast<size_t>(std::count(tokens.begin(), tokens.end(), "")); taken.size() + empty != tokens.size() + (empty > 0 ? 1 : 0)) {
    refuse("with two tokens that are spelled alike", "each once");
  }
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (!tokens[i].empty()) continue;
    types[i] = kUnused;
    tokens[i] = fmt::format("[PAD{}]", i);
    while (taken.contains(tokens[i])) tokens[i] += "_";
  }
  std::vector<std::string> merges;
  merges.reserve(model.merges.size());
  const auto side = [&](TokenId id) -> const std::string& { return tokens[static_cast<size_t>(id)]; };
  for (const TokenizerModel::Merge& merge : model.merges) merges.push_back(side(merge.left) + " " + side(merge.right));

  GgufTokenizerMetadata result;
  GgufMetadata& metadata = result.metadata;
  metadata = {{kModel, "gpt2"}, {kPre, cut.name}};
  metadata.emplace_back(kTokens, GgufArray(std::move(tokens)));
  metadata.emplace_back(kTypes, GgufArray(std::move(types)));
  metadata.emplace_back(kMerges, GgufArray(std::move(merges)));
  const auto put = [&](const char* key, std::optional<TokenId> id) {
    if (id) metadata.emplace_back(key, static_cast<uint32_t>(*id));
  };
  const std::optional<TokenId> first = tokenizer.eos() ? tokenizer.eos() : eos.empty() ? std::nullopt : std::optional(eos[0]);
  put(kBos, tokenizer.bos());
  put(kEos, first);
  put(kPad, tokenizer.pad());
  put(kUnk, tokenizer.unk());
  size_t more = 0;
  for (const TokenId id : eos) {
    if (id != first && more < std::size(kMoreEos)) put(kMoreEos[more++], id);
  }
  metadata.emplace_back(kAddBos, model.add_bos && model.bos);
  if (!model.chat_template.empty()) metadata.emplace_back(kTemplate, model.chat_template);
  metadata.emplace_back(kNormalizer, name_of(model.normalizer));
  metadata.emplace_back(kAllEos, GgufArray(std::vector<int32_t>(eos.begin(), eos.end())));

  if (model.normalizer == Normalizer::nfc) result.notes.push_back("the tokeniser brings texts into the form NFC; llama.cpp does not, and gives other tokens for texts that are not");
  if (!first) result.notes.push_back("the model has no token that ends a text; llama.cpp takes token 11 for one");
  if (eos.size() > std::size(kMoreEos) + 1) result.notes.push_back(fmt::format("{} tokens end an answer; llama.cpp is told of three", eos.size()));
  return result;
}

}  // namespace danlu::infer
