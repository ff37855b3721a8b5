#include "danlu/data/text/tokenizer.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <unordered_set>
#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/text/bpe.h"
#include "danlu/data/text/gpt2_files.h"
#include "danlu/data/text/normalizer.h"
#include "danlu/data/text/pre_tokenizer.h"
#include "danlu/data/text/tiktoken.h"
#include "danlu/data/text/tokenizer_config.h"
#include "danlu/data/text/tokenizer_json.h"
#include "danlu/data/text/tokenizer_model.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.tokenizer";

// The model with its added tokens in the vocabulary.
TokenizerModel completed(TokenizerModel model) {
  // Ids may have gaps, but a table of them must not be larger than what it is for.
  const int64_t limit = std::max(int64_t{1} << 20, 2 * (std::ssize(model.vocab) + std::ssize(model.added)));
  for (const AddedToken& token : model.added) {
    if (token.id < 0 || token.id >= limit || token.content.empty()) {
      throw DataError(kWhere, fmt::format("got added token \"{}\" with id {}; expected words, and an id of 0 to {}",
                                          token.content, token.id, limit - 1));
    }
    const auto id = static_cast<size_t>(token.id);
    if (id >= model.vocab.size()) model.vocab.resize(id + 1);
    if (!model.vocab[id].empty() && model.vocab[id] != token.content) {
      throw DataError(kWhere,
                      fmt::format("got added token \"{}\" with id {}, which is that of token \"{}\"; expected an id "
                                  "of its own",
                                  token.content, id, model.vocab[id]));
    }
    model.vocab[id] = token.content;
  }
  for (const auto& [name, id] :
       {std::pair("bos", model.bos), {"eos", model.eos}, {"pad", model.pad}, {"unk", model.unk}}) {
    if (id && (*id < 0 || *id >= std::ssize(model.vocab))) {
      throw DataError(
          kWhere, fmt::format("got {} {}; expected an id of the vocabulary, below {}", name, *id, model.vocab.size()));
    }
  }
  return model;
}

}  // namespace

class Tokenizer::Impl {
 public:
  explicit Impl(TokenizerModel m);

  void encode(std::string_view text, std::vector<TokenId>& ids) const;

  const TokenizerModel model;
  std::map<std::string, TokenId, std::less<>> added_ids;
  std::unordered_set<TokenId> special_ids;

 private:
  // What one call of encode() needs.
  struct Workspace {
    Bpe::Workspace bpe;
    std::string normalized, prefixed;
  };

  std::unique_ptr<Workspace> borrow() const;
  void give_back(std::unique_ptr<Workspace> work) const;

  Bpe bpe_;
  PreTokenizer pre_tokenizer_;
  // Those that are not in use; as many as there have been calls at once.
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Workspace>> idle_;
};

Tokenizer::Impl::Impl(TokenizerModel m)
    : model(completed(std::move(m))), bpe_(model), pre_tokenizer_(model.pre_tokenizer) {
  for (const AddedToken& token : model.added) {
    if (!added_ids.emplace(token.content, token.id).second) {
      throw DataError(kWhere, fmt::format("got added token \"{}\" twice; expected it once", token.content));
    }
    if (token.special) special_ids.insert(token.id);
  }
}

std::unique_ptr<Tokenizer::Impl::Workspace> Tokenizer::Impl::borrow() const {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Workspace> work = std::move(idle_.back());
      idle_.pop_back();
      return work;
    }
  }
  return std::make_unique<Workspace>();
}

void Tokenizer::Impl::give_back(std::unique_ptr<Workspace> work) const {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(work));
}

void Tokenizer::Impl::encode(std::string_view text, std::vector<TokenId>& ids) const {
  std::unique_ptr<Workspace> work = borrow();
  text = normalize(text, model.normalizer, work->normalized);
  if (model.add_prefix_space && !text.empty() && text[0] != ' ') {
    work->prefixed = " ";
    text = work->prefixed += text;
  }
  const char* readable = text.data() + text.size();
  pre_tokenizer_.split(text, [&](std::string_view piece) { bpe_.encode(piece, readable, work->bpe, ids); });
  give_back(std::move(work));
}

Tokenizer Tokenizer::load(const fs::path& path) {
  if (path.extension() == ".tiktoken") return Tokenizer(read_tiktoken(path));
  const fs::path directory = fs::is_directory(path) ? path : path.parent_path();
  const bool is_gpt2 = directory == path && !fs::exists(path / "tokenizer.json") && has_gpt2_files(path);
  TokenizerModel model = is_gpt2             ? read_gpt2_files(path)
                         : directory == path ? read_tokenizer_json(path / "tokenizer.json")
                                             : read_tokenizer_json(path);
  read_tokenizer_config(directory, model);
  try {
    return Tokenizer(std::move(model));
  } catch (const DataError& error) {
    throw DataError(error.where(), fmt::format("{}: {}", path.string(), error.message()));
  }
}

void Tokenizer::save(const fs::path& directory) const {
  write_tokenizer_json(impl_->model, directory / "tokenizer.json");
  write_tokenizer_config(impl_->model, directory);
}

Tokenizer::Tokenizer(TokenizerModel model) : impl_(std::make_unique<const Impl>(std::move(model))) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

int64_t Tokenizer::vocab_size() const { return std::ssize(impl_->model.vocab); }

void Tokenizer::encode(std::string_view text, std::vector<TokenId>& ids) const { impl_->encode(text, ids); }

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
  if (id < 0) return {};
  return static_cast<size_t>(id) < impl_->model.vocab.size()
             ? std::string_view(impl_->model.vocab[static_cast<size_t>(id)])
             : std::string_view();
}

std::optional<TokenId> Tokenizer::special_id(std::string_view words) const {
  const auto found = impl_->added_ids.find(words);
  return found == impl_->added_ids.end() ? std::nullopt : std::optional(found->second);
}

bool Tokenizer::is_special(TokenId id) const { return impl_->special_ids.contains(id); }

std::vector<std::pair<std::string, TokenId>> Tokenizer::special_tokens() const {
  std::vector<std::pair<std::string, TokenId>> tokens(impl_->added_ids.begin(), impl_->added_ids.end());
  std::sort(tokens.begin(), tokens.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return tokens;
}

std::optional<TokenId> Tokenizer::bos() const { return impl_->model.bos; }
std::optional<TokenId> Tokenizer::eos() const { return impl_->model.eos; }
std::optional<TokenId> Tokenizer::pad() const { return impl_->model.pad; }
std::optional<TokenId> Tokenizer::unk() const { return impl_->model.unk; }
const std::string& Tokenizer::chat_template() const { return impl_->model.chat_template; }
const TokenizerModel& Tokenizer::model() const { return impl_->model; }

}  // namespace danlu::data
