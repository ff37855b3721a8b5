#include "danlu/data/text/token_shards.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/hash.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.token_shards";
constexpr char kMagic[8] = {'D', 'A', 'N', 'L', 'U', 'T', 'O', 'K'};
constexpr uint32_t kVersion = 1;

struct Header {
  char magic[8];
  uint32_t version;
  uint32_t id_bytes;
  uint32_t shard;
  uint32_t last;
  uint64_t ids;
  uint32_t vocab_size;
  int32_t bos, eos;
  uint32_t zero;
  uint64_t checksum_low, checksum_high;
};
static_assert(sizeof(Header) == 64);

uint32_t id_bytes_of(int64_t vocab_size) { return vocab_size <= 65536 ? 2 : 4; }

fs::path shard_path(const fs::path& directory, const std::string& split, int64_t shard) {
  return directory / fmt::format("{}-{:05}.tokens", split, shard);
}

void check_info(const TokenStreamInfo& info) {
  if (info.vocab_size < 1 || info.vocab_size > INT32_MAX) {
    throw ConfigError(kWhere, fmt::format("got a vocabulary of {}; expected 1 to {}", info.vocab_size, INT32_MAX));
  }
  for (const auto& [name, id] : {std::pair{"bos", info.bos}, std::pair{"eos", info.eos}}) {
    if (id && (*id < 0 || *id >= info.vocab_size)) {
      throw ConfigError(kWhere, fmt::format("got {} {}; expected 0 to {}", name, *id, info.vocab_size - 1));
    }
  }
}

void check_id(TokenId id, int64_t vocab_size) {
  if (id < 0 || id >= vocab_size) {
    throw DataError(kWhere, fmt::format("got token {}; expected 0 to {}; was the text encoded with another tokenizer?",
                                        id, vocab_size - 1));
  }
}

[[noreturn]] void damaged(const fs::path& path, const std::string& what) {
  throw DataError(kWhere, fmt::format("{}: {}; prepare the data again", path.string(), what));
}

// The header of a mapped file, with all that it says checked but the checksum.
Header checked_header(const fs::path& path, std::span<const std::byte> bytes, int64_t shard) {
  Header header;
  if (bytes.size() < sizeof header) damaged(path, fmt::format("got {} bytes; expected a header of 64", bytes.size()));
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) {
    damaged(path, "got a file that does not begin with DANLUTOK; expected token shards");
  }
  if (header.version != kVersion) {
    damaged(path, fmt::format("got version {}; expected {}", header.version, kVersion));
  }
  if (header.vocab_size < 1 || header.vocab_size > INT32_MAX || header.id_bytes != id_bytes_of(header.vocab_size)) {
    damaged(path, fmt::format("got a vocabulary of {} in ids of {} bytes", header.vocab_size, header.id_bytes));
  }
  const size_t contents = bytes.size() - sizeof header;
  if (contents % header.id_bytes != 0 || contents / header.id_bytes != header.ids) {
    damaged(path, fmt::format("got {} bytes of ids; expected {} ids of {}", contents, header.ids, header.id_bytes));
  }
  if (header.shard != shard) damaged(path, fmt::format("got shard number {}; expected {}", header.shard, shard));
  const auto outside = [&](int32_t id) { return id < -1 || id >= static_cast<int64_t>(header.vocab_size); };
  if (outside(header.bos) || outside(header.eos)) {
    damaged(path, fmt::format("got bos {} and eos {}; expected less than {}", header.bos, header.eos,
                              header.vocab_size));
  }
  return header;
}

TokenStreamInfo info_of(const Header& header) {
  TokenStreamInfo info{.vocab_size = header.vocab_size};
  if (header.bos >= 0) info.bos = header.bos;
  if (header.eos >= 0) info.eos = header.eos;
  return info;
}

template <class Id>
void widen(const std::byte* from, std::span<int64_t> out) {
  for (size_t i = 0; i < out.size(); ++i) {
    Id id;
    std::memcpy(&id, from + i * sizeof id, sizeof id);
    out[i] = id;
  }
}

}  // namespace

TokenShardWriter::TokenShardWriter(fs::path directory, std::string split, const TokenStreamInfo& info,
                                   int64_t shard_tokens)
    : directory_(std::move(directory)), split_(std::move(split)), info_(info), shard_tokens_(shard_tokens) {
  check_info(info_);
  if (shard_tokens_ < 1) {
    throw ConfigError(kWhere, fmt::format("got shards of {} tokens; expected at least 1", shard_tokens_));
  }
  make_directories(directory_);
  // The first goes first: without it the others are not taken for a split.
  for (int64_t shard = 0;; ++shard) {
    std::error_code error;
    const fs::path path = shard_path(directory_, split_, shard);
    if (!fs::remove(path, error)) {
      if (error) throw FileError(kWhere, fmt::format("cannot remove {}: {}", path.string(), error.message()));
      break;
    }
  }
}

void TokenShardWriter::begin_document() {
  ++documents_;
  if (info_.bos && info_.bos != info_.eos) {
    append(*info_.bos);
  } else if (size_ == 0 && info_.eos) {
    append(*info_.eos);
  }
}

