// GGUF: a language model in one file, as llama.cpp and what is built on it read it. Format: github.com/ggml-org/ggml, docs/gguf.md
//
//   "GGUF", version 3, number of tensors, number of metadata
//   metadata    key, type, value; one after another
//   tensors     name, sizes (those of a row first), type, offset in the data
//   data        from the next multiple of general.alignment, 32 if that is not said; so is each tensor
//
//   const GgufFile file("model.gguf");
//   file.text("general.architecture");                      // "llama", or nothing
//   std::vector<float> weights(file.shape(name).numel());
//   file.read(name, weights);                               // of any type in gguf_blocks.h
//
// Little-endian files of one part, versions 2 and 3.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "danlu/base/files.h"
#include "danlu/engine/tensor/tensor.h"
#include "danlu/formats/gguf_blocks.h"

namespace danlu::formats {

// The alternatives stand in the order of the format's numbers: index() is the type. An array of booleans holds a byte each.
using GgufArray = std::variant<std::vector<uint8_t>, std::vector<int8_t>, std::vector<uint16_t>, std::vector<int16_t>, std::vector<uint32_t>,
                               std::vector<int32_t>, std::vector<float>, std::vector<bool>, std::vector<std::string>, std::monostate,
                               std::vector<uint64_t>, std::vector<int64_t>, std::vector<double>>;
using GgufValue = std::variant<uint8_t, int8_t, uint16_t, int16_t, uint32_t, int32_t, float, bool, std::string, GgufArray, uint64_t, int64_t, double>;
using GgufMetadata = std::vector<std::pair<std::string, GgufValue>>;

struct GgufTensor {
  std::string name;
  Tensor tensor;  // f32, of one to four axes
  const BlockType* type = nullptr;
  std::vector<std::byte> blocks = {};  // what the tensor is stored as, if that is known; empty: as type->encode() makes it
};

// Writes the file whole or not at all, at the alignment of 32. Throws DataError naming the tensor or key for a name twice or of more than 63
// bytes, a text that is not UTF-8, rows that are no whole number of blocks, a type without encode(), and a weight that is not finite or
// larger than the type takes; FileError if the disk fails.
void write_gguf(const fs::path& path, const GgufMetadata& metadata, const std::vector<GgufTensor>& tensors);

// An open file. Safe to read from several threads.
class GgufFile {
 public:
  // Maps the file and checks all of it but the data: nothing is trusted. Throws DataError naming the file, and the key or tensor;
  // FileError if it cannot be opened.
  explicit GgufFile(const fs::path& path);

  std::string source() const { return path_.string(); }
  const GgufMetadata& metadata() const { return metadata_; }
  const GgufValue* find(std::string_view key) const;

  // The value of a key, nothing if it is absent; DataError if it is of another kind. Whole numbers of any type count as one kind,
  // so do floating-point ones: an f32 is taken for the shortest decimal that it stands for.
  std::optional<int64_t> whole(std::string_view key) const;
  std::optional<double> number(std::string_view key) const;
  std::optional<bool> flag(std::string_view key) const;
  std::optional<std::string> text(std::string_view key) const;
  std::optional<std::vector<int64_t>> wholes(std::string_view key) const;
  const std::vector<std::string>* texts(std::string_view key) const;  // nullptr if absent

  const std::vector<std::string>& names() const { return names_; }  // in the order of the data
  bool contains(std::string_view name) const { return entries_.contains(name); }
  // Throw DataError, naming the nearest, if there is no such tensor.
  const Shape& shape(std::string_view name) const { return entry(name).shape; }
  const BlockType& type(std::string_view name) const { return *entry(name).type; }
  std::span<const std::byte> bytes(std::string_view name) const;
  // Throws InternalError if `out` has another size.
  void read(std::string_view name, std::span<float> out) const;

 private:
  class Parser;
  struct Entry {
    const BlockType* type = nullptr;
    Shape shape;
    uint64_t begin = 0, bytes = 0;  // in the data
  };

  [[noreturn]] void fail(std::string_view what) const;
  [[noreturn]] void wrong_kind(std::string_view key, const GgufValue& value, const char* expected) const;
  const Entry& entry(std::string_view name) const;
  void check_parts() const;
  uint64_t alignment() const;
  void check_layout();

  fs::path path_;
  MappedFile file_;
  GgufMetadata metadata_;
  std::map<std::string, size_t, std::less<>> places_;  // of keys
  std::map<std::string, Entry, std::less<>> entries_;
  std::vector<std::string> names_;
  uint64_t data_start_ = 0;
};

}  // namespace danlu::formats
