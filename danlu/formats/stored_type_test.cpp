#include "danlu/formats/stored_type.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace danlu::formats {
namespace {

// The elements of a file of one type, read from an odd address.
template <class To, class From>
std::vector<To> convert(const char* type, const std::vector<From>& values) {
  std::vector<std::byte> bytes(1);
  for (const From& value : values) {
    const auto* begin = reinterpret_cast<const std::byte*>(&value);
    bytes.insert(bytes.end(), begin, begin + sizeof value);
  }
  std::vector<To> out(values.size());
  EXPECT_EQ(find_stored_type(type)->bytes, sizeof(From));
  find_stored_type(type)->convert(bytes.data() + 1, values.size(), out.data());
  return out;
}

TEST(StoredType, ConvertsUnaligned) {
  EXPECT_EQ((convert<float, float>("F32", {1.5f, -2})), (std::vector<float>{1.5f, -2}));
  EXPECT_EQ((convert<float, double>("F64", {0.1, 1e300})), (std::vector<float>{0.1f, std::numeric_limits<float>::infinity()}));
  EXPECT_EQ((convert<float, uint16_t>("F16", {0x3c00, 0x3555})), (std::vector<float>{1, 0.333251953125f}));
  EXPECT_EQ((convert<float, uint16_t>("BF16", {0x4000})), (std::vector<float>{2}));
  EXPECT_EQ((convert<int64_t, int64_t>("I64", {INT64_MIN})), (std::vector<int64_t>{INT64_MIN}));
  EXPECT_EQ((convert<int32_t, int32_t>("I32", {-7})), (std::vector<int32_t>{-7}));
  EXPECT_EQ((convert<int32_t, int16_t>("I16", {-7, 300})), (std::vector<int32_t>{-7, 300}));
  EXPECT_EQ((convert<int32_t, int8_t>("I8", {-128, 5})), (std::vector<int32_t>{-128, 5}));
  EXPECT_EQ((convert<uint8_t, uint8_t>("U8", {255})), (std::vector<uint8_t>{255}));
  EXPECT_EQ((convert<uint8_t, uint8_t>("BOOL", {1, 0})), (std::vector<uint8_t>{1, 0}));
}

TEST(StoredType, NamesThatAreNotRead) {
  for (const char* name : {"F8_E4M3", "f32", "", "U64"}) EXPECT_EQ(find_stored_type(name), nullptr) << name;
  EXPECT_STREQ(stored_type_of(Dtype::f32).name, "F32");
  EXPECT_STREQ(stored_type_of(Dtype::i32).name, "I32");
  EXPECT_STREQ(stored_type_of(Dtype::u8).name, "U8");
}

}  // namespace
}  // namespace danlu::formats
