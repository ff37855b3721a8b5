#include <algorithm>
#include <array>
#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/text/tokenizer_json.h"
#include "danlu/data/text/vocabulary_builder.h"
#include "danlu/data/text/vocabulary_json.h"

namespace danlu::data {
namespace {

constexpr int64_t kMaxFileBytes = int64_t{1} << 29;

class Reader {
 public:
  Reader(std::string text, const std::string& source) : source_(source), json_(parse_vocabulary_json(std::move(text), source_, VocabularyPlace::model)) {}

  TokenizerModel read();

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw DataError("data.tokenizer", fmt::format("{}: {}", source_, message));
  }
  [[noreturn]] void unsupported(const std::string& key, const Json& got, const char* expected) const {
    fail(fmt::format("{}: got {}, which is not supported; expected {}", key, to_line(got).substr(0, 200), expected));
  }

  // Members of objects; an absent one is null.
  const Json& member(const Json& object, const char* key, const std::string& name) const;
  std::string text(const Json& object, const char* key, const std::string& name) const;
  bool flag(const Json& object, const char* key, const std::string& name, bool absent) const;
  std::string type_of(const Json& step, const std::string& name) const { return text(step, "type", name); }
  // The steps of a Sequence, or the one that there is.
  template <class Visit>
  void for_each_step(const Json& json, const char* list, const std::string& name, const Visit& visit) const;

  void read_added();
  void read_model(const Json& model);
  void read_normalizer(const Json& step, const std::string& name);
  void read_pre_tokenizer(const Json& step, const std::string& name);
  void read_byte_level(const Json& step, const std::string& name);
  PreTokenizerStep split_of(const Json& step, const std::string& name) const;
  void read_decoder();
  void read_post_processor(const Json& step, const std::string& name);

