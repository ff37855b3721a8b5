// PNG through libpng's simplified interface, which catches its own errors: no longjmp passes through C++.

#include <png.h>

#include <cstring>
#include <limits>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/image/codec.h"

namespace danlu::data {
namespace codec {
namespace {

constexpr std::string_view kSignature("\x89PNG\r\n\x1A\n", 8);
constexpr int64_t kMaxDeflateRatio = 1032;  // no deflate stream expands more

// libpng's handle, freed at the end of the scope.
class PngReader {
 public:
  PngReader(std::string_view bytes, std::string_view source) : source_(source) {
    std::memset(&image_, 0, sizeof image_);
    image_.version = PNG_IMAGE_VERSION;
    if (png_image_begin_read_from_memory(&image_, bytes.data(), bytes.size()) == 0) fail_with_reason();
    // 16-bit samples without a gamma are taken as sRGB, as 8-bit ones are; else they would be read as linear light.
    image_.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  }
  ~PngReader() { png_image_free(&image_); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  ImageInfo info(const DecodeLimits& limits) const {
    check_limits(image_.height, image_.width, source_, limits);
    return {image_.height, image_.width, (image_.format & PNG_FORMAT_FLAG_COLOR) != 0 ? 3 : 1};
  }

  void read(Image& image) {
    image_.format = image.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    const png_color white{255, 255, 255};
    if (png_image_finish_read(&image_, &white, image.pixels.data(), 0, nullptr) == 0) fail_with_reason();
  }

 private:
  [[noreturn]] void fail_with_reason() {
    const std::string reason = image_.message;
    png_image_free(&image_);  // the constructor may be the one that throws
    fail(source_, fmt::format("got a damaged PNG: {}; expected a whole one", reason));
  }

  png_image image_;
  std::string_view source_;
};

// Walks the chunks (length, name, data, checksum) to the end mark, so that a cut file is told apart from a damaged one
// before anything is decoded.
void check_complete(std::string_view bytes, std::string_view source) {
  size_t position = kSignature.size();
  for (;;) {
    const size_t left = bytes.size() - position;
    uint32_t length = 0;
    if (left >= 8) length = png_get_uint_32(reinterpret_cast<png_const_bytep>(bytes.data() + position));
    if (left < 12 || length > left - 12) {
      fail(source, fmt::format("got a truncated PNG: it ends after {} bytes, before its last chunk is complete; "
                               "copy or download it again",
                               bytes.size()));
    }
    if (bytes.substr(position + 4, 4) == "IEND") return;
    position += 12 + size_t{length};
  }
}

}  // namespace

bool is_png(std::string_view bytes) { return bytes.starts_with(kSignature); }

ImageInfo png_info(std::string_view bytes, std::string_view source, const DecodeLimits& limits) {
  return PngReader(bytes, source).info(limits);
}

Image decode_png(std::string_view bytes, std::string_view source, const DecodeLimits& limits) {
  check_complete(bytes, source);
  PngReader reader(bytes, source);
  const ImageInfo info = reader.info(limits);
  // At one bit a pixel, fewer bytes than this cannot hold the image: refuse before taking the memory.
  if (info.height * info.width / 8 / kMaxDeflateRatio > static_cast<int64_t>(bytes.size())) {
    fail(source, fmt::format("got {} bytes for {} x {} pixels; expected more: the PNG is damaged", bytes.size(),
                             info.width, info.height));
  }
  Image image{info.height, info.width, info.channels,
              std::vector<uint8_t>(static_cast<size_t>(info.height * info.width * info.channels))};
  reader.read(image);
  return image;
}

}  // namespace codec

std::string encode_png(const Image& image) {
  const bool fits = image.height > 0 && image.width > 0 && (image.channels == 1 || image.channels == 3) &&
                    image.height <= std::numeric_limits<int32_t>::max() &&
                    image.width <= std::numeric_limits<int32_t>::max() &&
                    static_cast<int64_t>(image.pixels.size()) == image.height * image.width * image.channels;
  if (!fits) {
    throw DataError("data.image",
                    fmt::format("got an image of {} x {} x {} with {} bytes; expected 1 or 3 channels and "
                                "height * width * channels bytes",
                                image.height, image.width, image.channels, image.pixels.size()));
  }
  png_image header;
  std::memset(&header, 0, sizeof header);
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width);
  header.height = static_cast<png_uint_32>(image.height);
  header.format = image.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  std::string bytes(PNG_IMAGE_PNG_SIZE_MAX(header), '\0');
  png_alloc_size_t size = bytes.size();
  if (png_image_write_to_memory(&header, bytes.data(), &size, 0, image.pixels.data(), 0, nullptr) == 0) {
    throw DataError("data.image", fmt::format("libpng could not encode the image: {}", header.message));
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace danlu::data
