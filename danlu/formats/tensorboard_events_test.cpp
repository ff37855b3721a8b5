#include "danlu/formats/tensorboard_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "danlu/base/crc32c.h"
#include "danlu/base/error.h"
#include "danlu/base/temporary_directory.h"

namespace danlu::formats {
namespace {

template <class T>
T number_at(const std::string& bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

uint32_t masked(uint32_t crc) { return (crc >> 15 | crc << 17) + 0xA282EAD8u; }

// The records of a file, their checksums checked.
std::vector<std::string> records(const fs::path& path) {
  const std::string bytes = read_file(path);
  std::vector<std::string> all;
  for (size_t at = 0; at < bytes.size();) {
    const auto length = number_at<uint64_t>(bytes, at);
    EXPECT_EQ(number_at<uint32_t>(bytes, at + 8), masked(crc32c(bytes.substr(at, 8))));
    all.push_back(bytes.substr(at + 12, length));
    EXPECT_EQ(number_at<uint32_t>(bytes, at + 12 + length), masked(crc32c(all.back())));
    at += 16 + length;
  }
  return all;
}

TEST(EventWriter, RecordsAreFramedAndEncodedAsTensorBoardWantsThem) {
  const TemporaryDirectory directory;
  EventWriter events(directory.path(), 40);
  events.scalar("loss", 300, 0.5);
  const auto all = records(events.path());
  ASSERT_EQ(all.size(), 3u);
  EXPECT_THAT(events.path().filename().string(), testing::HasSubstr("tfevents"));
  // wall_time (field 1, 8 bytes), step (field 2), then the event itself.
  EXPECT_EQ(all[0].substr(9), std::string("\x10\x00\x1A\x0D", 4) + "brain.Event:2");
  EXPECT_EQ(all[1].substr(9), std::string("\x10\x28\x3A\x02\x08\x01", 6)) << "START at step 40";
  EXPECT_EQ(all[2].substr(9), std::string("\x10\xAC\x02\x2A\x0D\x0A\x0B\x0A\x04", 9) + "loss" + std::string("\x15\x00\x00\x00\x3F", 5));
}

TEST(EventWriter, HistogramsHoldWhatIsFinite) {
  const TemporaryDirectory directory;
  EventWriter events(directory.path());
  const float inf = std::numeric_limits<float>::infinity();
  events.histogram("w", 1, std::vector<float>{-2, 0, 0.5f, 0.5f, inf, NAN});
  events.histogram("nothing", 1, {});
  const auto all = records(events.path());
  ASSERT_EQ(all.size(), 4u);
  const size_t histo = all[2].find("\x0A\x01w") + 3 + 2;  // the tag; key and length of field 5
  EXPECT_EQ(number_at<double>(all[2], histo + 2), -2) << "after a length of two bytes";
}

TEST(EventWriter, EachWriterHasAFileOfItsOwn) {
  const TemporaryDirectory directory;
  EventWriter first(directory.path()), second(directory.path());
  EXPECT_NE(first.path(), second.path());
  EXPECT_THROW(EventWriter("/proc/no/such/place"), FileError);
}

}  // namespace
}  // namespace danlu::formats
