#include "danlu/formats/gguf.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <set>
#include <type_traits>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/json.h"
#include "danlu/base/options.h"
#include "danlu/base/utf8.h"

namespace danlu::formats {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian and bytes are copied as they are");

constexpr const char* kWhere = "formats.gguf";
constexpr std::string_view kMagic = "GGUF";
constexpr uint32_t kVersion = 3, kLeastVersion = 2;
constexpr uint64_t kAlignment = 32, kMaxAlignment = 1 << 20;
constexpr const char* kAlignmentKey = "general.alignment";
constexpr uint64_t kMaxKeyBytes = 65535, kMaxNameBytes = 63;  // llama.cpp ends the names of tensors with a zero
constexpr int kMaxRank = 4;

constexpr const char* kTypeNames[] = {"u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "string", "array", "u64", "i64", "f64"};
static_assert(std::size(kTypeNames) == std::variant_size_v<GgufValue> && std::variant_size_v<GgufArray> == std::variant_size_v<GgufValue>);
constexpr uint32_t kArrayType = 9;

uint64_t padded(uint64_t bytes, uint64_t alignment) { return (bytes + alignment - 1) / alignment * alignment; }

std::string type_name(const GgufValue& value) {
  const auto* array = std::get_if<GgufArray>(&value);
  return array == nullptr ? kTypeNames[value.index()] : fmt::format("array of {}", kTypeNames[array->index()]);
}

// The variant's alternative of that index, made by `make`, which is told a null pointer to it.
template <class Variant, size_t kAt = 0, class Make>
Variant make_alternative(size_t index, const Make& make) {
  if constexpr (kAt + 1 < std::variant_size_v<Variant>) {
    if (index != kAt) return make_alternative<Variant, kAt + 1>(index, make);
  }
  using Alternative = std::variant_alternative_t<kAt, Variant>;
  return Variant(std::in_place_index<kAt>, make(static_cast<Alternative*>(nullptr)));
}

class Writer {
 public:
  explicit Writer(const fs::path& path) : file_(path) {}

  void raw(const void* data, size_t bytes) {
    file_.write(data, bytes);
    written_ += bytes;
  }
  template <class T>
  void number(T value) {
    raw(&value, sizeof value);
  }
  void text(std::string_view text) {
    number<uint64_t>(text.size());
    raw(text.data(), text.size());
  }
  void value(const GgufValue& value) {
    number(static_cast<uint32_t>(value.index()));
    std::visit([&](const auto& v) { put(v); }, value);
  }
  void pad(uint64_t alignment) {
    const std::string zeros(padded(written_, alignment) - written_, '\0');
    raw(zeros.data(), zeros.size());
  }
  void commit() { file_.commit(); }

 private:
  template <class T>
  void put(const T& v) {
    if constexpr (std::is_same_v<T, std::string>) {
      text(v);
    } else if constexpr (std::is_same_v<T, bool>) {
      number(static_cast<uint8_t>(v));
    } else if constexpr (std::is_same_v<T, GgufArray>) {
      number(static_cast<uint32_t>(v.index()));
      std::visit([&](const auto& elements) { put_elements(elements); }, v);
    } else {
      number(v);
    }
  }
  void put_elements(std::monostate) {}
  template <class T>
  void put_elements(const std::vector<T>& elements) {
    number<uint64_t>(elements.size());
    for (const T& element : elements) put(element);
  }

  AtomicFileWriter file_;
  uint64_t written_ = 0;
};

void check_text(const fs::path& path, const std::string& key, const std::string& text) {
  if (!is_utf8(text)) throw DataError(kWhere, fmt::format("{}: {}: got bytes that are not UTF-8", path.string(), to_line(key)));
}

void check_metadata(const fs::path& path, const GgufMetadata& metadata) {
  const auto fail = [&](const std::string& key, const char* what) {
    throw DataError(kWhere, fmt::format("{}: metadata {} {}", path.string(), to_line(key), what));
  };
  std::set<std::string_view> seen;
  for (const auto& [key, value] : metadata) {
    if (key.empty() || key.size() > kMaxKeyBytes || !is_utf8(key)) fail(key, "has a name that is empty, too long or not UTF-8");
    if (key == kAlignmentKey) fail(key, "is written by itself");
    if (!seen.insert(key).second) fail(key, "is given twice; expected unique names");
    if (const auto* text = std::get_if<std::string>(&value)) check_text(path, key, *text);
    if (const auto* array = std::get_if<GgufArray>(&value)) {
      if (array->index() == kArrayType) fail(key, "is an array of nothing");
      if (const auto* texts = std::get_if<std::vector<std::string>>(array)) {
        for (const std::string& text : *texts) check_text(path, key, text);
      }
    }
  }
}

void check_tensors(const fs::path& path, const std::vector<GgufTensor>& tensors) {
  std::set<std::string_view> seen;
  for (const GgufTensor& t : tensors) {
    const auto fail = [&](const std::string& what) {
      throw DataError(kWhere, fmt::format("{}: tensor {} {}", path.string(), to_line(t.name), what));
    };
    if (t.name.empty() || t.name.size() > kMaxNameBytes || !is_utf8(t.name)) fail(fmt::format("has a name that is empty, longer than {} bytes or not UTF-8", kMaxNameBytes));
    if (!seen.insert(t.name).second) fail("is given twice; expected unique names");
    if (!t.tensor.defined() || t.tensor.dtype() != Dtype::f32) fail("is not f32");
    const Shape& shape = t.tensor.shape();
    if (shape.rank() < 1 || shape.rank() > kMaxRank || shape.numel() < 1) fail(fmt::format("has the shape {}; expected one to four axes, none empty", shape.str()));
    if (t.type == nullptr || t.type->encode == nullptr) fail("has a type that is not written");
    if (shape[-1] % t.type->elements != 0) {
      fail(fmt::format("has rows of {}; expected a multiple of {}, the block of {}", shape[-1], t.type->elements, t.type->name));
    }
    if (!t.blocks.empty() && t.blocks.size() != t.type->bytes_of(static_cast<size_t>(shape.numel()))) {
      fail(fmt::format("has blocks of {} bytes; expected {}", t.blocks.size(), t.type->bytes_of(static_cast<size_t>(shape.numel()))));
    }
    for (const float x : t.tensor.span()) {
      if (std::abs(x) <= t.type->largest) continue;  // not so for NaN
      fail(fmt::format("holds {}; expected finite numbers up to {}, the largest of {}", x, t.type->largest, t.type->name));
    }
  }
}

// In pieces, so that no second copy of a tensor is made.
void write_data(Writer& out, const GgufTensor& t) {
  if (!t.blocks.empty()) {
    out.raw(t.blocks.data(), t.blocks.size());
    return out.pad(kAlignment);
  }
  constexpr size_t kPiece = 1 << 18;  // elements; a multiple of every block
  std::vector<std::byte> bytes;
  for (std::span<const float> rest = t.tensor.span(); !rest.empty();) {
    const std::span<const float> piece = rest.first(std::min(kPiece, rest.size()));
    bytes.resize(t.type->bytes_of(piece.size()));
    t.type->encode(piece, bytes);
    out.raw(bytes.data(), bytes.size());
    rest = rest.subspan(piece.size());
  }
  out.pad(kAlignment);
}

}  // namespace

void write_gguf(const fs::path& path, const GgufMetadata& metadata, const std::vector<GgufTensor>& tensors) {
  check_metadata(path, metadata);
  check_tensors(path, tensors);
  Writer out(path);
  out.raw(kMagic.data(), kMagic.size());
  out.number(kVersion);
  out.number<uint64_t>(tensors.size());
  out.number<uint64_t>(metadata.size() + 1);
  for (const auto& [key, value] : metadata) {
    out.text(key);
    out.value(value);
  }
  out.text(kAlignmentKey);
  out.value(static_cast<uint32_t>(kAlignment));

  uint64_t offset = 0;
  for (const GgufTensor& t : tensors) {
    const std::span<const int64_t> sizes = t.tensor.shape().sizes();
    out.text(t.name);
    out.number(static_cast<uint32_t>(sizes.size()));
    for (size_t i = sizes.size(); i > 0; --i) out.number(static_cast<uint64_t>(sizes[i - 1]));
    out.number(t.type->id);
    out.number(offset);
    offset += padded(t.type->bytes_of(static_cast<size_t>(t.tensor.shape().numel())), kAlignment);
  }
  out.pad(kAlignment);
  for (const GgufTensor& t : tensors) write_data(out, t);
  out.commit();
}

// Reads the header from front to back; nothing is taken from beyond the file, and no memory for what is not in it.
class GgufFile::Parser {
 public:
  explicit Parser(GgufFile& file) : file_(file), bytes_(file.file_.bytes()) {}