void TokenShardWriter::add(std::span<const TokenId> ids) {
  for (const TokenId id : ids) check_id(id, info_.vocab_size);
  for (const TokenId id : ids) append(id);
}

void TokenShardWriter::end_document() {
  if (info_.eos) append(*info_.eos);
}

void TokenShardWriter::add_document(std::span<const TokenId> ids) {
  begin_document();
  add(ids);
  end_document();
}

void TokenShardWriter::append(TokenId id) {
  if (static_cast<int64_t>(shard_.size()) == shard_tokens_) write_shard(false);
  shard_.push_back(id);
  ++size_;
}

void TokenShardWriter::finish() {
  if (size_ == 0) {
    throw DataError(kWhere, fmt::format("got no tokens for \"{}\"; expected at least one document", split_));
  }
  write_shard(true);
}

void TokenShardWriter::write_shard(bool last) {
  const uint32_t id_bytes = id_bytes_of(info_.vocab_size);
  std::vector<uint16_t> narrow;
  if (id_bytes == 2) narrow.assign(shard_.begin(), shard_.end());
  const void* contents = id_bytes == 2 ? static_cast<const void*>(narrow.data()) : shard_.data();
  const size_t bytes = shard_.size() * id_bytes;
  const Hash128 checksum = hash_bytes(contents, bytes);
  Header header{.magic = {},
                .version = kVersion,
                .id_bytes = id_bytes,
                .shard = static_cast<uint32_t>(shards_),
                .last = last ? 1u : 0u,
                .ids = shard_.size(),
                .vocab_size = static_cast<uint32_t>(info_.vocab_size),
                .bos = info_.bos.value_or(-1),
                .eos = info_.eos.value_or(-1),
                .zero = 0,
                .checksum_low = checksum.low,
                .checksum_high = checksum.high};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  AtomicFileWriter writer(shard_path(directory_, split_, shards_));
  writer.write(&header, sizeof header);
  writer.write(contents, bytes);
  writer.commit();
  ++shards_;
  shard_.clear();
}

struct TokenShards::Shard {
  std::optional<MappedFile> file;
  std::vector<TokenId> memory;
  uint32_t id_bytes = sizeof(TokenId);

  const std::byte* ids() const {
    return file ? file->bytes().data() + sizeof(Header) : reinterpret_cast<const std::byte*>(memory.data());
  }
};

TokenShards::TokenShards(const fs::path& directory, const std::string& split, bool check_contents) {
  Header header{};
  for (int64_t number = 0; !header.last; ++number) {
    const fs::path path = shard_path(directory, split, number);
    if (number > 0 && !fs::exists(path)) damaged(path, "the file is missing, and the one before it is not the last");
    auto shard = std::make_shared<Shard>();
    shard->file.emplace(path);
    const std::span<const std::byte> bytes = shard->file->bytes();
    const Header previous = std::exchange(header, checked_header(path, bytes, number));
    shard->id_bytes = header.id_bytes;
    if (number > 0 && (header.vocab_size != previous.vocab_size || header.bos != previous.bos ||
                       header.eos != previous.eos)) {
      damaged(path, "got another vocabulary than in the shard before");
    }
    if (check_contents &&
        hash_bytes(shard->ids(), bytes.size() - sizeof header) != Hash128{header.checksum_low, header.checksum_high}) {
      damaged(path, "the contents do not have the checksum of the header");
    }
    shards_.push_back(std::move(shard));
    begins_.push_back(begins_.back() + static_cast<int64_t>(header.ids));
  }
  info_ = info_of(header);
}

TokenShards::TokenShards(std::vector<TokenId> ids, const TokenStreamInfo& info) : info_(info) {
  check_info(info_);
  for (const TokenId id : ids) check_id(id, info_.vocab_size);
  auto shard = std::make_shared<Shard>();
  shard->memory = std::move(ids);
  begins_.push_back(static_cast<int64_t>(shard->memory.size()));
  shards_.push_back(std::move(shard));
}

void TokenShards::read(int64_t begin, std::span<int64_t> out) const {
  if (begin < 0 || begin > size() || static_cast<int64_t>(out.size()) > size() - begin) {
    throw ShapeError(kWhere, fmt::format("got tokens {} to {}; expected at most {}", begin,
                                         begin + static_cast<int64_t>(out.size()), size()));
  }
  auto s = static_cast<size_t>(std::upper_bound(begins_.begin(), begins_.end(), begin) - begins_.begin()) - 1;
  for (; !out.empty(); ++s) {
    const Shard& shard = *shards_[s];
    const auto count = static_cast<size_t>(std::min<int64_t>(begins_[s + 1] - begin, std::ssize(out)));
    const std::byte* from = shard.ids() + static_cast<size_t>(begin - begins_[s]) * shard.id_bytes;
    if (shard.id_bytes == 2) {
      widen<uint16_t>(from, out.first(count));
    } else {
      widen<TokenId>(from, out.first(count));
    }
    out = out.subspan(count);
    begin += static_cast<int64_t>(count);
  }
}

}  // namespace danlu::data
