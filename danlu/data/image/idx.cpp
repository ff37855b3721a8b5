#include "danlu/data/image/idx.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.idx";

[[noreturn]] void fail(std::string_view source, std::string_view message) {
  throw DataError(kWhere, fmt::format("{}: {}", source, message));
}

template <class T>
T load_big_endian(const char* p) {
  std::array<unsigned char, sizeof(T)> bytes;
  std::memcpy(bytes.data(), p, sizeof(T));
  if constexpr (std::endian::native == std::endian::little) std::reverse(bytes.begin(), bytes.end());
  return std::bit_cast<T>(bytes);
}

template <class In, class Out>
Tensor convert(std::string_view elements, const Shape& shape) {
  Tensor tensor = Tensor::empty(shape, DtypeOf<Out>::value);
  Out* out = tensor.mutable_data<Out>();
  for (int64_t i = 0; i < tensor.numel(); ++i) {
    // i8 is a number here, not a character. NOLINTNEXTLINE(bugprone-signed-char-misuse)
    out[i] = static_cast<Out>(load_big_endian<In>(elements.data() + static_cast<size_t>(i) * sizeof(In)));
  }
  return tensor;
}

int64_t element_bytes(uint8_t type) {
  switch (type) {
    case 0x08:
    case 0x09:
      return 1;
    case 0x0B:
      return 2;
    case 0x0C:
    case 0x0D:
      return 4;
    case 0x0E:
      return 8;
    default:
      return 0;
  }
}

// Reads the sizes and checks that the elements are exactly the rest of the file.
Shape read_shape(std::string_view bytes, int rank, int64_t element, std::string_view source) {
  const size_t header = 4 + 4 * static_cast<size_t>(rank);
  if (bytes.size() < header)
    fail(source,
         fmt::format("got {} bytes; expected at least {} for the header of {} axes", bytes.size(), header, rank));
  std::vector<int64_t> sizes;
  int64_t total = element;
  bool overflow = false;
  for (int axis = 0; axis < rank; ++axis) {
    sizes.push_back(load_big_endian<uint32_t>(bytes.data() + 4 + 4 * axis));
    overflow |= __builtin_mul_overflow(total, sizes.back(), &total);
  }
  const auto left = static_cast<int64_t>(bytes.size() - header);
  if (overflow)
    fail(source, fmt::format("got sizes {}, whose product overflows; expected {} bytes of elements",
                             fmt::join(sizes, " x "), left));
  if (total != left) {
    fail(source, fmt::format("got {} bytes of elements; expected {} for sizes {}: the file is {}", left, total,
                             fmt::join(sizes, " x "), left < total ? "cut short" : "too long"));
  }
  return Shape(std::span<const int64_t>(sizes));
}

// The plain or compressed file of that name.
std::optional<fs::path> find_file(const fs::path& directory, const std::string& name) {
  for (const char* suffix : {"", ".gz"}) {
    fs::path path = directory / (name + suffix);
    if (fs::is_regular_file(path)) return path;
  }
  return std::nullopt;
}

fs::path require_file(const fs::path& directory, const std::string& name) {
  const auto path = find_file(directory, name);
  if (!path)
    throw FileError(kWhere, fmt::format("got no {0} or {0}.gz in {1}; expected it beside the other files of the set",
                                        name, directory.string()));
  return *path;
}

std::vector<int64_t> to_labels(const Tensor& tensor, std::string_view source) {
  if (tensor.rank() != 1 || tensor.dtype() == Dtype::f32) {
    fail(source, fmt::format("got {} of shape {}; expected integer labels of shape (N)", dtype_name(tensor.dtype()),
                             tensor.shape().str()));
  }
  if (tensor.dtype() == Dtype::u8) return {tensor.data<uint8_t>(), tensor.data<uint8_t>() + tensor.numel()};
  return {tensor.data<int32_t>(), tensor.data<int32_t>() + tensor.numel()};
}

// Numbers as names, or a check that every label has one.
void name_classes(LabeledImages& set, const fs::path& source) {
  if (set.labels.empty()) return;
  const auto [low, high] = std::minmax_element(set.labels.begin(), set.labels.end());
  const bool named = !set.class_names.empty();
  const int64_t limit = named ? static_cast<int64_t>(set.class_names.size()) : 65536;
  if (*low < 0 || *high >= limit) {
    fail(source.string(), fmt::format("got the label {}; expected 0 to {}{}", *low < 0 ? *low : *high, limit - 1,
                                      named ? ", one for each class name" : ""));
  }
  for (int64_t i = 0; !named && i <= *high; ++i) set.class_names.push_back(std::to_string(i));
}