  void parse() {
    const std::string_view text = file_.file_.text();
    if (!text.starts_with(kMagic)) file_.fail("does not begin with \"GGUF\"; not a GGUF file");
    at_ = kMagic.size();
    const auto version = number<uint32_t>("the version");
    if (version != 0 && (version & 0xffff) == 0) file_.fail("is a big-endian file; expected a little-endian one");
    if (version < kLeastVersion || version > kVersion) file_.fail(fmt::format("got version {}; expected 2 or 3", version));
    const auto tensors = number<uint64_t>("the number of tensors"), keys = number<uint64_t>("the number of metadata");
    // What the least of each takes.
    if (keys > left() / 13 || tensors > left() / 32) {
      file_.fail(fmt::format("got {} metadata and {} tensors in {} bytes; the file is cut short or damaged", keys, tensors, bytes_.size()));
    }
    for (uint64_t i = 0; i < keys; ++i) parse_pair();
    for (uint64_t i = 0; i < tensors; ++i) parse_tensor();
  }

  size_t at() const { return at_; }

 private:
  uint64_t left() const { return bytes_.size() - at_; }
  [[noreturn]] void cut_short(const std::string& what, uint64_t wanted) const {
    file_.fail(fmt::format("got {} bytes where {} takes {}; the file is cut short or damaged", left(), what, wanted));
  }

