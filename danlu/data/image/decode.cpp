#include "danlu/data/image/decode.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/image/codec.h"

namespace danlu::data {
namespace {

// What the bytes look like to a person: `text "hello world"` or `bytes 1F 8B 08 00`.
std::string describe_start(std::string_view bytes) {
  if (bytes.empty()) return "an empty file";
  const std::string_view start = bytes.substr(0, 16);
  const auto printable = [](char c) { return (c >= ' ' && c <= '~') || c == '\n' || c == '\r' || c == '\t'; };
  if (std::all_of(start.begin(), start.end(), printable)) {
    std::string text(start);
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c < ' '; }, ' ');
    return fmt::format("text that begins with \"{}\"", text);
  }
  std::string hex;
  for (const char c : start.substr(0, 8)) hex += fmt::format(" {:02X}", static_cast<unsigned char>(c));
  return fmt::format("bytes that begin with{}", hex);
}

[[noreturn]] void fail_format(std::string_view bytes, std::string_view source) {
  codec::fail(source, fmt::format("got {}; expected a PNG or JPEG image", describe_start(bytes)));
}

}  // namespace

namespace codec {

void fail(std::string_view source, std::string_view message) {
  throw DataError("data.image", fmt::format("{}: {}", source, message));
}

void check_limits(int64_t height, int64_t width, std::string_view source, const DecodeLimits& limits) {
  if (height < 1 || width < 1)
    fail(source, fmt::format("got an image of {} x {} pixels; expected at least 1 x 1", width, height));
  if (height > limits.max_dimension || width > limits.max_dimension || height > limits.max_pixels / width) {
    fail(source,
         fmt::format("got an image of {} x {} pixels; expected at most {} on a side and {} in all; scale it down first",
                     width, height, limits.max_dimension, limits.max_pixels));
  }
}

}  // namespace codec

ImageInfo read_image_info(std::string_view bytes, std::string_view source, const DecodeLimits& limits) {
  if (codec::is_png(bytes)) return codec::png_info(bytes, source, limits);
  if (codec::is_jpeg(bytes)) return codec::jpeg_info(bytes, source, limits);
  fail_format(bytes, source);
}

Image decode_image(std::string_view bytes, std::string_view source, const DecodeLimits& limits) {
  if (codec::is_png(bytes)) return codec::decode_png(bytes, source, limits);
  if (codec::is_jpeg(bytes)) return codec::decode_jpeg(bytes, source, limits);
  fail_format(bytes, source);
}

Image read_image(const fs::path& path, const DecodeLimits& limits) {
  // Read, not mapped: a file cut short by someone else meanwhile must not end the program.
  return decode_image(read_file(path), path.string(), limits);
}

}  // namespace danlu::data
