#include "danlu/formats/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <set>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/hash.h"
#include "danlu/base/json.h"
#include "danlu/base/options.h"
#include "danlu/base/utf8.h"

namespace danlu::formats {
namespace {

static_assert(std::endian::native == std::endian::little,
              "the format is little-endian and bytes are copied as they are");

constexpr size_t kLengthBytes = 8, kAlignment = 64;  // of the data: a line of the cache
// Room for 100,000 tensors. The format itself allows 100 MB, which a hostile file could turn into gigabytes of JSON.
constexpr uint64_t kMaxHeaderBytes = 16 << 20;
constexpr const char* kWhere = "formats.safetensors";
constexpr const char* kMetadataKey = "__metadata__";
constexpr const char* kChecksumKey = "danlu.xxh3";

// Over everything that the file says, in the order of names: a file that another program wrote again in another order
// still fits.
class Checksum {
 public:
  void add(const std::string& name, const StoredType& type, const Shape& shape, const void* data, size_t bytes) {
    tensors_[name] = fmt::format("{} {} {}", type.name, shape.str(), hash_bytes(data, bytes).hex());
  }
  std::string hex(const Metadata& metadata) const {
    Json all = {{"tensors", tensors_}, {"metadata", metadata}};
    all["metadata"].erase(kChecksumKey);
    return hash_text(to_line(all)).hex();
  }

