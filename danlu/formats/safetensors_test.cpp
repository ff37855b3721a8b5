#include "danlu/formats/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <limits>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/rng.h"
#include "danlu/base/temporary_directory.h"

namespace danlu::formats {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// The words of the DataError that body throws, or an empty string.
template <class Body>
std::string error_of(const Body& body) {
  try {
    body();
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

std::string file_bytes(std::string_view header, size_t data_bytes) {
  const uint64_t length = header.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
  return bytes + std::string(header) + std::string(data_bytes, '\1');
}

// Without the fsync of write_file_atomic: these tests write thousands of files.
void write_bytes(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// The words with which a file of that header and so many bytes of data is refused.
std::string refusal(std::string_view header, size_t data_bytes) {
  TemporaryDirectory directory;
  write_bytes(directory / "x.safetensors", file_bytes(header, data_bytes));
  return error_of([&] { SafetensorsFile file(directory / "x.safetensors"); });
}

std::vector<NamedTensor> some_tensors() {
  const std::vector<int64_t> counts{-1, INT64_MAX};
  const std::vector<int32_t> steps{7};
  const std::vector<uint8_t> pixels{0, 128, 255};
  return {{"pixels", Tensor::from({3}, std::span<const uint8_t>(pixels))},
          {"weight", Tensor::from({2, 3}, {0.0f, -0.0f, 1.5f, -2.25f, 1e-45f, std::numeric_limits<float>::infinity()})},
          {"empty", Tensor::empty({0, 4})},
          {"层.计数", Tensor::from({2}, std::span<const int64_t>(counts))},
          {"step", Tensor::from({}, std::span<const int32_t>(steps))}};
}

TEST(Safetensors, WhatIsWrittenIsRead) {
  TemporaryDirectory directory;
  const auto tensors = some_tensors();
  write_safetensors(directory / "model.safetensors", tensors, {{"danlu.state", "{\"step\": 3}"}});
  const SafetensorsFile file(directory / "model.safetensors");
  ASSERT_EQ(file.names().size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    SCOPED_TRACE(name);
    const Tensor read = file.read(name);
    EXPECT_EQ(read.shape(), tensor.shape());
    EXPECT_EQ(read.dtype(), tensor.dtype());
    ASSERT_EQ(read.bytes(), tensor.bytes());
    const auto bytes_of = [](const Tensor& t) {
      return std::string_view(reinterpret_cast<const char*>(t.raw_bytes()), t.bytes());
    };
    EXPECT_EQ(bytes_of(read), bytes_of(tensor));
  }
  EXPECT_EQ(file.metadata().at("danlu.state"), "{\"step\": 3}");
  EXPECT_EQ(file.metadata().at("format"), "pt");
}

TEST(Safetensors, TheFileIsAlignedAndHasNoHoles) {
  TemporaryDirectory directory;
  write_safetensors(directory / "a", some_tensors());
  const std::string bytes = read_file(directory / "a");
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  EXPECT_EQ(length % 8, 0u);
  EXPECT_EQ(bytes[8], '{');
  // Wide elements before narrow ones: each tensor starts at a multiple of its element.
  EXPECT_THAT(SafetensorsFile(directory / "a").names(), ElementsAre("层.计数", "weight", "empty", "step", "pixels"));
}

TEST(Safetensors, NoTensorsAtAllIsAFile) {
  TemporaryDirectory directory;
  write_safetensors(directory / "a", {});
  EXPECT_TRUE(SafetensorsFile(directory / "a").names().empty());
}

TEST(Safetensors, AMissingTensorNamesTheNearest) {
  TemporaryDirectory directory;
  write_safetensors(directory / "a", some_tensors());
  const SafetensorsFile file(directory / "a");
  EXPECT_TRUE(file.contains("weight"));
  EXPECT_FALSE(file.contains("weights"));
  EXPECT_THAT(error_of([&] { file.read("weights"); }),
              HasSubstr("has no tensor \"weights\"; did you mean \"weight\"?"));
}

TEST(Safetensors, WritingRefusesWhatCannotBeRead) {
  TemporaryDirectory directory;
  const fs::path path = directory / "a";
  const Tensor t = Tensor::scalar(1);
  EXPECT_THAT(error_of([&] { write_safetensors(path, {{"w", t}, {"w", t}}); }), HasSubstr("\"w\" is given twice"));
  EXPECT_THAT(error_of([&] { write_safetensors(path, {{"__metadata__", t}}); }), HasSubstr("keeps for itself"));
  EXPECT_THAT(error_of([&] { write_safetensors(path, {{"\xff", t}}); }), HasSubstr("not UTF-8"));
  EXPECT_THAT(error_of([&] { write_safetensors(path, {{"w", Tensor()}}); }), HasSubstr("undefined"));
  EXPECT_THAT(error_of([&] {
                write_safetensors(path, {}, {{"note", "\xff"}});
              }),
              HasSubstr("metadata \"note\" is not UTF-8"));
  EXPECT_FALSE(fs::exists(path));
}

TEST(Safetensors, RefusesFilesThatAreNot) {
  TemporaryDirectory directory;
  const auto open = [&](std::string_view bytes) {
    write_bytes(directory / "x", bytes);
    return error_of([&] { SafetensorsFile file(directory / "x"); });
  };
  EXPECT_THAT(open(""), AllOf(HasSubstr("[formats.safetensors]"), HasSubstr("got 0 bytes")));
  EXPECT_THAT(open("1234567"), HasSubstr("cut short"));
  EXPECT_THAT(open(std::string(8, '\xff') + "{}"), HasSubstr("got a header of 18446744073709551615 bytes"));
  EXPECT_THAT(open("\x89PNG\r\n\x1a\n and so on"), HasSubstr("not a safetensors file"));
  EXPECT_THROW(SafetensorsFile(directory / "absent"), FileError);
}

TEST(Safetensors, RefusesHostileHeaders) {
  const auto entry = [](std::string_view dtype, std::string_view shape, std::string_view offsets) {
    return fmt::format(R"({{"w":{{"dtype":{},"shape":{},"data_offsets":{}}}}})", dtype, shape, offsets);
  };
  const std::string good = entry(R"("F32")", "[2]", "[0,8]");
  EXPECT_EQ(refusal(good, 8), "");
  EXPECT_EQ(refusal(good + "   ", 8), "");
  const struct {
    std::string header;
    size_t data_bytes;
    const char* words;
  } cases[] = {
      {"", 0, "begin with '{'"},
      {" {}", 0, "begin with '{'"},
      {"{", 0, "not valid JSON"},
      {"{}x", 0, "not valid JSON"},
      {std::string("{}\0", 3), 0, "got a zero byte"},
      {"{\"\xff\":{}}", 0, "not valid JSON"},
      {"{}", 4, "got 4 bytes of data; expected the 0"},
      {R"({"w":1})", 0, "tensor \"w\": expected exactly dtype, shape and data_offsets"},
      {R"({"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0],"more":1}})", 0, "expected exactly"},
      {R"({"w":{"dtype":"F32","shape":[0],"data_offsets":{"a":0}}})", 0, "object inside"},
      {R"({"w":{"dtype":"F32","shape":[[0]],"data_offsets":[0,0]}})", 0, "array inside an array"},
      {R"({"a":{"dtype":"F32","dtype":"U8","shape":[0],"data_offsets":[0,0]}})", 0, "the key \"dtype\" twice"},
      {good.substr(0, good.size() - 1) + "," + good.substr(1), 8, "the key \"w\" twice"},
      {R"({"__metadata__":[]})", 0, "__metadata__ is not an object"},
      {R"({"__metadata__":{"a":1}})", 0, "__metadata__ \"a\": expected a string"},
      {entry(R"("F8")", "[2]", "[0,8]"), 8, "got dtype \"F8\"; expected F64, F32, F16"},
      {entry("4", "[2]", "[0,8]"), 8, "got dtype 4"},
      {entry(R"("F32")", "2", "[0,8]"), 8, "shape:"},
      {entry(R"("F32")", "[-2]", "[0,8]"), 8, "shape:"},
      {entry(R"("F32")", "[2.0]", "[0,8]"), 8, "shape:"},
      {entry(R"("F32")", "[1,1,1,1,1,1,2]", "[0,8]"), 8, "at most 6 sizes"},
      {entry(R"("F32")", "[4294967296,4294967296]", "[0,8]"), 8, "fits in 63 bits"},
      {entry(R"("F32")", "[4611686018427387906]", "[0,8]"), 8, "got 8 bytes; expected those of F32"},
      {entry(R"("F32")", "[99999999999999999999]", "[0,8]"), 8, "shape:"},
      {entry(R"("F32")", "[3]", "[0,8]"), 8, "got 8 bytes; expected those of F32 (3,)"},
      {entry(R"("F32")", "[2]", "[0,8,9]"), 8, "expected two numbers"},
      {entry(R"("F32")", "[2]", "[0,-8]"), 8, "data_offsets: expected whole numbers"},
      {entry(R"("F32")", "[2]", "[0,18446744073709551615]"), 8, "data_offsets: expected whole numbers"},
      {entry(R"("F32")", "[2]", "[8,0]"), 8, "expected them to begin at 0"},
      {entry(R"("F32")", "[2]", "[4,12]"), 12, "expected them to begin at 0"},  // a hole
      {good, 7, "got 7 bytes of data; expected the 8"},                         // past the end
      {good, 9, "got 9 bytes of data; expected the 8"},
      {R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
       6, "tensor \"b\": got data_offsets [2, 6]; expected them to begin at 4"},  // an overlap
  };
  for (const auto& c : cases) EXPECT_THAT(refusal(c.header, c.data_bytes), HasSubstr(c.words)) << c.header;
  EXPECT_THAT(refusal(std::string(1 << 20, '{'), 0), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal("{\"a\":" + std::string(1 << 20, '['), 0), HasSubstr("array inside an array"));
}

TEST(Safetensors, AChangedBitIsNoticed) {
  TemporaryDirectory directory;
  write_safetensors(directory / "good", some_tensors(), {{"danlu.state", "{\"step\":3}"}});
  const std::string good = read_file(directory / "good");
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    const size_t key = good.find("danlu.xxh3");  // without its name the checksum is not known to be one
    if (bit / 8 >= key && bit / 8 < key + 10) continue;
    write_bytes(directory / "bad", bad);
    EXPECT_NE(error_of([&] { SafetensorsFile file(directory / "bad"); }), "") << "bit " << bit;
  }
}

