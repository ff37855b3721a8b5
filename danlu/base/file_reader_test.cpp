#include "danlu/base/file_reader.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

#include "danlu/base/error.h"
#include "danlu/base/temporary_directory.h"

namespace danlu {
namespace {

std::string long_text() {
  std::string text;
  for (int i = 0; i < 200000; ++i) text += std::to_string(i * 7919 % 100003) + "\n";
  return text;
}

void write_gzip(const fs::path& path, const std::string& text) {
  gzFile file = gzopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  ASSERT_EQ(gzwrite(file, text.data(), static_cast<unsigned>(text.size())), static_cast<int>(text.size()));
  ASSERT_EQ(gzclose(file), Z_OK);
}

// In reads of an odd size.
std::string read_all(const fs::path& path) {
  FileReader reader(path);
  std::string text, piece(10007, '\0');
  for (;;) {
    const size_t got = reader.read(piece);
    text.append(piece, 0, got);
    if (got < piece.size()) return text;
  }
}

std::string error_of(const fs::path& path) {
  try {
    read_all(path);
  } catch (const FileError& error) {
    return error.what();
  }
  return "no error";
}

TEST(FileReader, ReadsPlainAndGzipFiles) {
  const TemporaryDirectory directory;
  const std::string text = long_text();
  write_file_atomic(directory / "plain", text);
  write_file_atomic(directory / "empty", "");
  write_gzip(directory / "packed.gz", text);
  EXPECT_EQ(read_all(directory / "plain"), text);
  EXPECT_EQ(read_all(directory / "packed.gz"), text);
  EXPECT_EQ(read_all(directory / "empty"), "");
}

TEST(FileReader, SaysWhatIsWrong) {
  const TemporaryDirectory directory;
  write_gzip(directory / "packed.gz", long_text());
  std::string bytes = read_file(directory / "packed.gz");
  write_file_atomic(directory / "cut.gz", bytes.substr(0, bytes.size() / 2));
  bytes[bytes.size() / 2] ^= 0x55;
  write_file_atomic(directory / "damaged.gz", bytes);
  EXPECT_NE(error_of(directory / "cut.gz").find("cut.gz: the compressed stream is cut short"), std::string::npos);
  EXPECT_NE(error_of(directory / "damaged.gz").find("cannot read"), std::string::npos);
  EXPECT_NE(error_of(directory / "absent").find("cannot open"), std::string::npos);
  EXPECT_NE(error_of(directory.path()).find("Is a directory"), std::string::npos);
}

}  // namespace
}  // namespace danlu
