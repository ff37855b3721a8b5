#include "danlu/data/text/tokenizer_json.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/json.h"
#include "danlu/base/utf8.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.text";
constexpr int64_t kMaxVocabulary = int64_t{1} << 24;

// The printable characters that stand for the 256 bytes in files of byte-level tokenisers (GPT-2).
const std::array<uint32_t, 256>& byte_characters() {
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> t{};
    uint32_t next = 256;
    for (uint32_t b = 0; b < 256; ++b) {
      const bool printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || (b >= 0xAE && b <= 0xFF);
      t[b] = printable ? b : next++;
    }
    return t;
  }();
  return table;
}

std::string disguise(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) append_utf8(text, byte_characters()[static_cast<unsigned char>(c)]);
  return text;
}

class Reader {
 public:
  explicit Reader(const fs::path& path) : source_(path.string()), json_(read_json(path)) {}

  TokenizerModel read() {
    try {
      read_normalizer(json_.value("normalizer", Json()));
      read_byte_level();
      read_pre_tokenizer(json_.value("pre_tokenizer", Json()));
      read_model(json_.at("model"));
      read_added(json_.value("added_tokens", Json::array()));
      read_post_processor(json_.value("post_processor", Json()));
    } catch (const Json::exception& error) {
      fail(error.what());
    }
    return std::move(model_);
  }

 private:
  [[noreturn]] void fail(const std::string& message) const { throw DataError(kWhere, fmt::format("{}: {}", source_, message)); }
  [[noreturn]] void unsupported(const char* part, const std::string& type) const {
    fail(fmt::format("{}: got type \"{}\", which is not supported", part, type));
  }

  void read_normalizer(const Json& json) {
    if (json.is_null()) return;
    const std::string type = json.at("type");
    if (type == "Sequence") {
      for (const Json& step : json.at("normalizers")) read_normalizer(step);
    } else if (type == "NFC" && model_.normalizer == Normalizer::none) {
      model_.normalizer = Normalizer::nfc;
    } else if (type == "NFKC" && model_.normalizer == Normalizer::none) {
      model_.normalizer = Normalizer::nfkc;
    } else {
      unsupported("normalizer", type);
    }
  }

  // The decoder says it too, where there is no pre-tokeniser.
  void read_byte_level() { model_.byte_level = mentions_byte_level(json_.value("pre_tokenizer", Json())); }
  static bool mentions_byte_level(const Json& json) {
    if (json.is_null()) return false;
    if (json.at("type") == "ByteLevel") return true;
    if (json.at("type") != "Sequence") return false;
    const Json& steps = json.at("pretokenizers");
    return std::any_of(steps.begin(), steps.end(), mentions_byte_level);
  }

  void read_pre_tokenizer(const Json& json) {
    if (json.is_null()) return;
    const std::string type = json.at("type");
    if (type == "Sequence") {
      for (const Json& step : json.at("pretokenizers")) read_pre_tokenizer(step);
    } else if (type == "ByteLevel") {
      model_.add_prefix_space = model_.add_prefix_space || json.value("add_prefix_space", true);
      if (json.value("use_regex", true)) model_.pre_tokenizer.push_back({.pattern = split_pattern("gpt2")});
    } else if (type == "Split") {
      read_split(json);
    } else if (type == "Digits") {
      model_.pre_tokenizer.push_back({.kind = PreTokenizerStep::Kind::digits, .pattern = "", .individual_digits = json.value("individual_digits", false)});
    } else {
      unsupported("pre_tokenizer", type);
    }
  }

  void read_split(const Json& json) {
    using Behavior = PreTokenizerStep::Behavior;
    static const std::unordered_map<std::string, Behavior> kBehaviors = {{"Isolated", Behavior::isolated},
                                                                        {"Removed", Behavior::removed},
                                                                        {"MergedWithPrevious", Behavior::merged_with_previous},
                                                                        {"MergedWithNext", Behavior::merged_with_next},
                                                                        {"Contiguous", Behavior::contiguous}};
    PreTokenizerStep step;
    const Json& pattern = json.at("pattern");
    if (pattern.contains("Regex")) {
      step.pattern = pattern.at("Regex");
    } else {
      step.pattern = "\\Q" + pattern.at("String").get<std::string>() + "\\E";
    }
    const auto behavior = kBehaviors.find(json.at("behavior").get<std::string>());
    if (behavior == kBehaviors.end()) unsupported("pre_tokenizer.behavior", json.at("behavior"));
    step.behavior = behavior->second;
    step.invert = json.value("invert", false);
    model_.pre_tokenizer.push_back(std::move(step));
  }

