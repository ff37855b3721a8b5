#include "danlu/data/image/decode.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "danlu/base/base64.h"
#include "danlu/base/rng.h"
#include "danlu/data/image/testing.h"

namespace danlu::data {
namespace {

Image gradient(int64_t height, int64_t width, int64_t channels) {
  Image image{height, width, channels, {}};
  for (int64_t i = 0; i < height * width * channels; ++i) image.pixels.push_back(static_cast<uint8_t>(i * 7 + i / 11));
  return image;
}

std::string big_endian(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

std::string chunk(const std::string& name, const std::string& data) {
  const std::string body = name + data;
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(static_cast<uint32_t>(data.size())) + body + big_endian(static_cast<uint32_t>(crc));
}

std::string deflate_all(const std::string& raw) {
  uLongf size = compressBound(raw.size());
  std::string out(size, '\0');
  compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(raw.data()), raw.size());
  out.resize(size);
  return out;
}

// A PNG from its parts; `rows` are the filtered scan lines.
std::string make_png(uint32_t width, uint32_t height, int depth, int color, const std::string& rows,
                     const std::string& before = "", int interlace = 0) {
  const std::string header =
      big_endian(width) + big_endian(height) +
      std::string{static_cast<char>(depth), static_cast<char>(color), 0, 0, static_cast<char>(interlace)};
  return std::string("\x89PNG\r\n\x1A\n") + chunk("IHDR", header) + before + chunk("IDAT", deflate_all(rows)) +
         chunk("IEND", "");
}

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int v : values) text.push_back(static_cast<char>(v));
  return text;
}

// 8 x 8 baseline JPEGs: a gray ramp, and solid red; and a CMYK one.
const std::string kGrayJpeg = *base64_decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8X"
    "GBYUGBIUFRT/wAALCAAQABABAREA/8QAFQABAQAAAAAAAAAAAAAAAAAACQj/xAAXEAADAQAAAAAAAAAAAAAAAAAACESB/9oACAEBAAA/AI/W"
    "2XBVVtlwKpbZcFVW2XD/2Q==");
const std::string kRedJpeg = *base64_decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8X"
    "GBYUGBIUFRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/wAAR"
    "CAAIAAgDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAj/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFQEBAQAAAAAAAAAAAAAAAAAA"
    "Bwn/xAAUEQEAAAAAAAAAAAAAAAAAAAAA/9oADAMBAAIRAxEAPwCdAAYqm//Z");
const std::string kCmykJpeg = *base64_decode(
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAQCwwODAoQDg0OEhEQExgoGhgWFhgxIyUdKDozPTw5Mzg3QEhcTkBEV0U3OFBtUVdfYmdoZz5NcXlw"
    "ZHhcZWdj/8AAFAgACAAIBEMRAE0RAFkRAEsRAP/EABUAAQEAAAAAAAAAAAAAAAAAAAYH/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAA4EQwBN"
    "AFkASwAAPwB2bGKgP//Z");

std::string error_of(std::string_view bytes_of_file, const DecodeLimits& limits = {}) {
  return data::error_of([&] { decode_image(bytes_of_file, "cat.png", limits); });
}

TEST(Decode, PngRoundTrip) {
  for (const int64_t channels : {1, 3}) {
    const Image image = gradient(13, 17, channels);
    const std::string data = encode_png(image);
    EXPECT_EQ(decode_image(data, "x").pixels, image.pixels);
    const ImageInfo info = read_image_info(data, "x");
    EXPECT_EQ(info.height, 13);
    EXPECT_EQ(info.width, 17);
    EXPECT_EQ(info.channels, channels);
  }
}

TEST(Decode, SixteenBitsAreScaledToEight) {
  const Image image = decode_image(make_png(3, 1, 16, 0, bytes({0, 0, 0, 0x80, 0x80, 0xFF, 0xFF})), "x");
  EXPECT_EQ(image.pixels, (std::vector<uint8_t>{0, 128, 255}));
}

TEST(Decode, OneBitGray) {
  const Image image = decode_image(make_png(4, 1, 1, 0, bytes({0, 0xA0})), "x");
  EXPECT_EQ(image.pixels, (std::vector<uint8_t>{255, 0, 255, 0}));
}

TEST(Decode, PaletteBecomesRgb) {
  const std::string palette = chunk("PLTE", bytes({255, 0, 0, 0, 0, 255}));
  const Image image = decode_image(make_png(2, 1, 8, 3, bytes({0, 1, 0}), palette), "x");
  EXPECT_EQ(image.channels, 3);
  EXPECT_EQ(image.pixels, (std::vector<uint8_t>{0, 0, 255, 255, 0, 0}));
}

TEST(Decode, TransparencyIsLaidOverWhite) {
  const Image image = decode_image(make_png(2, 1, 8, 6, bytes({0, 10, 20, 30, 0, 10, 20, 30, 255})), "x");
  EXPECT_EQ(image.pixels, (std::vector<uint8_t>{255, 255, 255, 10, 20, 30}));
}

