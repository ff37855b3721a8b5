// Token ids on disk: one split of a prepared text, memory mapped.
//
//   TokenShardWriter writer("prepared", "train", {.vocab_size = 8192, .eos = 0});
//   for (...) writer.add_document(ids);
//   writer.finish();                                             // prepared/train-00000.tokens, ...
//
//   TokenShards tokens("prepared", "train");
//   tokens.read(begin, out);
//
// Documents follow each other in one stream. Each begins with the bos token and ends with the eos token, as far as there
// are such tokens. With eos alone that token has both parts (GPT-2's <|endoftext|>): it also stands before the first
// document.
//
// File   64 bytes of header, then the ids, little-endian, two bytes each if the vocabulary has at most 65536, else four.
//        0 "DANLUTOK"  8 u32 version  12 u32 bytes of an id  16 u32 number of this shard  20 u32 1 if it is the last
//        24 u64 ids  32 u32 vocabulary  36 i32 bos  40 i32 eos (-1: none)  44 u32 zero  48 16 bytes: XXH3 of the ids
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "danlu/base/files.h"
#include "danlu/data/text/tokenizer.h"

namespace danlu::data {

struct TokenStreamInfo {
  int64_t vocab_size = 0;
  std::optional<TokenId> bos = {}, eos = {};

  // The token that documents begin with, if one does.
  std::optional<TokenId> document_start() const { return bos ? bos : eos; }
  // Whether the token before a document_start() is to predict it: eos in both parts also ends a document.
  bool start_is_target() const { return !bos || bos == eos; }
};

// Holds one shard in memory at a time. Files of an earlier split of the name are removed first; until finish() what is on
// disk is incomplete, and refused by TokenShards.
class TokenShardWriter {
 public:
  // Throws ConfigError for a vocabulary below 1 or bos or eos outside of it; FileError.
  TokenShardWriter(fs::path directory, std::string split, const TokenStreamInfo& info,
                   int64_t shard_tokens = int64_t{1} << 25);
  TokenShardWriter(const TokenShardWriter&) = delete;
  TokenShardWriter& operator=(const TokenShardWriter&) = delete;

  void begin_document();
  // Throws DataError for an id outside the vocabulary.
  void add(std::span<const TokenId> ids);
  void end_document();
  void add_document(std::span<const TokenId> ids);

  // Ids so far, bos and eos included.
  int64_t size() const { return size_; }
  int64_t documents() const { return documents_; }
  // Throws DataError if there is no id at all.
  void finish();

 private:
  void append(TokenId id);
  void write_shard(bool last);

  fs::path directory_;
  std::string split_;
  TokenStreamInfo info_;
  int64_t shard_tokens_;
  int64_t size_ = 0, documents_ = 0, shards_ = 0;
  std::vector<TokenId> shard_;
};

// Threads: all const members may be called from any number of threads at once. Copies share the ids.
class TokenShards {
 public:
  // check_contents: reads everything once to compare checksums. Throws FileError if there are no shards of that name;
  // DataError naming the file if one is missing, damaged, or belongs to other shards.
  TokenShards(const fs::path& directory, const std::string& split, bool check_contents = true);
  // In memory. Throws DataError for an id outside the vocabulary.
  TokenShards(std::vector<TokenId> ids, const TokenStreamInfo& info);

  int64_t size() const { return begins_.back(); }
  int64_t shards() const { return static_cast<int64_t>(begins_.size()) - 1; }
  const TokenStreamInfo& info() const { return info_; }

  // The ids [begin, begin + out.size()). Throws ShapeError if that is not within [0, size()).
  void read(int64_t begin, std::span<int64_t> out) const;

 private:
  struct Shard;
  TokenStreamInfo info_;
  std::vector<std::shared_ptr<const Shard>> shards_;
  std::vector<int64_t> begins_{0};  // of each shard, and the end
};

}  // namespace danlu::data
