#include "danlu/formats/gguf.h"

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

template <class Body>
std::string error_of(const Body& body) {
  try {
    body();
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

void write_bytes(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// The bytes of a file, put together by hand.
class Bytes {
 public:
  template <class T>
  Bytes& number(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Bytes& text(std::string_view text) {
    number<uint64_t>(text.size());
    bytes_ += text;
    return *this;
  }
  Bytes& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }
  Bytes& header(uint64_t tensors, uint64_t keys, uint32_t version = 3) { return raw("GGUF").number(version).number(tensors).number(keys); }
  Bytes& alignment(uint32_t value) { return text("general.alignment").number<uint32_t>(4).number(value); }
  // Sizes in the order of the file, that of a row first.
  Bytes& tensor(std::string_view name, const std::vector<uint64_t>& sizes, uint32_t type, uint64_t offset) {
    text(name).number(static_cast<uint32_t>(sizes.size()));
    for (const uint64_t size : sizes) number(size);
    return number(type).number(offset);
  }
  Bytes& pad(size_t alignment = 32) { return raw(std::string((alignment - bytes_.size() % alignment) % alignment, '\0')); }
  Bytes& data(size_t bytes) { return pad().raw(std::string(bytes, '\1')); }
  operator std::string_view() const { return bytes_; }

 private:
  std::string bytes_;
};

// The words with which a file is refused; empty if it is taken.
std::string refusal(std::string_view bytes) {
  const TemporaryDirectory directory;
  write_bytes(directory / "x.gguf", bytes);
  return error_of([&] {
    const GgufFile file(directory / "x.gguf");
    for (const std::string& name : file.names()) {
      std::vector<float> values(static_cast<size_t>(file.shape(name).numel()));
      file.read(name, values);
    }
  });
}

const BlockType& type_named(std::string_view name) { return *find_block_type(name); }

GgufMetadata some_metadata() {
  return {{"a.u8", uint8_t{200}},
          {"a.i8", int8_t{-7}},
          {"a.u16", uint16_t{65535}},
          {"a.i16", int16_t{-3}},
          {"a.u32", uint32_t{4000000000}},
          {"a.i32", int32_t{-5}},
          {"a.f32", 1e-5f},
          {"a.bool", true},
          {"a.text", "火候"},
          {"a.u64", uint64_t{1} << 63},
          {"a.i64", int64_t{-9}},
          {"a.f64", 0.1},
          {"a.texts", GgufArray(std::vector<std::string>{"", "two words", "三"})},
          {"a.wholes", GgufArray(std::vector<int32_t>{1, -2})},
          {"a.flags", GgufArray(std::vector<bool>{true, false, true})},
          {"a.empty", GgufArray(std::vector<double>{})}};
}

std::vector<GgufTensor> some_tensors() {
  Tensor matrix = Tensor::empty({3, 64});
  Rng rng(1);
  for (float& x : matrix.mutable_span()) x = rng.normal();
  return {{"m", matrix, &type_named("F32")},
          {"half", matrix, &type_named("F16")},
          {"brain", matrix, &type_named("BF16")},
          {"eight", matrix, &type_named("Q8_0")},
          {"four", matrix, &type_named("Q4_0")},
          {"v", Tensor::from({5}, {1, -2, 3, -0.0f, 1e-45f}), &type_named("F32")},
          {"deep", Tensor::from({1, 2, 1, 2}, {1, 2, 3, 4}), &type_named("F32")}};
}

class GgufTest : public testing::Test {
 protected:
  GgufTest() { write_gguf(path(), some_metadata(), some_tensors()); }
  fs::path path() const { return directory_ / "x.gguf"; }
  std::string refused_write(const GgufMetadata& metadata, const std::vector<GgufTensor>& tensors) const {
    return error_of([&] { write_gguf(directory_ / "y.gguf", metadata, tensors); });
  }
  const TemporaryDirectory directory_;
};

TEST_F(GgufTest, ComesBackAsWritten) {
  const GgufFile file(path());
  GgufMetadata expected = some_metadata();
  expected.emplace_back("general.alignment", uint32_t{32});
  EXPECT_EQ(file.metadata(), expected);
  EXPECT_THAT(file.names(), ElementsAre("m", "half", "brain", "eight", "four", "v", "deep"));
  for (const GgufTensor& t : some_tensors()) {
    EXPECT_EQ(file.shape(t.name), t.tensor.shape());
    EXPECT_EQ(&file.type(t.name), t.type);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(file.bytes(t.name).data()) % 32, 0u);
    std::vector<std::byte> bytes(t.type->bytes_of(static_cast<size_t>(t.tensor.numel())));
    t.type->encode(t.tensor.span(), bytes);
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), file.bytes(t.name).begin(), file.bytes(t.name).end())) << t.name;
    std::vector<float> expected_values(static_cast<size_t>(t.tensor.numel())), values = expected_values;
    t.type->decode(bytes, expected_values);
    file.read(t.name, values);
    EXPECT_EQ(values, expected_values) << t.name;
  }
  EXPECT_EQ(fs::file_size(path()) % 32, 0u);
}

