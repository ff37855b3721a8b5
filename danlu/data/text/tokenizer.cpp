#include "danlu/data/text/tokenizer.h"

#include <utf8proc.h>

#include <algorithm>
#include <unordered_map>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/utf8.h"
#include "danlu/data/text/bpe.h"
#include "danlu/data/text/pre_tokenizer.h"
#include "danlu/data/text/tokenizer_json.h"
#include "danlu/data/text/tokenizer_model.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.text";

// Only valid UTF-8 is normalised; ASCII is normal already.
std::string normalized(std::string_view text, Normalizer normalizer) {
  const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (normalizer == Normalizer::none || ascii || !is_utf8(text)) return std::string(text);
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | (normalizer == Normalizer::nfkc ? UTF8PROC_COMPAT : 0));
  utf8proc_uint8_t* out = nullptr;
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()), &out, options);
  if (size < 0) return std::string(text);
  std::string result(reinterpret_cast<const char*>(out), static_cast<size_t>(size));
  std::free(out);
  return result;
}

}  // namespace

class Tokenizer::Impl {
 public:
  explicit Impl(TokenizerModel the_model) : model(checked(std::move(the_model))), bpe(model), pre_tokenizer(model.pre_tokenizer) {
    special.resize(model.vocab.size());
    for (const AddedToken& token : model.added) {
      special[static_cast<size_t>(token.id)] = true;
      by_words.emplace(token.content, token.id);
    }
  }

  // The model with its added tokens in the vocabulary.
  static TokenizerModel checked(TokenizerModel model) {
    constexpr TokenId kLimit = 1 << 24;
    for (const AddedToken& token : model.added) {
      if (token.id < 0 || token.id >= kLimit) {
        throw DataError(kWhere, fmt::format("special token \"{}\": got id {}; expected 0 to {}", token.content, token.id, kLimit - 1));
      }
      const auto id = static_cast<size_t>(token.id);
      if (id >= model.vocab.size()) model.vocab.resize(id + 1);
      if (!model.vocab[id].empty() && model.vocab[id] != token.content) {
        throw DataError(kWhere, fmt::format("special token \"{}\": its id, {}, is that of another token", token.content, token.id));
      }
      model.vocab[id] = token.content;
    }
    return model;
  }

  TokenizerModel model;
  Bpe bpe;
  PreTokenizer pre_tokenizer;
  std::vector<bool> special;
  std::unordered_map<std::string, TokenId> by_words;
};

Tokenizer Tokenizer::load(const fs::path& path) {
  return Tokenizer(read_tokenizer_json(fs::is_directory(path) ? path / "tokenizer.json" : path));
}

Tokenizer::Tokenizer(TokenizerModel model) : impl_(std::make_unique<const Impl>(std::move(model))) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

void Tokenizer::save(const fs::path& directory) const { write_tokenizer_json(impl_->model, directory); }

int64_t Tokenizer::vocab_size() const { return static_cast<int64_t>(impl_->model.vocab.size()); }

void Tokenizer::encode(std::string_view text, std::vector<TokenId>& ids) const {
  if (text.empty()) return;
  std::string changed;
  if (impl_->model.normalizer != Normalizer::none || impl_->model.add_prefix_space) {
    changed = normalized(text, impl_->model.normalizer);
    if (impl_->model.add_prefix_space && changed.front() != ' ') changed.insert(0, " ");
    text = changed;
  }
  impl_->pre_tokenizer.split(text, [&](std::string_view piece) { impl_->bpe.encode(piece, ids); });
}

std::vector<TokenId> Tokenizer::encode(std::string_view text) const {
  std::vector<TokenId> ids;
  encode(text, ids);
  return ids;
}

std::string Tokenizer::decode(std::span<const TokenId> ids, Special special) const {
  std::string text;
  for (const TokenId id : ids) {
    if (special == Special::keep || !is_special(id)) text += token_bytes(id);
  }
  return text;
}

std::string_view Tokenizer::token_bytes(TokenId id) const {
  const auto& vocab = impl_->model.vocab;
  return id >= 0 && static_cast<size_t>(id) < vocab.size() ? std::string_view(vocab[static_cast<size_t>(id)]) : std::string_view();
}

std::optional<TokenId> Tokenizer::special_id(std::string_view words) const {
  const auto found = impl_->by_words.find(std::string(words));
  return found == impl_->by_words.end() ? std::nullopt : std::optional(found->second);
}

bool Tokenizer::is_special(TokenId id) const {
  return id >= 0 && static_cast<size_t>(id) < impl_->special.size() && impl_->special[static_cast<size_t>(id)];
}

std::vector<std::pair<std::string, TokenId>> Tokenizer::special_tokens() const {
  std::vector<std::pair<std::string, TokenId>> all(impl_->by_words.begin(), impl_->by_words.end());
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return all;
}

std::optional<TokenId> Tokenizer::bos() const { return impl_->model.bos; }
std::optional<TokenId> Tokenizer::eos() const { return impl_->model.eos; }
std::optional<TokenId> Tokenizer::pad() const { return impl_->model.pad; }
std::optional<TokenId> Tokenizer::unk() const { return impl_->model.unk; }
const std::string& Tokenizer::chat_template() const { return impl_->model.chat_template; }
const TokenizerModel& Tokenizer::model() const { return impl_->model; }

}  // namespace danlu::data
