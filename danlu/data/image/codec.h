// What decode.cpp asks of each format: one file a format, which alone knows the library. For this folder's .cpp files.
#pragma once

#include <string_view>

#include "danlu/data/image/decode.h"

namespace danlu::data::codec {

// True if the bytes begin as a file of the format does.
bool is_png(std::string_view bytes);
bool is_jpeg(std::string_view bytes);

ImageInfo png_info(std::string_view bytes, std::string_view source, const DecodeLimits& limits);
ImageInfo jpeg_info(std::string_view bytes, std::string_view source, const DecodeLimits& limits);

Image decode_png(std::string_view bytes, std::string_view source, const DecodeLimits& limits);
Image decode_jpeg(std::string_view bytes, std::string_view source, const DecodeLimits& limits);

// Throws DataError "[data.image] SOURCE: MESSAGE".
[[noreturn]] void fail(std::string_view source, std::string_view message);

// Throws DataError for sizes above the limits.
void check_limits(int64_t height, int64_t width, std::string_view source, const DecodeLimits& limits);

}  // namespace danlu::data::codec