TEST_F(GgufTest, ValuesAreReadByKind) {
  const GgufFile file(path());
  EXPECT_EQ(file.whole("a.u8"), 200);
  EXPECT_EQ(file.whole("a.i64"), -9);
  EXPECT_EQ(file.whole("a.nothing"), std::nullopt);
  EXPECT_EQ(file.number("a.f32"), 1e-5) << "the decimal that was meant, not its neighbour in f32";
  EXPECT_EQ(file.number("a.f64"), 0.1);
  EXPECT_EQ(file.flag("a.bool"), true);
  EXPECT_EQ(file.text("a.text"), "火候");
  EXPECT_THAT(*file.wholes("a.wholes"), ElementsAre(1, -2));
  EXPECT_THAT(*file.texts("a.texts"), ElementsAre("", "two words", "三"));
  EXPECT_EQ(file.texts("a.nothing"), nullptr);
  EXPECT_THAT(error_of([&] { file.whole("a.bool"); }), HasSubstr(R"("a.bool": got bool; expected a whole number)"));
  EXPECT_THAT(error_of([&] { file.whole("a.u64"); }), HasSubstr("got u64; expected a whole number below 2^63"));
  EXPECT_THAT(error_of([&] { file.number("a.u8"); }), HasSubstr("got u8; expected f32 or f64"));
  EXPECT_THAT(error_of([&] { file.text("a.texts"); }), HasSubstr("got array of string; expected string"));
  EXPECT_THAT(error_of([&] { file.texts("a.text"); }), HasSubstr("got string; expected array of string"));
  EXPECT_THAT(error_of([&] { file.wholes("a.flags"); }), HasSubstr("got array of bool; expected array of whole numbers"));
  EXPECT_THAT(error_of([&] { file.shape("hall"); }), HasSubstr("has no tensor \"hall\"; did you mean \"half\""));
}

TEST_F(GgufTest, WhatCannotBeReadAgainIsNotWritten) {
  const BlockType& f32 = type_named("F32");
  const Tensor row = Tensor::zeros({2, 48}), good = Tensor::zeros({32});
  EXPECT_THAT(refused_write({}, {{"a", row, &type_named("Q8_0")}}), HasSubstr("tensor \"a\" has rows of 48; expected a multiple of 32, the block of Q8_0"));
  EXPECT_THAT(refused_write({}, {{"a", good, &type_named("Q6_K")}}), HasSubstr("has a type that is not written"));
  EXPECT_THAT(refused_write({}, {{"a", good, &f32}, {"a", good, &f32}}), HasSubstr("tensor \"a\" is given twice"));
  EXPECT_THAT(refused_write({}, {{std::string(64, 'a'), good, &f32}}), HasSubstr("longer than 63 bytes"));
  EXPECT_THAT(refused_write({}, {{"a", Tensor::zeros({2}, Dtype::i64), &f32}}), HasSubstr("is not f32"));
  EXPECT_THAT(refused_write({}, {{"a", Tensor::zeros({}), &f32}}), HasSubstr("has the shape ()"));
  for (const float x : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity(), 7e4f}) {
    EXPECT_THAT(refused_write({}, {{"a", Tensor::full({3}, x), &type_named("F16")}}), HasSubstr("expected finite numbers up to 65504, the largest of F16"));
  }
  EXPECT_THAT(refused_write({{"k", true}, {"k", false}}, {}), HasSubstr("\"k\" is given twice"));
  EXPECT_THAT(refused_write({{"", true}}, {}), HasSubstr("has a name that is empty"));
  EXPECT_THAT(refused_write({{"k", "\xff"}}, {}), HasSubstr("not UTF-8"));
  EXPECT_THAT(refused_write({{"general.alignment", uint32_t{8}}}, {}), HasSubstr("is written by itself"));
  EXPECT_FALSE(fs::exists(directory_ / "y.gguf"));
}

