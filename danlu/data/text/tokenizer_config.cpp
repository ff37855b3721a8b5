#include "danlu/data/text/tokenizer_config.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/json.h"

namespace danlu::data {
namespace {

constexpr int64_t kMaxFileBytes = int64_t{1} << 26;

// The special tokens that have a part.
template <class Model>
auto parts_of(Model& model) {
  return std::array{std::pair{"bos_token", &model.bos}, std::pair{"eos_token", &model.eos},
                    std::pair{"pad_token", &model.pad}, std::pair{"unk_token", &model.unk}};
}

class ConfigReader {
 public:
  ConfigReader(const fs::path& path, TokenizerModel& model)
      : source_(path.string()), json_(read_json(path, kMaxFileBytes)), model_(model) {
    if (!json_.is_object()) fail(fmt::format("got {}; expected an object", json_.type_name()));
  }

  void read_parts();
  void read_added_tokens();
  void read_add_bos();
  void read_chat_template();

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw DataError("data.tokenizer", fmt::format("{}: {}", source_, message));
  }
  // "<s>" or {"content": "<s>", ...}; empty if there is none.
  std::optional<std::string> words_of(const Json& json, const std::string& key) const;
  TokenId special_token(const std::string& words, const std::string& key);
  void add(AddedToken token);

  std::string source_;
  Json json_;
  TokenizerModel& model_;
};

std::optional<std::string> ConfigReader::words_of(const Json& json, const std::string& key) const {
  if (json.is_null()) return std::nullopt;
  const auto content = json.is_object() ? json.find("content") : json.end();
  const Json& words = json.is_object() && content != json.end() ? *content : json;
  if (!words.is_string()) fail(fmt::format("{}: got {}; expected a token", key, words.type_name()));
  return words.get<std::string>();
}

TokenId ConfigReader::special_token(const std::string& words, const std::string& key) {
  const auto added = std::find_if(model_.added.begin(), model_.added.end(),
                                  [&](const AddedToken& token) { return token.content == words; });
  if (added != model_.added.end()) return added->id;
  const auto token = std::find(model_.vocab.begin(), model_.vocab.end(), words);
  if (words.empty() || token == model_.vocab.end()) {
    fail(fmt::format("{}: got \"{}\"; expected a token of the vocabulary", key, words));
  }
  const auto id = static_cast<TokenId>(token - model_.vocab.begin());
  model_.added.push_back({id, words, true});
  return id;
}

void ConfigReader::read_parts() {
  for (const auto& [key, part] : parts_of(model_)) {
    if (!json_.contains(key)) continue;
    if (part == &model_.unk && model_.unk) continue;  // tokenizer.json itself has said which
    if (const auto words = words_of(json_[key], key)) *part = special_token(*words, key);
  }
}

// Tokens that tokenizer.json lacks, by id.
void ConfigReader::read_added_tokens() {
  if (!json_.contains("added_tokens_decoder")) return;
  const Json& tokens = json_["added_tokens_decoder"];
  if (!tokens.is_object()) fail(fmt::format("added_tokens_decoder: got {}; expected an object", tokens.type_name()));
  for (const auto& [key, token] : tokens.items()) {
    const std::string name = fmt::format("added_tokens_decoder[\"{}\"]", key);
    TokenId id = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size()) fail(fmt::format("{}: expected an id as key", name));
    const auto words = words_of(token, name);
    if (!words || !token.is_object()) fail(fmt::format("{}: got {}; expected a token", name, token.type_name()));
    add({id, *words, token.value("special", Json(false)) == true});
  }
}

void ConfigReader::add(AddedToken token) {
  const auto same = [&](const AddedToken& t) { return t.id == token.id || t.content == token.content; };
  const auto known = std::find_if(model_.added.begin(), model_.added.end(), same);
  if (known != model_.added.end()) {
    if (known->id == token.id && known->content == token.content) return;
    fail(fmt::format("got added token {} \"{}\"; expected what tokenizer.json says: {} \"{}\"", token.id, token.content,
                     known->id, known->content));
  }
  // Behind what there is, or in a place that is free.
  constexpr TokenId kMaxGap = 1 << 16;
  const auto size = static_cast<TokenId>(model_.vocab.size());
  if (token.id < 0 || token.id >= size + kMaxGap || token.content.empty()) {
    fail(fmt::format("got added token {} \"{}\"; expected words, and an id below {}", token.id, token.content,
                     size + kMaxGap));
  }
  if (token.id < size) {
    const std::string& place = model_.vocab[static_cast<size_t>(token.id)];
    if (!place.empty() && place != token.content) {
      fail(
          fmt::format("got added token {} \"{}\", the id of another token; expected its own", token.id, token.content));
    }
  }
  model_.added.push_back(std::move(token));
}

void ConfigReader::read_add_bos() {
  if (json_.contains("add_bos_token") && json_["add_bos_token"].is_boolean()) {
    model_.add_bos = json_["add_bos_token"].get<bool>() && model_.bos;
  }
}

// One, or several by name.
void ConfigReader::read_chat_template() {
  if (!json_.contains("chat_template")) return;
  const Json& json = json_["chat_template"];
  if (json.is_string()) model_.chat_template = json.get<std::string>();
  if (!json.is_array()) return;
  for (const Json& named : json) {
    if (!named.is_object() || named.value("name", Json()) != "default") continue;
    const Json text = named.value("template", Json());
    if (!text.is_string()) fail(fmt::format("chat_template: got {}; expected a string", text.type_name()));
    model_.chat_template = text.get<std::string>();
  }
}

}  // namespace

void read_tokenizer_config(const fs::path& directory, TokenizerModel& model) {
  if (const fs::path path = directory / "special_tokens_map.json"; fs::exists(path)) {
    ConfigReader(path, model).read_parts();
  }
  if (const fs::path path = directory / "tokenizer_config.json"; fs::exists(path)) {
    ConfigReader reader(path, model);
    reader.read_added_tokens();
    reader.read_parts();
    reader.read_add_bos();
    reader.read_chat_template();
  }
  if (const fs::path path = directory / "chat_template.jinja"; fs::exists(path)) {
    model.chat_template = read_file(path, kMaxFileBytes);
  }
}

void write_tokenizer_config(const TokenizerModel& model, const fs::path& directory) {
  Json map = Json::object();
  for (const auto& [key, part] : parts_of(model)) {
    if (*part) map[key] = model.vocab[static_cast<size_t>(**part)];
  }
  write_json(directory / "special_tokens_map.json", map);
  Json config = map;
  config["tokenizer_class"] = "PreTrainedTokenizerFast";
  config["clean_up_tokenization_spaces"] = false;
  if (!model.chat_template.empty()) config["chat_template"] = model.chat_template;
  write_json(directory / "tokenizer_config.json", config);
}

}  // namespace danlu::data