  template <class T>
  T number(const std::string& what) {
    if (left() < sizeof(T)) cut_short(what, sizeof(T));
    T value;
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }

  std::string text(const std::string& what, uint64_t most) {
    const auto length = number<uint64_t>("the length of " + what);
    if (length > left()) cut_short(what, length);
    if (length > most) file_.fail(fmt::format("got {} of {} bytes; expected at most {}", what, length, most));
    std::string value(reinterpret_cast<const char*>(bytes_.data() + at_), length);
    at_ += length;
    return value;
  }

  std::string name(const char* what, uint64_t most) {
    std::string name = text(what, most);
    if (name.empty() || !is_utf8(name)) file_.fail(fmt::format("got {} that is empty or not UTF-8", what));
    return name;
  }

  template <class T>
  T value(const std::string& key) {
    if constexpr (std::is_same_v<T, std::string>) {
      return text(key, UINT64_MAX);
    } else if constexpr (std::is_same_v<T, bool>) {
      const auto byte = number<uint8_t>(key);
      if (byte > 1) file_.fail(fmt::format("{}: got a bool of {}; expected 0 or 1", key, byte));
      return byte == 1;
    } else if constexpr (std::is_same_v<T, GgufArray>) {
      return array(key);
    } else {
      return number<T>(key);
    }
  }

  uint32_t type_of(const std::string& key) {
    const auto type = number<uint32_t>("the type of " + key);
    if (type >= std::size(kTypeNames)) file_.fail(fmt::format("{}: got a value of type {}; expected 0 to {}", key, type, std::size(kTypeNames) - 1));
    return type;
  }

  GgufArray array(const std::string& key) {
    const uint32_t type = type_of(key);
    if (type == kArrayType) file_.fail(fmt::format("{}: got an array of arrays, which is not supported", key));
    const auto count = number<uint64_t>("the length of " + key);
    return make_alternative<GgufArray>(type, [&]<class Elements>(Elements*) { return elements<Elements>(key, count); });
  }

  template <class Elements>
  Elements elements(const std::string& key, uint64_t count) {
    Elements elements;
    if constexpr (!std::is_same_v<Elements, std::monostate>) {
      using T = typename Elements::value_type;
      constexpr uint64_t kLeast = std::is_same_v<T, std::string> ? sizeof(uint64_t) : std::is_same_v<T, bool> ? 1 : sizeof(T);
      if (count > left() / kLeast) {
        file_.fail(fmt::format("{}: got {} elements in {} bytes; the file is cut short or damaged", key, count, left()));
      }
      elements.reserve(count);
      for (uint64_t i = 0; i < count; ++i) elements.push_back(value<T>(key));
    }
    return elements;
  }