  std::string source_;
  VocabularyJson json_;
  TokenizerModel model_;
};

const Json& Reader::member(const Json& object, const char* key, const std::string& name) const {
  static const Json null;
  if (!object.is_object()) fail(fmt::format("{}: got {}; expected an object", name, object.type_name()));
  const auto found = object.find(key);
  return found == object.end() ? null : *found;
}

std::string Reader::text(const Json& object, const char* key, const std::string& name) const {
  const Json& value = member(object, key, name);
  if (!value.is_string()) fail(fmt::format("{}.{}: got {}; expected a string", name, key, value.type_name()));
  return value.get<std::string>();
}

bool Reader::flag(const Json& object, const char* key, const std::string& name, bool absent) const {
  const Json& value = member(object, key, name);
  if (value.is_null()) return absent;
  if (!value.is_boolean()) fail(fmt::format("{}.{}: got {}; expected true or false", name, key, value.type_name()));
  return value.get<bool>();
}

template <class Visit>
void Reader::for_each_step(const Json& json, const char* list, const std::string& name, const Visit& visit) const {
  if (json.is_null()) return;
  if (type_of(json, name) != "Sequence") return visit(json, name);
  const Json& steps = member(json, list, name);
  if (!steps.is_array()) fail(fmt::format("{}.{}: got {}; expected a list", name, list, steps.type_name()));
  for (size_t i = 0; i < steps.size(); ++i)
    for_each_step(steps[i], list, fmt::format("{}.{}[{}]", name, list, i), visit);
}

TokenizerModel Reader::read() {
  const Json& root = json_.rest;
  for (const char* key : {"truncation", "padding"}) {
    if (const Json& value = member(root, key, "tokenizer"); !value.is_null()) unsupported(key, value, "null");
  }
  for_each_step(member(root, "normalizer", "tokenizer"), "normalizers", "normalizer",
                [&](const Json& step, const std::string& name) { read_normalizer(step, name); });
  model_.byte_level = false;
  for_each_step(member(root, "pre_tokenizer", "tokenizer"), "pretokenizers", "pre_tokenizer",
                [&](const Json& step, const std::string& name) { read_pre_tokenizer(step, name); });
  read_decoder();
  read_added();
  read_model(member(root, "model", "tokenizer"));
  for_each_step(member(root, "post_processor", "tokenizer"), "processors", "post_processor",
                [&](const Json& step, const std::string& name) { read_post_processor(step, name); });
  return std::move(model_);
}

void Reader::read_normalizer(const Json& step, const std::string& name) {
  const std::string type = type_of(step, name);
  if (type != "NFC" && type != "NFKC") unsupported(name + ".type", type, "NFC or NFKC");
  if (type == "NFKC" || model_.normalizer == Normalizer::nfkc) {
    model_.normalizer = Normalizer::nfkc;  // one after the other, in any order, they are NFKC
  } else {
    model_.normalizer = Normalizer::nfc;
  }
}

void Reader::read_pre_tokenizer(const Json& step, const std::string& name) {
  if (model_.byte_level) unsupported(name, step, "no step behind ByteLevel");
  const std::string type = type_of(step, name);
  if (type == "ByteLevel") {
    read_byte_level(step, name);
  } else if (type == "Split") {
    model_.pre_tokenizer.push_back(split_of(step, name));
  } else if (type == "Digits") {
    model_.pre_tokenizer.push_back({.kind = PreTokenizerStep::Kind::digits,
                                    .pattern = {},
                                    .individual_digits = flag(step, "individual_digits", name, false)});
  } else {
    unsupported(name + ".type", type, "ByteLevel, Split or Digits");
  }
}

void Reader::read_byte_level(const Json& step, const std::string& name) {
  model_.byte_level = true;
  model_.add_prefix_space = flag(step, "add_prefix_space", name, true);
  if (model_.add_prefix_space && !model_.pre_tokenizer.empty()) {
    unsupported(name + ".add_prefix_space", true, "false behind another step");
  }
  if (flag(step, "use_regex", name, true)) model_.pre_tokenizer.push_back({.pattern = split_pattern("gpt2")});
}

// A pattern that matches the text itself.
std::string escaped(const std::string& text) {
  std::string pattern;
  for (const char c : text) {
    if (std::string_view("\\^$.|?*+()[]{}-").find(c) != std::string_view::npos) pattern.push_back('\\');
    pattern.push_back(c);
  }
  return pattern;
}

PreTokenizerStep Reader::split_of(const Json& step, const std::string& name) const {
  using enum PreTokenizerStep::Behavior;
  static const std::array<std::pair<const char*, PreTokenizerStep::Behavior>, 5> kBehaviors = {
      {{"Isolated", isolated},
       {"Removed", removed},
       {"MergedWithPrevious", merged_with_previous},
       {"MergedWithNext", merged_with_next},
       {"Contiguous", contiguous}}};
  PreTokenizerStep split{.pattern = {}, .invert = flag(step, "invert", name, false)};
  const Json& pattern = member(step, "pattern", name);
  if (!member(pattern, "String", name + ".pattern").is_null()) {
    split.pattern = escaped(text(pattern, "String", name + ".pattern"));
  } else {
    split.pattern = text(pattern, "Regex", name + ".pattern");
  }
  const std::string behavior = text(step, "behavior", name);
  const auto found =
      std::find_if(kBehaviors.begin(), kBehaviors.end(), [&](const auto& b) { return b.first == behavior; });
  if (found == kBehaviors.end()) unsupported(name + ".behavior", behavior, "a behavior of Split");
  split.behavior = found->second;
  return split;
}

// What joins tokens to a text must be what Tokenizer::decode() does.
void Reader::read_decoder() {
  const char* expected = model_.byte_level ? "ByteLevel" : "Fuse";
  bool found = false;
  const Json& decoder = member(json_.rest, "decoder", "tokenizer");
  for_each_step(decoder, "decoders", "decoder", [&](const Json& step, const std::string& name) {
    const std::string type = type_of(step, name);
    if (type != expected && type != "Fuse") unsupported(name + ".type", type, expected);
    found = found || type == expected;
  });
  if (!found) unsupported("decoder", decoder, expected);
}

void Reader::read_added() {
  const Json& tokens = member(json_.rest, "added_tokens", "tokenizer");
  if (tokens.is_null()) return;
  if (!tokens.is_array()) fail(fmt::format("added_tokens: got {}; expected a list", tokens.type_name()));
  for (size_t i = 0; i < tokens.size(); ++i) {
    const std::string name = fmt::format("added_tokens[{}]", i);
    const Json& id = member(tokens[i], "id", name);
    if (!id.is_number_unsigned() || id.get<uint64_t>() > INT32_MAX) {
      fail(fmt::format("{}.id: got {}; expected an id", name, to_line(id).substr(0, 40)));
    }
    AddedToken token{id.get<TokenId>(), text(tokens[i], "content", name), flag(tokens[i], "special", name, false)};
    // Hugging Face finds added tokens in any text. Here special() alone gives them: what is mere text cannot be left to
    // that.
    if (!token.special && token.content.find_first_not_of(" \t\r\n") == std::string::npos) {
      unsupported(name + ".content", token.content, "a token that is more than white space");
    }
    model_.added.push_back(std::move(token));
  }
}

void Reader::read_model(const Json& model) {
  if (const Json& type = member(model, "type", "model"); !type.is_null() && type != "BPE") {
    unsupported("model.type", type, "BPE");
  }
  const Json& dropout = member(model, "dropout", "model");
  if (!dropout.is_null() && dropout != 0) unsupported("model.dropout", dropout, "none");
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    const Json& affix = member(model, key, "model");
    if (!affix.is_null() && affix != "") unsupported(fmt::format("model.{}", key), affix, "none");
  }
  if (flag(model, "byte_fallback", "model", false)) unsupported("model.byte_fallback", true, "false");
  model_.ignore_merges = flag(model, "ignore_merges", "model", false);

