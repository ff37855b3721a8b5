// Text to token ids and back.
//
//   Tokenizer tokenizer = Tokenizer::load("bundle");                       // tokenizer.json, and tokenizer_config.json
//   beside it std::vector<TokenId> ids = tokenizer.encode("春眠不觉晓"); std::string text = tokenizer.decode(ids);
//
// Ids, files and behaviour are those of Hugging Face tokenizers for byte-pair encoding: normaliser, pre-tokeniser,
// merges. A tokeniser of characters is one without merges.
//
// Special tokens (end of text, turn markers) come from special_id() alone: encode() takes every text as plain text,
// also one that spells a special token. The same holds for all other added tokens of a file, which Hugging Face finds
// in any text.
//
// Source    Sennrich, Haddow, Birch 2016, arXiv:1508.07909; byte-level: Radford et al. 2019 (GPT-2).
// Threads   all const members may be called from any number of threads at once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "danlu/base/files.h"

namespace danlu::data {

using TokenId = int32_t;

struct TokenizerModel;  // tokenizer_model.h: vocabulary, merges, pre-tokeniser and the rest, as data

class Tokenizer {
 public:
  // A tokenizer.json, a directory that holds one or GPT-2's own files (encoder.json and vocab.bpe), or a tiktoken rank
  // file
  // (*.tiktoken). Nothing of a file is trusted: DataError names it and what is wrong or not supported; FileError if it
  // cannot be read.
  static Tokenizer load(const fs::path& path);
  // Throws DataError if the parts do not fit each other.
  explicit Tokenizer(TokenizerModel model);
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  // Writes tokenizer.json, tokenizer_config.json and special_tokens_map.json, which transformers opens. Throws
  // DataError for what these files cannot say: a space before the first word with another pattern than GPT-2's.
  void save(const fs::path& directory) const;

  // The largest id and one: the rows of an embedding.
  int64_t vocab_size() const;

  // Ids of a text of any bytes, appended to `ids`. Time is linear in the length, but n log n within a piece that the
  // pre-tokeniser does not cut. Throws DataError for such a piece of 2^31 bytes, and for a pattern that runs away.
  void encode(std::string_view text, std::vector<TokenId>& ids) const;
  std::vector<TokenId> encode(std::string_view text) const;

  // The bytes that ids stand for; ids outside the vocabulary stand for none. The result may end within a UTF-8
  // character.
  enum class Special { skip, keep };
  std::string decode(std::span<const TokenId> ids, Special special = Special::skip) const;
  // The bytes of one token: the words of a special one.
  std::string_view token_bytes(TokenId id) const;

  // Of all added tokens, also those that is_special() does not count.
  std::optional<TokenId> special_id(std::string_view words) const;
  bool is_special(TokenId id) const;
  std::vector<std::pair<std::string, TokenId>> special_tokens() const;  // by id

  // What tokenizer_config.json names, where it does.
  std::optional<TokenId> bos() const, eos() const, pad() const, unk() const;
  const std::string& chat_template() const;  // Jinja; empty if there is none

  const TokenizerModel& model() const;

 private:
  class Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace danlu::data
