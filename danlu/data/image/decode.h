// PNG and JPEG files to pixels. The bytes are taken for hostile: sizes are checked against the limits before memory is
// taken, and damage is an error, never a half-filled image.
//
// The format is told by the first bytes, not by the name. Every error is a DataError that names `source` (a path, or
// "request body"). Threads: safe from any number of threads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "danlu/base/files.h"
#include "danlu/data/image/image.h"

namespace danlu::data {

struct DecodeLimits {
  int64_t max_dimension = 16384;           // of either side
  int64_t max_pixels = int64_t{64} << 20;  // height * width
};

struct ImageInfo {
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;  // 1 or 3: of the Image that decode_image would give
};

// The size that the header declares, within the limits. Does not read the pixels.
ImageInfo read_image_info(std::string_view bytes, std::string_view source, const DecodeLimits& limits = {});

// PNG: any bit depth (16 bits are scaled to 8), palette, interlaced; transparency is laid over white.
// JPEG: gray and colour, baseline and progressive; CMYK is refused. A file cut short is an error in both.
Image decode_image(std::string_view bytes, std::string_view source, const DecodeLimits& limits = {});

// Reads and decodes a file. Throws FileError if it cannot be read.
Image read_image(const fs::path& path, const DecodeLimits& limits = {});

// The bytes of a PNG file.
std::string encode_png(const Image& image);

}  // namespace danlu::data