TEST(Decode, Interlaced) {
  // Adam7 of 2 x 2: pass 1 holds (0,0), pass 6 (0,1), pass 7 the second row.
  const Image image = decode_image(make_png(2, 2, 8, 0, bytes({0, 1, 0, 2, 0, 3, 4}), "", 1), "x");
  EXPECT_EQ(image.pixels, (std::vector<uint8_t>{1, 2, 3, 4}));
}

TEST(Decode, Jpeg) {
  const Image gray = decode_image(kGrayJpeg, "x");
  EXPECT_EQ(gray.channels, 1);
  EXPECT_EQ(gray.width, 16);
  EXPECT_NEAR(gray.pixels[0], 0, 6);
  EXPECT_NEAR(gray.pixels[15], 240, 6);
  const Image red = decode_image(kRedJpeg, "x");
  EXPECT_EQ(red.channels, 3);
  EXPECT_NEAR(red.pixels[0], 255, 3);
  EXPECT_NEAR(red.pixels[1], 0, 3);
  EXPECT_NEAR(red.pixels[2], 0, 3);
}

TEST(Decode, CmykIsRefused) {
  EXPECT_TRUE(contains(error_of(kCmykJpeg), "got a JPEG of 4 channels (CMYK); expected gray or RGB"));
}

TEST(Decode, TextNamedPng) {
  EXPECT_EQ(error_of("hello world, I am no image"),
            "[data.image] cat.png: got text that begins with \"hello world, I a\"; expected a PNG or JPEG image");
  EXPECT_EQ(error_of(""), "[data.image] cat.png: got an empty file; expected a PNG or JPEG image");
  EXPECT_TRUE(contains(error_of("GIF89a\x01\x02"), "bytes that begin with 47 49 46 38 39 61 01 02"));
}

TEST(Decode, EveryTruncationOfAPngIsAnError) {
  const std::string data = encode_png(gradient(9, 9, 3));
  EXPECT_TRUE(contains(error_of(data.substr(0, data.size() / 2)), "cat.png: got a truncated PNG"));
  for (size_t size = 0; size < data.size(); ++size) EXPECT_NE(error_of(data.substr(0, size)), "no error") << size;
}

TEST(Decode, TruncatedJpegIsAnError) {
  EXPECT_TRUE(contains(error_of(kRedJpeg.substr(0, kRedJpeg.size() - 12)), "JPEG"));
  for (size_t size = 0; size + 2 < kGrayJpeg.size(); ++size)
    EXPECT_NE(error_of(kGrayJpeg.substr(0, size)), "no error") << size;
}

TEST(Decode, DamagedPng) {
  std::string data = encode_png(gradient(9, 9, 1));
  data[data.size() - 20] ^= 0x55;  // in the last bytes of the image data
  EXPECT_TRUE(contains(error_of(data), "got a damaged PNG"));
}

TEST(Decode, SizesAreCheckedBeforeMemoryIsTaken) {
  const std::string bomb = make_png(60000, 60000, 8, 6, "");
  EXPECT_TRUE(contains(error_of(bomb), "got an image of 60000 x 60000 pixels"));
  EXPECT_TRUE(contains(error_of(bomb), "at most 16384 on a side"));
  EXPECT_TRUE(contains(error_of(encode_png(gradient(20, 20, 1)), {.max_pixels = 399}), "399 in all"));
  EXPECT_TRUE(contains(error_of(kRedJpeg, {.max_dimension = 7}), "at most 7 on a side"));
  // Within the limits, but the bytes cannot hold that many pixels.
  EXPECT_TRUE(contains(error_of(make_png(8192, 8192, 8, 2, "")), "the PNG is damaged"));
}

// Hostile bytes: whatever comes in, an image or a DataError comes out.
TEST(Decode, RandomCorruptionNeverCrashes) {
  Rng rng(7);
  const std::string interlaced = make_png(2, 2, 8, 0, bytes({0, 1, 0, 2, 0, 3, 4}), "", 1);
  for (const std::string& valid : {encode_png(gradient(12, 10, 3)), interlaced, kGrayJpeg, kRedJpeg, kCmykJpeg}) {
    for (int round = 0; round < 1500; ++round) {
      std::string data = valid;
      for (int64_t flips = rng.below(6) + 1; flips > 0; --flips) {
        data[static_cast<size_t>(rng.below(static_cast<int64_t>(data.size())))] = static_cast<char>(rng.below(256));
      }
      if (rng.below(4) == 0) data.resize(static_cast<size_t>(rng.below(static_cast<int64_t>(data.size()))));
      try {
        const Image image = decode_image(data, "x", {.max_pixels = 1 << 16});
        EXPECT_EQ(image.pixels.size(), static_cast<size_t>(image.height * image.width * image.channels));
      } catch (const DataError& e) {
        EXPECT_TRUE(contains(e.what(), "[data.image] x: "));
      }
    }
  }
}

TEST(Decode, EncodeRefusesWhatDoesNotFit) {
  EXPECT_THROW(encode_png({2, 2, 1, {1, 2, 3}}), DataError);
  EXPECT_THROW(encode_png({2, 2, 4, std::vector<uint8_t>(16)}), DataError);
}

}  // namespace
}  // namespace danlu::data
