#include "danlu/data/text/tiktoken.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "danlu/base/base64.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/text/token_table.h"

namespace danlu::data {
namespace {

constexpr int64_t kMaxFileBytes = int64_t{1} << 28;
constexpr size_t kMaxTokenBytes = 1024;  // the merges of a token are as many as its bytes

struct Encoding {
  const char* name;
  const char* pattern;  // a name of split_pattern(), or a regular expression
  std::vector<AddedToken> special;
};

const std::vector<Encoding>& encodings() {
  static const std::vector<AddedToken> gpt2 = {{50256, "<|endoftext|>", true}};
  static const std::vector<Encoding> all = {
      {"gpt2", "gpt2", gpt2},
      {"r50k_base", "gpt2", gpt2},
      {"p50k_base", "gpt2", gpt2},
      {"cl100k_base",
       "cl100k",
       {{100257, "<|endoftext|>", true},
        {100258, "<|fim_prefix|>", true},
        {100259, "<|fim_middle|>", true},
        {100260, "<|fim_suffix|>", true},
        {100276, "<|endofprompt|>", true}}},
      {"o200k_base",
       R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
       R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
       R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
       {{199999, "<|endoftext|>", true}, {200018, "<|endofprompt|>", true}}},
      {"qwen", "qwen", {{151643, "<|endoftext|>", true}, {151644, "<|im_start|>", true}, {151645, "<|im_end|>", true}}},
  };
  return all;
}

class Reader {
 public:
  explicit Reader(const fs::path& path) : source_(path.string()), text_(read_file(path, kMaxFileBytes)) {
    const std::string name = path.stem().string();
    const auto known = std::find_if(encodings().begin(), encodings().end(), [&](const Encoding& encoding) {
      return name == encoding.name || (encoding.name == std::string_view("qwen") && name.starts_with("qwen"));
    });
    if (known == encodings().end()) {
      throw DataError("data.tokenizer",
                      fmt::format("{}: got ranks named \"{}\"; expected gpt2, r50k_base, p50k_base, "
                                  "cl100k_base, o200k_base or qwen, as the name tells how text is cut",
                                  source_, name));
    }
    model_.added = known->special;
    model_.eos = known->special.front().id;
    const std::string_view pattern = known->pattern;
    model_.pre_tokenizer.push_back(
        {.pattern = pattern.size() < 10 ? split_pattern(known->pattern) : std::string(pattern)});
    model_.ignore_merges = true;
  }

  TokenizerModel read() {
    for (size_t begin = 0, end; begin < text_.size(); begin = end + 1) {
      end = std::min(text_.find('\n', begin), text_.size());
      ++line_;
      std::string_view line = std::string_view(text_).substr(begin, end - begin);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (!line.empty()) read_line(line);
    }
    if (model_.vocab.empty()) fail("no ranks", "lines of base64 and a rank");
    read_merges();
    return std::move(model_);
  }

 private:
  [[noreturn]] void fail(std::string_view got, std::string_view expected) const {
    throw DataError("data.tokenizer", fmt::format("{}:{}: got {}; expected {}", source_, line_, got, expected));
  }

  void read_line(std::string_view line) {
    const size_t space = line.find(' ');
    std::optional<std::string> bytes = base64_decode(line.substr(0, space));
    size_t rank = 0;
    const char* end = line.data() + line.size();
    const char* number = line.data() + std::min(space, line.size() - 1) + 1;
    const auto [read, error] = std::from_chars(number, end, rank);
    if (!bytes || bytes->empty() || bytes->size() > kMaxTokenBytes || error != std::errc() || read != end) {
      fail(fmt::format("\"{}\"", line.substr(0, 100)), "the bytes of a token in base64, a space and a rank");
    }
    // Every line has a rank of its own: few gaps are left.
    const size_t limit = 2 * text_.size();
    if (rank >= std::min<size_t>(limit, INT32_MAX))
      fail(fmt::format("rank {}", rank), fmt::format("less than {}", limit));
    if (rank >= model_.vocab.size()) model_.vocab.resize(rank + 1);
    if (!model_.vocab[rank].empty()) fail(fmt::format("rank {} again", rank), "each once");
    model_.vocab[rank] = std::move(*bytes);
  }

  void read_merges() {
    TokenTable ids(model_.vocab.size());
    for (size_t id = 0; id < model_.vocab.size(); ++id) {
      const std::string& token = model_.vocab[id];
      if (token.empty() || ids.insert(token, static_cast<TokenId>(id)) == TokenTable::kNone) continue;
      fail(fmt::format("the token of rank {} a second time", id), "each once");
    }
    std::vector<TokenizerModel::Merge> ways;  // to make one token
    for (size_t id = 0; id < model_.vocab.size(); ++id) {
      const std::string_view token = model_.vocab[id];
      ways.clear();
      for (size_t cut = 1; cut < token.size(); ++cut) {
        const TokenId left = ids.find(token.substr(0, cut)), right = ids.find(token.substr(cut));
        if (left != TokenTable::kNone && right != TokenTable::kNone)
          ways.push_back({left, right, static_cast<TokenId>(id)});
      }
      std::sort(ways.begin(), ways.end(),
                [](const auto& a, const auto& b) { return std::pair(a.left, a.right) < std::pair(b.left, b.right); });
      model_.merges.insert(model_.merges.end(), ways.begin(), ways.end());
    }
  }

  std::string source_, text_;
  TokenizerModel model_;
  size_t line_ = 0;
};

}  // namespace

TokenizerModel read_tiktoken(const fs::path& path) { return Reader(path).read(); }

}  // namespace danlu::data