// Every file that ends early, and every file with one byte changed in its header, is refused or can be read.
TEST_F(GgufTest, DamagedFilesAreRefused) {
  const std::string whole = read_file(path());
  constexpr size_t kHeader = 900;
  ASSERT_GT(whole.size(), 2 * kHeader);
  for (size_t size = 0; size < whole.size() - 32; size += size < kHeader ? 5 : 97) EXPECT_NE(refusal(std::string_view(whole).substr(0, size)), "") << size;
  for (size_t i = 0; i < kHeader; ++i) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ (i % 2 == 0 ? 1 : -128));
    refusal(changed);
  }
  EXPECT_EQ(refusal(whole), "");
}

TEST(Gguf, TheHeaderIsNotTrusted) {
  EXPECT_THAT(refusal(""), HasSubstr("does not begin with \"GGUF\""));
  EXPECT_THAT(refusal("GGUF"), HasSubstr("got 0 bytes where the version takes 4"));
  EXPECT_THAT(refusal(Bytes().header(0, 0, 1)), HasSubstr("got version 1; expected 2 or 3"));
  EXPECT_THAT(refusal(Bytes().header(0, 0, 4)), HasSubstr("got version 4"));
  EXPECT_THAT(refusal(Bytes().header(0, 0, 0x03000000)), HasSubstr("is a big-endian file"));
  EXPECT_EQ(refusal(Bytes().header(0, 0, 2)), "");
  EXPECT_THAT(refusal(Bytes().header(0, UINT64_MAX)), HasSubstr("got 18446744073709551615 metadata and 0 tensors in 24 bytes"));
  EXPECT_THAT(refusal(Bytes().header(UINT64_MAX, 0)), HasSubstr("18446744073709551615 tensors"));
}

TEST(Gguf, MetadataAreNotTrusted) {
  const auto with = [](const Bytes& pair) { return refusal(Bytes().header(0, 1).raw(pair).raw(std::string(64, '\0'))); };
  EXPECT_THAT(with(Bytes().number(UINT64_MAX)), HasSubstr("a key takes 18446744073709551615"));
  EXPECT_THAT(with(Bytes().text("")), HasSubstr("a key that is empty"));
  EXPECT_THAT(with(Bytes().text("\xc3")), HasSubstr("not UTF-8"));
  EXPECT_THAT(with(Bytes().text("k").number<uint32_t>(13)), HasSubstr("\"k\": got a value of type 13; expected 0 to 12"));
  EXPECT_THAT(with(Bytes().text("k").number<uint32_t>(7).number<uint8_t>(2)), HasSubstr("got a bool of 2"));
  EXPECT_THAT(with(Bytes().text("k").number<uint32_t>(8).number<uint64_t>(1000)), HasSubstr("\"k\" takes 1000"));
  EXPECT_THAT(with(Bytes().text("k").number<uint32_t>(9).number<uint32_t>(9)), HasSubstr("an array of arrays"));
  EXPECT_THAT(with(Bytes().text("k").number<uint32_t>(9).number<uint32_t>(99)), HasSubstr("type 99"));
  for (const uint32_t type : {0, 7, 8, 10}) {
    EXPECT_THAT(with(Bytes().text("k").number<uint32_t>(9).number(type).number<uint64_t>(uint64_t{1} << 61)), HasSubstr("got 2305843009213693952 elements"));
  }
  Bytes twice;
  twice.header(0, 2);
  for (int i = 0; i < 2; ++i) twice.text("k").number<uint32_t>(0).number<uint8_t>(1);
  EXPECT_THAT(refusal(twice), HasSubstr("got the key \"k\" twice"));
  for (const uint32_t alignment : {0u, 3u, 48u, 1u << 21}) {
    EXPECT_THAT(refusal(Bytes().header(0, 1).alignment(alignment)), HasSubstr(fmt::format("\"general.alignment\": got {}; expected a power of two", alignment)));
  }
  EXPECT_THAT(refusal(Bytes().header(0, 1).text("split.count").number<uint32_t>(2).number<uint16_t>(3)), HasSubstr("is one of 3 parts; expected a whole file"));
}

