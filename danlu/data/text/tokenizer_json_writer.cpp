#include <algorithm>
#include <array>
#include <unordered_set>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/json.h"
#include "danlu/data/text/byte_alphabet.h"
#include "danlu/data/text/tokenizer_json.h"

namespace danlu::data {
namespace {

constexpr std::array<const char*, 5> kBehaviors = {"Isolated", "Removed", "MergedWithPrevious", "MergedWithNext",
                                                   "Contiguous"};

Json byte_level_json(bool add_prefix_space, bool use_regex) {
  return {
      {"type", "ByteLevel"}, {"add_prefix_space", add_prefix_space}, {"trim_offsets", true}, {"use_regex", use_regex}};
}

Json step_json(const PreTokenizerStep& step) {
  if (step.kind == PreTokenizerStep::Kind::digits) {
    return {{"type", "Digits"}, {"individual_digits", step.individual_digits}};
  }
  return {{"type", "Split"},
          {"pattern", {{"Regex", step.pattern}}},
          {"behavior", kBehaviors[static_cast<size_t>(step.behavior)]},
          {"invert", step.invert}};
}

bool is_gpt2(const std::vector<PreTokenizerStep>& steps) {
  return steps.size() == 1 && steps[0].kind == PreTokenizerStep::Kind::split && !steps[0].invert &&
         steps[0].behavior == PreTokenizerStep::Behavior::isolated && steps[0].pattern == split_pattern("gpt2");
}

Json pre_tokenizer_json(const TokenizerModel& model) {
  if (model.byte_level && is_gpt2(model.pre_tokenizer)) return byte_level_json(model.add_prefix_space, true);
  if (model.add_prefix_space && (!model.byte_level || !model.pre_tokenizer.empty())) {
    throw DataError("data.tokenizer",
                    "got add_prefix_space with a pattern of its own, which tokenizer.json cannot say; "
                    "expected the pattern gpt2 on the level of bytes");
  }
  Json steps = Json::array();
  for (const PreTokenizerStep& step : model.pre_tokenizer) steps.push_back(step_json(step));
  if (model.byte_level) steps.push_back(byte_level_json(model.add_prefix_space, false));
  if (steps.empty()) return nullptr;
  if (steps.size() == 1) return steps[0];
  return {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
}

Json post_processor_json(const TokenizerModel& model) {
  if (!model.add_bos || !model.bos) return nullptr;
  const std::string& words = model.vocab[static_cast<size_t>(*model.bos)];
  const auto token = [&](int type) { return Json{{"SpecialToken", {{"id", words}, {"type_id", type}}}}; };
  const auto text = [](const char* name, int type) { return Json{{"Sequence", {{"id", name}, {"type_id", type}}}}; };
  Json tokens = Json::object();
  tokens[words] = {{"id", words}, {"ids", Json::array({*model.bos})}, {"tokens", Json::array({words})}};
  return {{"type", "TemplateProcessing"},
          {"single", Json::array({token(0), text("A", 0)})},
          {"pair", Json::array({token(0), text("A", 0), token(1), text("B", 1)})},
          {"special_tokens", std::move(tokens)}};
}

Json added_json(const std::vector<AddedToken>& tokens) {
  Json list = Json::array();
  for (const AddedToken& token : tokens) {
    list.push_back({{"id", token.id},
                    {"content", token.content},
                    {"single_word", false},
                    {"lstrip", false},
                    {"rstrip", false},
                    {"normalized", false},
                    {"special", token.special}});
  }
  return list;
}

// The tokens in JSON, by id, as the file has them.
std::vector<std::string> quoted_tokens(const TokenizerModel& model) {
  std::unordered_set<TokenId> added;
  for (const AddedToken& token : model.added) added.insert(token.id);
  std::vector<std::string> quoted;
  quoted.reserve(model.vocab.size());
  for (const std::string& token : model.vocab) {
    const bool disguised = model.byte_level && !added.contains(static_cast<TokenId>(quoted.size()));
    quoted.push_back(to_line(disguised ? to_printable(token) : token));
  }
  return quoted;
}

// Added tokens stand in the vocabulary too: there they keep their ids, whatever they are.
void append_vocab(std::string& out, const TokenizerModel& model, const std::vector<std::string>& quoted) {
  const char* separator = "\n";
  for (size_t id = 0; id < quoted.size(); ++id) {
    if (model.vocab[id].empty()) continue;
    out += separator;
    out += fmt::format("      {}: {}", quoted[id], id);
    separator = ",\n";
  }
}

void append_merges(std::string& out, const TokenizerModel& model, const std::vector<std::string>& quoted) {
  const char* separator = "\n";
  for (const auto& [left, right, result] : model.merges) {
    out += separator;
    out += fmt::format("      [{}, {}]", quoted[static_cast<size_t>(left)], quoted[static_cast<size_t>(right)]);
    separator = ",\n";
  }
}

}  // namespace

void write_tokenizer_json(const TokenizerModel& model, const fs::path& path) { write_file_atomic(path, tokenizer_json_text(model)); }

std::string tokenizer_json_text(const TokenizerModel& model) {
  const char* form = model.normalizer == Normalizer::nfkc ? "NFKC" : "NFC";
  const bool has_unk = model.unk && !model.byte_level;  // on the level of bytes nothing is unknown
  const Json json = {{"version", "1.0"},
                     {"truncation", nullptr},
                     {"padding", nullptr},
                     {"added_tokens", added_json(model.added)},
                     {"normalizer", model.normalizer == Normalizer::none ? Json() : Json{{"type", form}}},
                     {"pre_tokenizer", pre_tokenizer_json(model)},
                     {"post_processor", post_processor_json(model)},
                     {"decoder", model.byte_level ? byte_level_json(true, true) : Json{{"type", "Fuse"}}},
                     {"model",
                      {{"type", "BPE"},
                       {"dropout", nullptr},
                       {"unk_token", has_unk ? Json(model.vocab[static_cast<size_t>(*model.unk)]) : Json()},
                       {"continuing_subword_prefix", nullptr},
                       {"end_of_word_suffix", nullptr},
                       {"fuse_unk", false},
                       {"byte_fallback", false},
                       {"ignore_merges", model.ignore_merges}}}};
  // The two large parts are written without becoming JSON values first.
  std::string text = json.dump(2, ' ', false, Json::error_handler_t::replace);
  text.resize(text.rfind("\n  }\n}"));
  const std::vector<std::string> quoted = quoted_tokens(model);
  text += ",\n    \"vocab\": {";
  append_vocab(text, model, quoted);
  text += "\n    },\n    \"merges\": [";
  append_merges(text, model, quoted);
  return text + "\n    ]\n  }\n}\n";
}

}  // namespace danlu::data
