#include <cctype>
#include <charconv>
#include <cstdio>

#include "danlu/app/cli/find_bundle.h"
#include "danlu/app/cli/text_argument.h"
#include "danlu/app/cli/verbs.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/utf8.h"
#include "danlu/data/text/tokenizer.h"
#include "danlu/infer/gguf_language_model.h"
#include "danlu/infer/gguf_tokenizer.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.tokenize";

// A piece between quotes: control characters and bytes that are no UTF-8 by their numbers.
std::string quoted(std::string_view bytes) {
  std::string text = "\"";
  while (!bytes.empty()) {
    const size_t valid = std::min(find_invalid_utf8(bytes), bytes.size());
    for (const char c : bytes.substr(0, valid)) {
      const bool plain = static_cast<unsigned char>(c) >= ' ' && c != '"' && c != '\\' && c != '\x7F';
      text += plain ? std::string(1, c) : c == '\n' ? "\\n" : c == '"' || c == '\\' ? fmt::format("\\{}", c) : fmt::format("\\x{:02X}", c);
    }
    bytes.remove_prefix(valid);
    if (bytes.empty()) break;
    text += fmt::format("\\x{:02X}", static_cast<unsigned char>(bytes[0]));
    bytes.remove_prefix(1);
  }
  return text + '"';
}

// Numbers with spaces, commas or brackets between them.
std::vector<data::TokenId> parse_ids(const std::string& text, int64_t vocab_size) {
  std::vector<data::TokenId> ids;
  const char *p = text.data(), *const end = p + text.size();
  while (p != end) {
    if (std::isspace(static_cast<unsigned char>(*p)) != 0 || *p == ',' || *p == '[' || *p == ']') {
      ++p;
      continue;
    }
    data::TokenId id = 0;
    const auto [rest, error] = std::from_chars(p, end, id);
    if (error != std::errc() || id < 0 || id >= vocab_size) {
      throw DataError(kWhere, fmt::format("got \"{}\" among the ids; expected whole numbers from 0 to {}",
                                          replace_invalid_utf8(std::string_view(p, end).substr(0, 20)), vocab_size - 1));
    }
    ids.push_back(id);
    p = rest;
  }
  return ids;
}

class TokenizeVerb : public Verb {
 public:
  TokenizeVerb() : Verb("tokenize", "show the tokens of a text, or the text of tokens") {}

  void declare(Arguments& arguments) override {
    arguments.word("tokenizer", tokenizer_, "a run, a bundle, a tokenizer.json, a .tiktoken or a .gguf file");
    arguments.optional_word("text", text_, "the text; default: -, which is standard input");
    arguments.flag("--decode", decode_, "the text is token ids: print what they stand for");
    arguments.flag("--json", json_, "print a line of JSON");
    arguments.examples("danlu tokenize poet 春眠不觉晓\ndanlu tokenize tokenizer.json --decode '15496 995'");
  }

  int run(const Context& context) override {
    json_ = json_ || context.console.form() == LogForm::json;
    const data::Tokenizer tokenizer = open(context.runs);
    const std::string text = read_text_argument(text_);
    write(decode_ ? decoded(tokenizer, parse_ids(text, tokenizer.vocab_size())) : encoded(tokenizer, tokenizer.encode(text)));
    return kOk;
  }

 private:
  data::Tokenizer open(const fs::path& runs) const {
    if (infer::is_gguf(tokenizer_)) return infer::read_gguf_tokenizer(formats::GgufFile(tokenizer_)).tokenizer;
    const bool is_itself = fs::is_regular_file(tokenizer_) || fs::exists(fs::path(tokenizer_) / "tokenizer.json");
    return data::Tokenizer::load(is_itself ? fs::path(tokenizer_) : find_bundle(tokenizer_, runs));
  }

  std::string decoded(const data::Tokenizer& tokenizer, const std::vector<data::TokenId>& ids) const {
    const std::string text = tokenizer.decode(ids, data::Tokenizer::Special::keep);
    return json_ ? to_line({{"text", replace_invalid_utf8(text)}}) + "\n" : text;  // the very bytes
  }

  std::string encoded(const data::Tokenizer& tokenizer, const std::vector<data::TokenId>& ids) const {
    if (json_) {
      Json pieces = Json::array();
      for (const data::TokenId id : ids) pieces.push_back(replace_invalid_utf8(tokenizer.token_bytes(id)));
      return to_line({{"tokens", ids}, {"pieces", pieces}}) + "\n";
    }
    std::string lines;
    for (const data::TokenId id : ids) lines += fmt::format("{}\t{}\n", id, quoted(tokenizer.token_bytes(id)));
    return lines;
  }

  static void write(const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
      throw FileError(kWhere, "cannot write to standard output");
    }
  }

  std::string tokenizer_, text_ = "-";
  bool decode_ = false, json_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_tokenize_verb() { return std::make_unique<TokenizeVerb>(); }

}  // namespace danlu::app