TEST(Gguf, TensorsAreNotTrusted) {
  const auto with = [](const std::vector<uint64_t>& sizes, uint32_t type, uint64_t offset = 0, size_t data = 4096) {
    return refusal(Bytes().header(1, 0).tensor("w", sizes, type, offset).data(data));
  };
  EXPECT_EQ(with({32, 4}, 0, 0, 512), "");
  EXPECT_EQ(with({64}, 8, 0, 68), "") << "without padding behind the last tensor";
  EXPECT_THAT(with({}, 0), HasSubstr("tensor \"w\": got 0 axes"));
  EXPECT_THAT(with({1, 1, 1, 1, 1}, 0), HasSubstr("got 5 axes; expected 1 to 4"));
  EXPECT_THAT(with({0}, 0), HasSubstr("got an axis of 0"));
  EXPECT_THAT(with({UINT64_MAX}, 0), HasSubstr("less than 2^63"));
  EXPECT_THAT(with({uint64_t{1} << 40, uint64_t{1} << 40}, 0), HasSubstr("does not fit in 63 bits"));
  EXPECT_THAT(with({uint64_t{1} << 61, 1}, 0), HasSubstr("it is cut short or damaged"));
  EXPECT_THAT(with({256}, 23), AllOf(HasSubstr("got IQ4_XS elements; expected F32, F16, BF16, Q8_0, Q6_K"), HasSubstr("nothing else is read")));
  EXPECT_THAT(with({256}, 1000), HasSubstr("got type 1000 elements"));
  EXPECT_THAT(with({48}, 8), HasSubstr("got rows of 48; expected a multiple of 32, the block of Q8_0"));
  EXPECT_THAT(with({128}, 12), HasSubstr("expected a multiple of 256, the block of Q4_K"));
  EXPECT_THAT(with({32}, 0, 32), HasSubstr("got offset 32; expected 0"));
  EXPECT_THAT(with({32}, 0, UINT64_MAX), HasSubstr("got offset 18446744073709551615; expected 0"));
  EXPECT_THAT(with({1040}, 0), HasSubstr("got bytes 0 to 4160 of 4096"));
  EXPECT_THAT(with({32}, 0), HasSubstr("got 4096 bytes of data; expected 128"));
}

TEST(Gguf, TensorsFollowOneAnother) {
  const auto with = [](uint64_t second, uint32_t alignment = 32) {
    return refusal(Bytes().header(2, 1).alignment(alignment).tensor("a", {5}, 0, 0).tensor("b", {8}, 0, second).pad(alignment).raw(std::string(64, '\1')));
  };
  EXPECT_EQ(with(32), "");
  EXPECT_EQ(with(32, 16), "");
  EXPECT_THAT(with(0), HasSubstr("tensor \"b\": got offset 0; expected 32, where the one before ends"));
  EXPECT_THAT(with(20), HasSubstr("got offset 20")) << "no multiple of the alignment";
  EXPECT_THAT(with(64), HasSubstr("got offset 64")) << "a hole";
  EXPECT_THAT(refusal(Bytes().header(2, 0).tensor("a", {8}, 0, 0).tensor("a", {8}, 0, 32).data(64)), HasSubstr("tensor \"a\": got it twice"));
  // In any order of the header.
  EXPECT_EQ(refusal(Bytes().header(2, 0).tensor("a", {8}, 0, 32).tensor("b", {8}, 0, 0).data(64)), "");
}

}  // namespace
}  // namespace danlu::formats