  std::string bytes_of(const std::string& text) const {
    if (!model_.byte_level) return text;
    static const std::unordered_map<std::string, char> kBytes = [] {
      std::unordered_map<std::string, char> map;
      for (size_t b = 0; b < 256; ++b) {
        std::string character;
        append_utf8(character, byte_characters()[b]);
        map[character] = static_cast<char>(b);
      }
      return map;
    }();
    std::string bytes;
    for (size_t i = 0; i < text.size();) {
      const auto lead = static_cast<unsigned char>(text[i]);
      const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
      const auto found = kBytes.find(text.substr(i, length));
      if (found == kBytes.end()) return text;  // a token that no byte-level text reaches: kept as it is
      bytes += found->second;
      i += length;
    }
    return bytes;
  }

  void place(TokenId id, std::string bytes, const std::string& what) {
    if (id < 0 || id >= kMaxVocabulary) fail(fmt::format("{}: got id {}; expected 0 to {}", what, id, kMaxVocabulary - 1));
    if (static_cast<size_t>(id) >= model_.vocab.size()) model_.vocab.resize(static_cast<size_t>(id) + 1);
    std::string& entry = model_.vocab[static_cast<size_t>(id)];
    if (!entry.empty() && entry != bytes) fail(fmt::format("{}: id {} is given twice", what, id));
    entry = std::move(bytes);
  }

  void read_model(const Json& json) {
    if (json.value("type", "BPE") != "BPE") unsupported("model", json.at("type"));
    if (json.value("byte_fallback", false)) fail("model.byte_fallback is not supported");
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
      if (json.contains(key) && json[key].is_string() && !json[key].get<std::string>().empty()) fail(fmt::format("model.{} is not supported", key));
    }
    model_.ignore_merges = json.value("ignore_merges", false);
    std::unordered_map<std::string, TokenId> ids;
    for (const auto& [token, id] : json.at("vocab").items()) {
      const auto number = id.get<int64_t>();
      if (number < 0 || number >= kMaxVocabulary) fail(fmt::format("model.vocab: got id {} for \"{}\"; expected 0 to {}", number, token, kMaxVocabulary - 1));
      ids.emplace(token, static_cast<TokenId>(number));
      place(static_cast<TokenId>(number), bytes_of(token), "model.vocab");
    }
    if (json.contains("unk_token") && json["unk_token"].is_string()) {
      const auto unk = ids.find(json["unk_token"]);
      if (unk == ids.end()) fail("model.unk_token is not in the vocabulary");
      model_.unk = unk->second;
    }
    size_t number = 0;
    const auto id_of = [&](const std::string& token) {
      const auto found = ids.find(token);
      if (found == ids.end()) fail(fmt::format("model.merges[{}]: \"{}\" is not in the vocabulary", number, token));
      return found->second;
    };
    for (const Json& merge : json.at("merges")) {
      std::string left, right;
      if (merge.is_array() && merge.size() == 2) {
        left = merge[0];
        right = merge[1];
      } else {
        const std::string both = merge;
        const size_t space = both.find(' ');
        if (space == std::string::npos) fail(fmt::format("model.merges[{}]: got \"{}\"; expected two tokens with a space between", number, both));
        left = both.substr(0, space);
        right = both.substr(space + 1);
      }
      model_.merges.push_back({id_of(left), id_of(right), id_of(left + right)});
      ++number;
    }
  }

  void read_added(const Json& json) {
    for (const Json& token : json) {
      AddedToken added{token.at("id").get<TokenId>(), token.at("content"), token.value("special", false)};
      place(added.id, added.content, "added_tokens");
      model_.added.push_back(std::move(added));
    }
  }

  void read_post_processor(const Json& json) {
    if (json.is_null()) return;
    const std::string type = json.at("type");
    if (type == "Sequence") {
      for (const Json& step : json.at("processors")) read_post_processor(step);
    } else if (type == "TemplateProcessing") {
      const Json& single = json.at("single");
      model_.add_bos = !single.empty() && single[0].contains("SpecialToken");
    } else if (type != "ByteLevel") {
      unsupported("post_processor", type);
    }
  }

  std::string source_;
  Json json_;
  TokenizerModel model_;
};

// "<s>", or {"content": "<s>", ...}.
std::optional<TokenId> special_of(const Json& config, const char* key, const TokenizerModel& model) {
  if (!config.contains(key) || config[key].is_null()) return std::nullopt;
  const std::string content = config[key].is_string() ? config[key].get<std::string>() : config[key].value("content", "");
  for (const AddedToken& token : model.added) {
    if (token.content == content) return token.id;
  }
  return std::nullopt;
}