TEST(Safetensors, RandomDamageNeverCrashes) {
  TemporaryDirectory directory;
  write_safetensors(directory / "good", some_tensors());
  const std::string good = read_file(directory / "good");
  Rng rng(1);
  int refused = 0;
  constexpr int kRounds = 2000;
  for (int round = 0; round < kRounds; ++round) {
    std::string bad = good;
    for (int64_t change = rng.below(8) + 1; change > 0; --change) {
      const auto at = static_cast<size_t>(rng.below(static_cast<int64_t>(bad.size())));
      if (rng.below(4) == 0) {
        bad.resize(at + 1);
      } else {
        bad[at] = static_cast<char>(rng.below(256));
      }
    }
    if (bad == good) continue;
    write_bytes(directory / "bad", bad);
    const std::string words = error_of([&] {
      SafetensorsFile file(directory / "bad");
      for (const std::string& name : file.names()) file.read(name);
    });
    refused += words.empty() ? 0 : 1;
  }
  EXPECT_GT(refused, kRounds * 9 / 10);
}

TEST(Safetensors, FilesOfOthersNeedNoChecksum) {
  TemporaryDirectory directory;
  write_bytes(directory / "x", file_bytes(R"({"b":{"data_offsets":[0,4],"dtype":"I32","shape":[1]}}    )", 4));
  const SafetensorsFile file(directory / "x");
  EXPECT_EQ(file.read("b").span<int32_t>()[0], 0x01010101);
}

}  // namespace
}  // namespace danlu::formats