// Appends the samples of `more`, which has the same image size.
void append(LabeledImages& set, const LabeledImages& more, const fs::path& source) {
  const Shape &a = set.pixels.shape(), &b = more.pixels.shape();
  if (!(a.without(0) == b.without(0)))
    fail(source.string(),
         fmt::format("got images of {}; expected {} as in the training set", b.without(0).str(), a.without(0).str()));
  Tensor both = Tensor::empty(a.with(0, a[0] + b[0]), Dtype::u8);
  std::memcpy(both.mutable_raw_bytes(), set.pixels.raw_bytes(), set.pixels.bytes());
  std::memcpy(both.mutable_raw_bytes() + set.pixels.bytes(), more.pixels.raw_bytes(), more.pixels.bytes());
  set.pixels = both;
  set.labels.insert(set.labels.end(), more.labels.begin(), more.labels.end());
  for (const auto& [size, count] : more.original_sizes) set.original_sizes[size] += count;
}

}  // namespace

Tensor parse_idx(std::string_view bytes, std::string_view source) {
  if (bytes.size() < 4)
    fail(source,
         fmt::format("got {} bytes; expected an IDX file, which begins with four bytes of magic", bytes.size()));
  const auto magic = load_big_endian<uint32_t>(bytes.data());
  const auto type = static_cast<uint8_t>(magic >> 8);
  const int rank = static_cast<int>(magic & 0xFF);
  const int64_t element = element_bytes(type);
  if (magic >> 16 != 0 || element == 0 || rank < 1 || rank > Shape::kMaxRank) {
    fail(source,
         fmt::format("got magic 0x{:08X}; expected 0x000008NN, 09, 0B, 0C, 0D or 0E for the type and NN = 1 to {} axes "
                     "(0x00000803 for images, 0x00000801 for labels)",
                     magic, Shape::kMaxRank));
  }
  const Shape shape = read_shape(bytes, rank, element, source);
  const std::string_view elements = bytes.substr(4 + 4 * static_cast<size_t>(rank));
  switch (type) {
    case 0x08:
      return convert<uint8_t, uint8_t>(elements, shape);
    case 0x09:
      return convert<int8_t, int32_t>(elements, shape);
    case 0x0B:
      return convert<int16_t, int32_t>(elements, shape);
    case 0x0C:
      return convert<int32_t, int32_t>(elements, shape);
    case 0x0D:
      return convert<float, float>(elements, shape);
    default:
      return convert<double, float>(elements, shape);
  }
}

Tensor read_idx(const fs::path& path) { return parse_idx(read_gzip(path), path.string()); }

LabeledImages read_idx_images(const fs::path& images, const fs::path& labels, std::vector<std::string> class_names) {
  LabeledImages set;
  set.class_names = std::move(class_names);
  set.pixels = read_idx(images);
  const Shape shape = set.pixels.shape();
  const bool gray = shape.rank() == 3, color = shape.rank() == 4 && (shape[3] == 1 || shape[3] == 3);
  if (set.pixels.dtype() != Dtype::u8 || (!gray && !color) || shape.inner(0) == 0) {
    fail(images.string(), fmt::format("got {} of shape {}; expected u8 images of shape (N, H, W) or (N, H, W, 3)",
                                      dtype_name(set.pixels.dtype()), shape.str()));
  }
  if (gray) set.pixels = set.pixels.view(shape.insert(3, 1));
  set.labels = to_labels(read_idx(labels), labels.string());
  if (set.size() != shape[0]) {
    fail(labels.string(),
         fmt::format("got {} labels; expected {}, one for each image of {}", set.size(), shape[0], images.string()));
  }
  name_classes(set, labels);
  set.original_sizes[fmt::format("{}x{}x{}", shape[1], shape[2], gray ? 1 : shape[3])] = shape[0];
  return set;
}

LabeledImages read_idx_directory(const fs::path& directory, std::vector<std::string> class_names) {
  const fs::path images = require_file(directory, "train-images-idx3-ubyte");
  const fs::path labels = require_file(directory, "train-labels-idx1-ubyte");
  LabeledImages set = read_idx_images(images, labels, std::move(class_names));
  const auto test_images = find_file(directory, "t10k-images-idx3-ubyte");
  if (!test_images) return set;
  const fs::path test_labels = require_file(directory, "t10k-labels-idx1-ubyte");
  set.given.assign(static_cast<size_t>(set.size()), Part::train);
  append(set, read_idx_images(*test_images, test_labels, set.class_names), *test_images);
  set.given.resize(static_cast<size_t>(set.size()), Part::test);
  return set;
}

bool is_idx_directory(const fs::path& directory) { return find_file(directory, "train-images-idx3-ubyte").has_value(); }

}  // namespace danlu::data