  if (json_.vocab.empty()) fail("model.vocab: got no tokens; expected {\"token\": id, ...}");
  VocabularyBuilder vocabulary(model_, json_.vocab, source_);
  model_.merges.reserve(json_.merges.size());
  for (const auto& [left, right] : json_.merges) vocabulary.add_merge(left, right);

  if (member(model, "unk_token", "model").is_null()) return;
  const std::string unk = text(model, "unk_token", "model");
  if (flag(model, "fuse_unk", "model", false)) unsupported("model.fuse_unk", true, "false");
  model_.unk = vocabulary.find(unk);
  if (model_.unk == TokenTable::kNone) fail(fmt::format("model.unk_token: got \"{}\"; expected a token", unk));
}

void Reader::read_post_processor(const Json& step, const std::string& name) {
  const std::string type = type_of(step, name);
  if (type == "ByteLevel") return;  // about offsets alone
  if (type != "TemplateProcessing") unsupported(name + ".type", type, "ByteLevel or TemplateProcessing");
  const Json& single = member(step, "single", name);
  const auto is = [&](size_t i, const char* kind) { return single[i].is_object() && single[i].contains(kind); };
  if (single.is_array() && single.size() == 1 && is(0, "Sequence")) return;
  if (!single.is_array() || single.size() != 2 || !is(0, "SpecialToken") || !is(1, "Sequence")) {
    unsupported(name + ".single", single, "the text, and at most one token before it");
  }
  const std::string words = text(single[0]["SpecialToken"], "id", name + ".single[0].SpecialToken");
  const auto token = std::find_if(model_.added.begin(), model_.added.end(),
                                  [&](const AddedToken& added) { return added.content == words; });
  if (token == model_.added.end()) fail(fmt::format("{}.single: got \"{}\"; expected an added token", name, words));
  model_.add_bos = true;
  model_.bos = token->id;
}

}  // namespace

TokenizerModel read_tokenizer_json(const fs::path& path) { return parse_tokenizer_json(read_file(path, kMaxFileBytes), path.string()); }

TokenizerModel parse_tokenizer_json(std::string text, const std::string& source) { return Reader(std::move(text), source).read(); }

}  // namespace danlu::data
