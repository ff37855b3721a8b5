#include "danlu/formats/tensorboard_events.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <vector>

#include "danlu/base/crc32c.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::formats {
namespace {

constexpr const char* kWhere = "formats.tensorboard";

// A protocol buffer message: fields are appended one after another. Numbers of fields are those of the .proto files.
class Message {
 public:
  Message& number(int field, int64_t value) {
    key(field, 0);
    varint(static_cast<uint64_t>(value));
    return *this;
  }
  Message& real(int field, double value) { return fixed(field, 1, value); }
  Message& real32(int field, float value) { return fixed(field, 5, value); }
  Message& bytes(int field, std::string_view value) {
    key(field, 2);
    varint(value.size());
    text_.append(value);
    return *this;
  }
  Message& packed(int field, std::span<const double> values) {
    return bytes(field, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  }
  Message& message(int field, const Message& value) { return bytes(field, value.text_); }
  const std::string& text() const { return text_; }

 private:
  void key(int field, int type) { varint(static_cast<uint64_t>(field) << 3 | static_cast<uint64_t>(type)); }
  void varint(uint64_t value) {
    for (; value >= 128; value >>= 7) text_.push_back(static_cast<char>(value | 128));
    text_.push_back(static_cast<char>(value));
  }
  template <class T>
  Message& fixed(int field, int type, T value) {
    key(field, type);
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    text_.append(raw, sizeof value);
    return *this;
  }

  std::string text_;
};

uint32_t masked(uint32_t crc) { return (crc >> 15 | crc << 17) + 0xA282EAD8u; }

template <class T>
std::string little_endian(T value) {
  std::string text(sizeof value, '\0');
  std::memcpy(text.data(), &value, sizeof value);
  return text;
}

std::string record(std::string_view data) {
  const std::string length = little_endian(static_cast<uint64_t>(data.size()));
  return length + little_endian(masked(crc32c(length))) + std::string(data) + little_endian(masked(crc32c(data)));
}

double now_s() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

Message plugin(std::string_view name, std::string_view content = {}) {
  Message data;
  data.bytes(1, name);
  if (!content.empty()) data.bytes(2, content);
  return Message().message(1, data);
}

// Upper limits of buckets: 0, and 1e-12 times powers of 1.1 up to 1e20 on both sides.
const std::vector<double>& bucket_limits() {
  static const std::vector<double> limits = [] {
    std::vector<double> positive;
    for (double limit = 1e-12; limit < 1e20; limit *= 1.1) positive.push_back(limit);
    std::vector<double> all;
    for (auto i = positive.rbegin(); i != positive.rend(); ++i) all.push_back(-*i);
    all.push_back(0);
    all.insert(all.end(), positive.begin(), positive.end());
    return all;
  }();
  return limits;
}

size_t bucket_of(double value) {
  const std::vector<double>& limits = bucket_limits();
  const auto at = std::upper_bound(limits.begin(), limits.end(), value);
  return std::min(static_cast<size_t>(at - limits.begin()), limits.size() - 1);
}

}  // namespace

EventWriter::EventWriter(const fs::path& directory, int64_t first_step) {
  static std::atomic<int> serial{0};
  make_directories(directory);
  path_ = directory / fmt::format("events.out.tfevents.{}.danlu.{}.{}", static_cast<int64_t>(now_s()), ::getpid(), serial++);
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd_ < 0) throw FileError(kWhere, fmt::format("cannot create {}: {}", path_.string(), std::strerror(errno)));
  event(0, Message().bytes(3, "brain.Event:2").text());
  event(first_step, Message().message(7, Message().number(1, 1)).text());  // SessionLog: START
}

EventWriter::~EventWriter() { ::close(fd_); }

void EventWriter::event(int64_t step, std::string_view field) {
  const std::string bytes = record(Message().real(1, now_s()).number(2, step).text() + std::string(field));
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t written = ::write(fd_, bytes.data() + done, bytes.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw FileError(kWhere, fmt::format("cannot write {}: {}", path_.string(), std::strerror(errno)));
    done += static_cast<size_t>(written);
  }
}

void EventWriter::summary(int64_t step, std::string_view value) {
  event(step, Message().bytes(5, Message().bytes(1, value).text()).text());
}

void EventWriter::scalar(std::string_view tag, int64_t step, double value) {
  summary(step, Message().bytes(1, tag).real32(2, static_cast<float>(value)).text());
}

void EventWriter::histogram(std::string_view tag, int64_t step, std::span<const float> values) {
  std::vector<double> counts(bucket_limits().size());
  double low = HUGE_VAL, high = -HUGE_VAL, sum = 0, squares = 0, count = 0;
  for (const float f : values) {
    const auto value = static_cast<double>(f);
    if (!std::isfinite(value)) continue;
    ++counts[bucket_of(value)];
    low = std::min(low, value);
    high = std::max(high, value);
    sum += value;
    squares += value * value;
    ++count;
  }
  // Empty buckets are left out; each that is kept begins where the one before it ends, so a gap gets an empty one.
  std::vector<double> limits, kept;
  for (size_t i = 0; i < counts.size(); ++i) {
    const bool ends_gap = counts[i] == 0 && i + 1 < counts.size() && counts[i + 1] > 0;
    if (counts[i] == 0 && !ends_gap) continue;
    limits.push_back(bucket_limits()[i]);
    kept.push_back(counts[i]);
  }
  if (count == 0) low = high = 0, limits = {0}, kept = {0};
  Message histo;
  histo.real(1, low).real(2, high).real(3, count).real(4, sum).real(5, squares).packed(6, limits).packed(7, kept);
  summary(step, Message().bytes(1, tag).message(5, histo).text());
}

void EventWriter::text(std::string_view tag, int64_t step, std::string_view markdown) {
  const Message shape = Message().message(2, Message().number(1, 1));
  const Message tensor = Message().number(1, 7).message(2, shape).bytes(8, markdown);  // of strings
  summary(step, Message().bytes(1, tag).message(8, tensor).message(9, plugin("text")).text());
}

void EventWriter::png(std::string_view tag, int64_t step, std::string_view encoded, int64_t height, int64_t width, int channels) {
  const Message image = Message().number(1, height).number(2, width).number(3, channels).bytes(4, encoded);
  summary(step, Message().bytes(1, tag).message(4, image).text());
}

void EventWriter::hyperparameters(const std::map<std::string, Hyperparameter>& values) {
  Message start;
  for (const auto& [name, value] : values) {
    Message any;  // google.protobuf.Value
    if (const auto* number = std::get_if<double>(&value)) any.real(2, *number);
    else if (const auto* word = std::get_if<std::string>(&value)) any.bytes(3, *word);
    else any.number(4, std::get<bool>(value) ? 1 : 0);
    start.message(1, Message().bytes(1, name).message(2, any));
  }
  start.real(5, now_s());
  const Message content = Message().number(1, 0).message(3, start);
  const Message nothing = Message().number(1, 1).message(2, Message().message(2, Message().number(1, 1))).real32(5, 0);
  summary(0, Message().bytes(1, "_hparams_/session_start_info").message(8, nothing).message(9, plugin("hparams", content.text())).text());
}

}  // namespace danlu::formats