  void parse_pair() {
    const std::string key = name("a key", kMaxKeyBytes), quoted = to_line(key);
    const uint32_t type = type_of(quoted);
    if (!file_.places_.emplace(key, file_.metadata_.size()).second) file_.fail(fmt::format("got the key {} twice", quoted));
    file_.metadata_.emplace_back(key, make_alternative<GgufValue>(type, [&]<class T>(T*) { return value<T>(quoted); }));
  }

  void parse_tensor() {
    const std::string name = this->name("the name of a tensor", kMaxNameBytes + 1), quoted = to_line(name);
    const auto fail = [&](const std::string& what) { file_.fail(fmt::format("tensor {}: {}", quoted, what)); };
    const auto rank = number<uint32_t>(quoted);
    if (rank < 1 || rank > kMaxRank) fail(fmt::format("got {} axes; expected 1 to {}", rank, kMaxRank));
    std::vector<int64_t> sizes(rank);
    for (uint32_t i = rank; i > 0; --i) {
      const auto size = number<uint64_t>(quoted);
      if (size < 1 || size > INT64_MAX) fail(fmt::format("got an axis of {}; expected at least 1 and less than 2^63", size));
      sizes[i - 1] = static_cast<int64_t>(size);
    }
    const auto type_id = number<uint32_t>(quoted);
    const BlockType* type = find_block_type(type_id);
    if (type == nullptr) fail(fmt::format("got {} elements; expected {}; nothing else is read", block_type_name(type_id), block_type_names()));
    Entry entry{type, {}, number<uint64_t>(quoted), 0};
    try {
      entry.shape = Shape(sizes);
    } catch (const ShapeError&) {
      fail("got axes whose product does not fit in 63 bits");
    }
    if (entry.shape[-1] % type->elements != 0) fail(fmt::format("got rows of {}; expected a multiple of {}, the block of {}", entry.shape[-1], type->elements, type->name));
    const auto blocks = static_cast<uint64_t>(entry.shape.numel() / type->elements);
    if (blocks > bytes_.size() / static_cast<uint64_t>(type->bytes)) fail(fmt::format("got {} {} in a file of {} bytes; it is cut short or damaged", type->name, entry.shape.str(), bytes_.size()));
    entry.bytes = blocks * static_cast<uint64_t>(type->bytes);
    if (!file_.entries_.emplace(name, entry).second) fail("got it twice; expected unique names");
    file_.names_.push_back(name);
  }

  GgufFile& file_;
  std::span<const std::byte> bytes_;
  size_t at_ = 0;
};

GgufFile::GgufFile(const fs::path& path) : path_(path), file_(path) {
  Parser parser(*this);
  parser.parse();
  check_parts();
  data_start_ = padded(parser.at(), alignment());
  check_layout();
}

void GgufFile::check_parts() const {
  const int64_t parts = whole("split.count").value_or(1);
  if (parts > 1) fail(fmt::format("is one of {} parts; expected a whole file; llama-gguf-split --merge makes one", parts));
}

uint64_t GgufFile::alignment() const {
  const int64_t value = whole(kAlignmentKey).value_or(kAlignment);
  if (value < 1 || value > static_cast<int64_t>(kMaxAlignment) || !std::has_single_bit(static_cast<uint64_t>(value))) {
    fail(fmt::format("\"{}\": got {}; expected a power of two up to {}", kAlignmentKey, value, kMaxAlignment));
  }
  return static_cast<uint64_t>(value);
}

// The tensors follow one another from the first byte of the data, each at the next multiple of the alignment: no hole, no overlap.
void GgufFile::check_layout() {
  std::stable_sort(names_.begin(), names_.end(), [&](const std::string& a, const std::string& b) { return entry(a).begin < entry(b).begin; });
  const uint64_t size = file_.bytes().size(), data = data_start_ < size ? size - data_start_ : 0;
  uint64_t end = 0;
  for (const std::string& name : names_) {
    const Entry& e = entry(name);
    const uint64_t next = padded(end, alignment());
    if (e.begin != next) fail(fmt::format("tensor {}: got offset {}; expected {}, where the one before ends", to_line(name), e.begin, next));
    if (e.begin > data || e.bytes > data - e.begin) {
      fail(fmt::format("tensor {}: got bytes {} to {} of {}; the file is cut short or damaged", to_line(name), e.begin, e.begin + e.bytes, data));
    }
    end = e.begin + e.bytes;
  }
  if (data > padded(end, alignment())) fail(fmt::format("got {} bytes of data; expected {}, those of its tensors", data, padded(end, alignment())));
}

const GgufValue* GgufFile::find(std::string_view key) const {
  const auto place = places_.find(key);
  return place == places_.end() ? nullptr : &metadata_[place->second].second;
}

std::optional<int64_t> GgufFile::whole(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  return std::visit(
      [&]<class T>(const T& v) -> int64_t {
        if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
          if (std::in_range<int64_t>(v)) return static_cast<int64_t>(v);
        }
        wrong_kind(key, *value, "a whole number below 2^63");
      },
      *value);
}