Json pattern_json(const PreTokenizerStep& step) {
  if (step.kind == PreTokenizerStep::Kind::digits) return {{"type", "Digits"}, {"individual_digits", step.individual_digits}};
  static const char* const kNames[] = {"Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"};
  return {{"type", "Split"},
          {"pattern", {{"Regex", step.pattern}}},
          {"behavior", kNames[static_cast<size_t>(step.behavior)]},
          {"invert", step.invert}};
}

}  // namespace

TokenizerModel read_tokenizer_json(const fs::path& path) {
  TokenizerModel model = Reader(path).read();
  const fs::path config_path = path.parent_path() / "tokenizer_config.json";
  if (fs::exists(config_path)) {
    const Json config = read_json(config_path);
    model.bos = special_of(config, "bos_token", model);
    model.eos = special_of(config, "eos_token", model);
    model.pad = special_of(config, "pad_token", model);
    if (!model.unk) model.unk = special_of(config, "unk_token", model);
    if (config.contains("chat_template") && config["chat_template"].is_string()) model.chat_template = config["chat_template"];
  }
  return model;
}

void write_tokenizer_json(const TokenizerModel& model, const fs::path& directory) {
  const auto text_of = [&](TokenId id) {
    const std::string& bytes = model.vocab[static_cast<size_t>(id)];
    return model.byte_level ? disguise(bytes) : bytes;
  };
  std::vector<bool> is_added(model.vocab.size());
  Json added = Json::array();
  for (const AddedToken& token : model.added) {
    is_added[static_cast<size_t>(token.id)] = true;
    added.push_back({{"id", token.id}, {"content", token.content}, {"single_word", false}, {"lstrip", false}, {"rstrip", false},
                     {"normalized", false}, {"special", token.special}});
  }
  Json vocab = Json::object();
  for (size_t id = 0; id < model.vocab.size(); ++id) {
    if (!is_added[id] && !model.vocab[id].empty()) vocab[text_of(static_cast<TokenId>(id))] = id;
  }
  if (model.unk && is_added[static_cast<size_t>(*model.unk)]) vocab[model.vocab[static_cast<size_t>(*model.unk)]] = *model.unk;
  Json merges = Json::array();
  for (const auto& merge : model.merges) merges.push_back({text_of(merge.left), text_of(merge.right)});

  Json steps = Json::array();
  for (const PreTokenizerStep& step : model.pre_tokenizer) steps.push_back(pattern_json(step));
  const Json byte_level = {{"type", "ByteLevel"}, {"add_prefix_space", model.add_prefix_space}, {"trim_offsets", true}, {"use_regex", false}};
  if (model.byte_level) steps.push_back(byte_level);
  const auto word_of = [&](const std::optional<TokenId>& id) { return id ? Json(model.vocab[static_cast<size_t>(*id)]) : Json(nullptr); };
  Json json = {{"version", "1.0"},
               {"truncation", nullptr},
               {"padding", nullptr},
               {"added_tokens", added},
               {"normalizer", model.normalizer == Normalizer::none ? Json(nullptr) : Json{{"type", model.normalizer == Normalizer::nfc ? "NFC" : "NFKC"}}},
               {"pre_tokenizer", steps.empty() ? Json(nullptr) : Json{{"type", "Sequence"}, {"pretokenizers", steps}}},
               {"post_processor", nullptr},
               {"decoder", model.byte_level ? byte_level : Json{{"type", "Fuse"}}},
               {"model",
                {{"type", "BPE"},
                 {"dropout", nullptr},
                 {"unk_token", word_of(model.unk)},
                 {"continuing_subword_prefix", nullptr},
                 {"end_of_word_suffix", nullptr},
                 {"fuse_unk", false},
                 {"byte_fallback", false},
                 {"ignore_merges", model.ignore_merges},
                 {"vocab", vocab},
                 {"merges", merges}}}};
  write_json(directory / "tokenizer.json", json);
  Json special = Json::object();
  const std::pair<const char*, std::optional<TokenId>> names[] = {
      {"bos_token", model.bos}, {"eos_token", model.eos}, {"pad_token", model.pad}, {"unk_token", model.unk}};
  for (const auto& [name, id] : names) {
    if (id) special[name] = word_of(id);
  }
  write_json(directory / "special_tokens_map.json", special);
  Json config = special;
  config["tokenizer_class"] = "PreTrainedTokenizerFast";
  config["clean_up_tokenization_spaces"] = false;
  if (!model.chat_template.empty()) config["chat_template"] = model.chat_template;
  write_json(directory / "tokenizer_config.json", config);
}

}  // namespace danlu::data
