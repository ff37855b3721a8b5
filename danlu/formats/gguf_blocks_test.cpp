#include "danlu/formats/gguf_blocks.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/base/rng.h"

namespace danlu::formats {
namespace {

// What ggml itself reads and writes (tools/make_gguf_goldens.py).
const Json& goldens() {
  static const Json json = read_json(fs::path(DANLU_SOURCE_DIR) / "danlu/formats/testdata/gguf_blocks.json");
  return json;
}

const BlockType& type_named(const std::string& name) { return *find_block_type(std::string_view(name)); }

std::vector<std::byte> from_hex(const std::string& text) {
  std::vector<std::byte> bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) bytes.push_back(static_cast<std::byte>(std::stoi(text.substr(i, 2), nullptr, 16)));
  return bytes;
}

std::vector<float> floats(const Json& values) { return values.get<std::vector<float>>(); }

std::vector<float> decode(const BlockType& type, std::span<const std::byte> bytes) {
  std::vector<float> values(bytes.size() / static_cast<size_t>(type.bytes) * static_cast<size_t>(type.elements));
  type.decode(bytes, values);
  return values;
}

std::vector<std::byte> encode(const BlockType& type, std::span<const float> values) {
  std::vector<std::byte> bytes(type.bytes_of(values.size()));
  type.encode(values, bytes);
  return bytes;
}

TEST(GgufBlocks, AreReadAsGgmlReadsThem) {
  for (const auto& [name, golden] : goldens()["decoded"].items()) {
    const std::vector<float> expected = floats(golden["values"]), got = decode(type_named(name), from_hex(golden["bytes"]));
    ASSERT_EQ(got.size(), expected.size()) << name;
    for (size_t i = 0; i < got.size(); ++i) ASSERT_EQ(got[i], expected[i]) << name << " " << i;
  }
}

TEST(GgufBlocks, AreWrittenAsGgmlWritesThem) {
  for (const auto& [name, golden] : goldens()["encoded"].items()) {
    const BlockType& type = type_named(name);
    const std::vector<float> values = floats(golden["values"]);
    const std::vector<std::byte> expected = from_hex(golden["bytes"]), got = encode(type, values);
    ASSERT_EQ(got.size(), expected.size()) << name;
    for (size_t i = 0; i < got.size(); ++i) {
      ASSERT_EQ(got[i], expected[i]) << name << ": byte " << i << ", " << values[i / static_cast<size_t>(type.bytes) * static_cast<size_t>(type.elements)];
    }
  }
}

// Half a step of the largest magnitude is the most that rounding moves an element, but for the scale's own rounding.
TEST(GgufBlocks, WhatIsWrittenIsNearWhatWasGiven) {
  Rng rng(3);
  std::vector<float> values(64 * 32);
  for (float& x : values) x = rng.normal();
  const struct {
    const char* name;
    float step;  // of the largest magnitude of a block
  } cases[] = {{"F32", 0}, {"F16", 1.0f / 1024}, {"BF16", 1.0f / 128}, {"Q8_0", 1.13f / 127}, {"Q4_0", 2.05f / 8}};
  for (const auto& [name, step] : cases) {
    const std::vector<float> again = decode(type_named(name), encode(type_named(name), values));
    for (size_t block = 0; block < 64; ++block) {
      float largest = 0;
      for (size_t i = block * 32; i < block * 32 + 32; ++i) largest = std::max(largest, std::abs(values[i]));
      for (size_t i = block * 32; i < block * 32 + 32; ++i) ASSERT_LE(std::abs(again[i] - values[i]), step / 2 * largest) << name;
    }
  }
}

TEST(GgufBlocks, NothingFiniteBecomesAnythingElse) {
  for (const char* name : {"F16", "BF16", "Q8_0", "Q4_0"}) {
    const BlockType& type = type_named(name);
    for (const float size : {type.largest, 1e-40f, std::numeric_limits<float>::denorm_min()}) {
      std::vector<float> values(32, 0);
      values[3] = size;
      values[20] = -size;
      for (const float x : decode(type, encode(type, values))) EXPECT_TRUE(std::isfinite(x)) << name << " of " << size;
    }
  }
}

TEST(GgufBlocks, AreFoundByNumberAndName) {
  EXPECT_STREQ(find_block_type(12)->name, "Q4_K");
  EXPECT_EQ(find_block_type(std::string_view("q4_k"))->id, 12u);
  EXPECT_EQ(find_block_type(23), nullptr);
  EXPECT_EQ(find_block_type(std::string_view("q4_k_m")), nullptr);
  EXPECT_EQ(find_block_type(std::string_view("")), nullptr);
  EXPECT_EQ(block_type_name(23), "IQ4_XS");
  EXPECT_EQ(block_type_name(99), "type 99");
  EXPECT_EQ(block_type_names(), "F32, F16, BF16, Q8_0, Q6_K, Q5_K, Q5_1, Q5_0, Q4_K, Q4_1, Q4_0");
}

}  // namespace
}  // namespace danlu::formats