std::optional<double> GgufFile::number(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* wide = std::get_if<double>(value)) return *wide;
  const auto* narrow = std::get_if<float>(value);
  if (narrow == nullptr) wrong_kind(key, *value, "f32 or f64");
  char digits[32];
  double decimal = *narrow;
  const auto written = std::to_chars(digits, std::end(digits), *narrow);
  std::from_chars(digits, written.ptr, decimal);
  return decimal;
}

std::optional<bool> GgufFile::flag(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!std::holds_alternative<bool>(*value)) wrong_kind(key, *value, "bool");
  return std::get<bool>(*value);
}

std::optional<std::string> GgufFile::text(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!std::holds_alternative<std::string>(*value)) wrong_kind(key, *value, "string");
  return std::get<std::string>(*value);
}

std::optional<std::vector<int64_t>> GgufFile::wholes(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  const char* expected = "array of whole numbers below 2^63";
  const auto* array = std::get_if<GgufArray>(value);
  if (array == nullptr) wrong_kind(key, *value, expected);
  return std::visit(
      [&]<class Elements>(const Elements& elements) -> std::vector<int64_t> {
        if constexpr (!std::is_same_v<Elements, std::monostate>) {
          using T = typename Elements::value_type;
          if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
            if (std::all_of(elements.begin(), elements.end(), [](T v) { return std::in_range<int64_t>(v); })) return {elements.begin(), elements.end()};
          }
        }
        wrong_kind(key, *value, expected);
      },
      *array);
}

const std::vector<std::string>* GgufFile::texts(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return nullptr;
  const auto* array = std::get_if<GgufArray>(value);
  const auto* texts = array == nullptr ? nullptr : std::get_if<std::vector<std::string>>(array);
  if (texts == nullptr) wrong_kind(key, *value, "array of string");
  return texts;
}

const GgufFile::Entry& GgufFile::entry(std::string_view name) const {
  const auto it = entries_.find(name);
  if (it == entries_.end()) fail(fmt::format("has no tensor \"{}\"{}", name, did_you_mean(name, names_)));
  return it->second;
}

std::span<const std::byte> GgufFile::bytes(std::string_view name) const {
  const Entry& e = entry(name);
  return file_.bytes().subspan(data_start_ + e.begin, e.bytes);
}

void GgufFile::read(std::string_view name, std::span<float> out) const {
  const Entry& e = entry(name);
  if (static_cast<size_t>(e.shape.numel()) != out.size()) {
    throw InternalError(kWhere, fmt::format("tensor {} {} read into {} elements", name, e.shape.str(), out.size()));
  }
  e.type->decode(bytes(name), out);
}

void GgufFile::wrong_kind(std::string_view key, const GgufValue& value, const char* expected) const {
  fail(fmt::format("{}: got {}; expected {}", to_line(std::string(key)), type_name(value), expected));
}

void GgufFile::fail(std::string_view what) const { throw DataError(kWhere, fmt::format("{}: {}", path_.string(), what)); }

}  // namespace danlu::formats