 private:
  std::map<std::string, std::string> tensors_;
};

void check_writable(const fs::path& path, const std::vector<NamedTensor>& tensors, const Metadata& metadata) {
  const auto refuse = [&](std::string_view noun, std::string_view name, std::string_view reason) {
    throw DataError(kWhere, fmt::format("{}: {} {} {}", path.string(), noun, to_line(name), reason));
  };
  std::set<std::string_view> seen;
  for (const auto& [name, tensor] : tensors) {
    if (!is_utf8(name)) refuse("tensor", name, "has a name that is not UTF-8");
    if (name == kMetadataKey) refuse("tensor", name, "has a name that the format keeps for itself");
    if (!seen.insert(name).second) refuse("tensor", name, "is given twice; expected unique names");
    if (!tensor.defined()) refuse("tensor", name, "is undefined");
  }
  for (const auto& [key, value] : metadata) {
    if (!is_utf8(key) || !is_utf8(value)) refuse("metadata", key, "is not UTF-8");
  }
}

std::string make_header(const std::vector<const NamedTensor*>& tensors, Metadata metadata) {
  Checksum checksum;
  for (const NamedTensor* t : tensors) {
    checksum.add(t->name, stored_type_of(t->tensor.dtype()), t->tensor.shape(), t->tensor.raw_bytes(), t->tensor.bytes());
  }
  metadata.emplace("format", "pt");
  metadata[kChecksumKey] = checksum.hex(metadata);

  nlohmann::json header = {{kMetadataKey, metadata}};
  size_t begin = 0;
  for (const NamedTensor* t : tensors) {
    const size_t end = begin + t->tensor.bytes();
    header[t->name] = {{"dtype", stored_type_of(t->tensor.dtype()).name},
                       {"shape", t->tensor.shape().sizes()},
                       {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text = header.dump();
  text.resize((kLengthBytes + text.size() + kAlignment - 1) / kAlignment * kAlignment - kLengthBytes, ' ');
  return text;
}

// The header's JSON: an object of objects, no key twice. The parser itself knows no bounds and lets the last of two
// equal keys win, so a callback watches it.
nlohmann::json parse_strict(std::string_view text, const std::string& path) {
  constexpr int kLevels = 2;
  std::set<std::string> keys[kLevels];
  const auto fail = [&](const std::string& what) {
    throw DataError(kWhere, fmt::format("{}: header: {}", path, what));
  };
  const auto watch = [&](int depth, nlohmann::json::parse_event_t event, const nlohmann::json& value) {
    using Event = nlohmann::json::parse_event_t;
    if (event == Event::object_start && depth >= kLevels) fail("got an object inside a tensor's entry");
    if (event == Event::array_start && depth > kLevels) fail("got an array inside an array");
    if (event == Event::object_start) keys[depth].clear();
    if (event == Event::key && !keys[depth - 1].insert(value.get<std::string>()).second) {
      fail(fmt::format("got the key {} twice; expected unique names", value.dump()));
    }
    return true;
  };
  if (!text.starts_with('{')) fail("expected it to begin with '{'");
  if (text.find('\0') != text.npos) fail("got a zero byte");  // which the parser takes for the end
  try {
    return nlohmann::json::parse(text, watch);
  } catch (const nlohmann::json::exception& error) {
    fail(fmt::format("not valid JSON: {}", error.what()));
    throw;
  }
}

// A size or an offset: a whole number, 0 <= value < 2^63.
std::optional<uint64_t> to_unsigned(const nlohmann::json& value) {
  if (!value.is_number_unsigned()) return std::nullopt;
  const auto number = value.get<uint64_t>();
  return number <= INT64_MAX ? std::optional(number) : std::nullopt;
}

std::optional<Shape> to_shape(const nlohmann::json& value) {
  if (!value.is_array() || value.size() > Shape::kMaxRank) return std::nullopt;
  std::vector<int64_t> sizes;
  for (const auto& element : value) {
    const auto size = to_unsigned(element);
    if (!size) return std::nullopt;
    sizes.push_back(static_cast<int64_t>(*size));
  }
  try {
    return Shape(sizes);
  } catch (const ShapeError&) {  // the number of elements overflows
    return std::nullopt;
  }
}

const StoredType* to_type(const nlohmann::json& value) {
  return value.is_string() ? find_stored_type(value.get_ref<const std::string&>()) : nullptr;
}

}  // namespace

void write_safetensors(const fs::path& path, const std::vector<NamedTensor>& tensors, const Metadata& metadata) {
  check_writable(path, tensors, metadata);
  // Wide elements first, so that each tensor is aligned to its own type, as the format's readers expect.
  std::vector<const NamedTensor*> ordered;
  for (const NamedTensor& tensor : tensors) ordered.push_back(&tensor);
  std::stable_sort(ordered.begin(), ordered.end(), [](const NamedTensor* a, const NamedTensor* b) {
    return dtype_bytes(a->tensor.dtype()) > dtype_bytes(b->tensor.dtype());
  });

  const std::string header = make_header(ordered, metadata);
  const uint64_t length = header.size();
  if (length > kMaxHeaderBytes) {
    throw DataError(kWhere,
                    fmt::format("{}: the header would be {} bytes; expected at most {}; fewer tensors or metadata",
                                path.string(), length, kMaxHeaderBytes));
  }
  AtomicFileWriter file(path);
  file.write(&length, sizeof length);
  file.write(header);
  for (const NamedTensor* t : ordered) file.write(t->tensor.raw_bytes(), t->tensor.bytes());
  file.commit();
}

SafetensorsFile::SafetensorsFile(const fs::path& path) : path_(path), file_(std::make_shared<MappedFile>(path)) {
  const std::string_view text = file_->text();
  uint64_t length = 0;
  if (text.size() < kLengthBytes) {
    fail(fmt::format("got {} bytes; expected at least {}; the file is cut short", text.size(), kLengthBytes));
  }
  std::memcpy(&length, text.data(), kLengthBytes);
  if (length > text.size() - kLengthBytes || length > kMaxHeaderBytes) {
    fail(fmt::format("got a header of {} bytes in a file of {} bytes; not a safetensors file, or cut short", length,
                     text.size()));
  }
  data_start_ = kLengthBytes + length;
  parse_header(text.substr(kLengthBytes, length));
  check_layout();
  verify_checksum();
}

void SafetensorsFile::parse_header(std::string_view text) {
  const nlohmann::json header = parse_strict(text, path_.string());
  for (const auto& [name, value] : header.items()) {
    if (name == kMetadataKey) {
      if (!value.is_object()) fail("header: __metadata__ is not an object");
      for (const auto& [key, item] : value.items()) {
        if (!item.is_string()) fail(fmt::format("header: __metadata__ \"{}\": expected a string", key));
        metadata_[key] = item.get<std::string>();
      }
      continue;
    }
    if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value.contains("shape") ||
        !value.contains("data_offsets")) {
      fail(name, "expected exactly dtype, shape and data_offsets");
    }
    const auto& offsets = value["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2) fail(name, "data_offsets: expected two numbers");
    const StoredType* type = to_type(value["dtype"]);
    const auto shape = to_shape(value["shape"]);
    const auto begin = to_unsigned(offsets[0]), end = to_unsigned(offsets[1]);
    if (type == nullptr) {
      fail(name, fmt::format("got dtype {}; expected F64, F32, F16, BF16, I64, I32, I16, I8, U8 or BOOL", value["dtype"].dump()));
    }
    if (!shape) fail(name, "shape: expected at most 6 sizes >= 0 whose product fits in 63 bits");
    if (!begin || !end) fail(name, "data_offsets: expected whole numbers >= 0");
    entries_[name] = {type, *shape, *begin, *end};
  }
}

// Every tensor's range fits its shape, and the ranges follow one another from the first byte of the data to the last:
// no hole, no overlap, nothing past the end.
void SafetensorsFile::check_layout() {
  for (const auto& [name, unused] : entries_) names_.push_back(name);
  std::stable_sort(names_.begin(), names_.end(), [&](const std::string& a, const std::string& b) {
    const Entry &x = entry(a), &y = entry(b);
    return std::pair(x.begin, x.end) < std::pair(y.begin, y.end);
  });
  uint64_t next = 0;
  for (const std::string& name : names_) {
    const Entry& e = entry(name);
    if (e.begin != next || e.end < e.begin) {
      fail(name, fmt::format("got data_offsets [{}, {}]; expected them to begin at {}, where the tensor before ends",
                             e.begin, e.end, next));
    }
    uint64_t bytes = 0;
    if (__builtin_mul_overflow(static_cast<uint64_t>(e.shape.numel()), e.type->bytes, &bytes) ||
        bytes != e.end - e.begin) {
      fail(name,
           fmt::format("got {} bytes; expected those of {} {}", e.end - e.begin, e.type->name, e.shape.str()));
    }
    next = e.end;
  }
  if (next != data().size()) {
    fail(
        fmt::format("got {} bytes of data; expected the {} that the header describes; the file is cut short or damaged",
                    data().size(), next));
  }
}

bool SafetensorsFile::has_checksum() const { return metadata_.contains(kChecksumKey); }

void SafetensorsFile::verify_checksum() const {
  const auto stored = metadata_.find(kChecksumKey);
  if (stored == metadata_.end()) return;
  Checksum checksum;
  for (const auto& [name, e] : entries_) checksum.add(name, *e.type, e.shape, data().data() + e.begin, e.end - e.begin);
  if (checksum.hex(metadata_) != stored->second) {
    fail(
        "the contents do not fit the checksum danlu.xxh3 in the metadata; the file is damaged, or another program "
        "changed "
        "it and kept the old checksum");
  }
}

const SafetensorsFile::Entry& SafetensorsFile::entry(std::string_view name) const {
  const auto it = entries_.find(name);
  if (it == entries_.end()) {
    fail(fmt::format("has no tensor \"{}\"{}", name, did_you_mean(name, names_)));
  }
  return it->second;
}

Tensor SafetensorsFile::read(std::string_view name) const {
  const Entry& e = entry(name);
  Tensor tensor = Tensor::empty(e.shape, e.type->dtype);
  e.type->convert(data().data() + e.begin, static_cast<size_t>(e.shape.numel()), tensor.mutable_raw_bytes());
  return tensor;
}

Tensor SafetensorsFile::map(std::string_view name) const {
  const Entry& e = entry(name);
  if (e.type != &stored_type_of(e.type->dtype)) fail(name, fmt::format("got {}; expected a type that needs no conversion", e.type->name));
  return Tensor::borrow(e.shape, e.type->dtype, data().data() + e.begin, file_);
}

void SafetensorsFile::read(std::string_view name, std::span<float> out) const {
  const Entry& e = entry(name);
  if (e.type->dtype != Dtype::f32) fail(name, fmt::format("got {}; expected a floating-point type", e.type->name));
  if (static_cast<size_t>(e.shape.numel()) != out.size()) {
    throw InternalError(kWhere, fmt::format("tensor {} {} read into {} elements", name, e.shape.str(), out.size()));
  }
  e.type->convert(data().data() + e.begin, out.size(), out.data());
}

void SafetensorsFile::fail(std::string_view what) const {
  throw DataError(kWhere, fmt::format("{}: {}", path_.string(), what));
}

void SafetensorsFile::fail(std::string_view tensor, std::string_view what) const {
  fail(fmt::format("tensor \"{}\": {}", tensor, what));
}

}  // namespace danlu::formats
