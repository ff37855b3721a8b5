#include "danlu/data/text/line_reader.h"

#include <algorithm>
#include <cstring>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/utf8.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.text";
constexpr size_t kReadBytes = 1 << 20;
constexpr size_t kStartBytes = 4096;  // where a binary file shows itself

bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// The longest start of at most `limit` bytes that ends between characters.
size_t cut_between_characters(const char* text, size_t limit) {
  size_t cut = limit;
  for (int back = 0; back < 3 && cut > 1 && continues_character(text[cut]); ++back) --cut;
  return continues_character(text[cut]) ? limit : cut;
}

}  // namespace

LineReader::LineReader(const fs::path& path, InvalidUtf8 invalid, size_t max_line_bytes)
    : path_(path), invalid_(invalid), max_line_bytes_(std::max<size_t>(max_line_bytes, 4)), file_(path) {
  fill();
  check_start();
  if (std::string_view(buffer_.data(), end_).starts_with("\xEF\xBB\xBF")) begin_ = 3;
}

void LineReader::check_start() const {
  const std::string_view start(buffer_.data(), std::min(end_, kStartBytes));
  if (invalid_ == InvalidUtf8::keep) return;
  if (start.starts_with("\xFF\xFE") || start.starts_with("\xFE\xFF")) {
    throw DataError(kWhere, fmt::format("{}:1:1: got UTF-16 text; expected UTF-8; convert it: iconv -f UTF-16 -t UTF-8",
                                        path_.string()));
  }
  if (start.find('\0') != std::string_view::npos) {
    throw DataError(kWhere, fmt::format("{}: got a NUL byte near the start; expected text; is this a binary file?",
                                        path_.string()));
  }
}

// Reads on behind what is left; false if there was nothing to read.
bool LineReader::fill() {
  if (at_end_) return false;
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  if (buffer_.size() < end_ + kReadBytes) buffer_.resize(end_ + kReadBytes);
  const size_t got = file_.read(std::span(buffer_).subspan(end_, kReadBytes));
  end_ += got;
  at_end_ = got < kReadBytes;
  return got > 0;
}

bool LineReader::next(std::string_view& line) {
  if (!in_parts_) ++line_number_;
  size_t searched = 0;
  for (;;) {
    const char* data = buffer_.data() + begin_;
    const size_t available = end_ - begin_;
    const void* found = searched < available ? std::memchr(data + searched, '\n', available - searched) : nullptr;
    const size_t length = found ? static_cast<size_t>(static_cast<const char*>(found) - data) + 1 : available;
    if (length > max_line_bytes_) {
      in_parts_ = true;
      line = {data, cut_between_characters(data, max_line_bytes_)};
      break;
    }
    searched = available;
    if (found == nullptr && fill()) continue;
    if (length == 0) return false;
    in_parts_ = false;
    line = {data, length};
    break;
  }
  begin_ += line.size();
  line = repaired(line);
  return true;
}

std::string_view LineReader::repaired(std::string_view line) {
  if (invalid_ == InvalidUtf8::keep) return line;
  const size_t bad = find_invalid_utf8(line);
  if (bad == std::string_view::npos) return line;
  if (invalid_ == InvalidUtf8::error) {
    const std::string_view before = line.substr(0, bad);
    const auto column = std::ssize(before) + 1 - std::count_if(before.begin(), before.end(), continues_character);
    throw DataError(kWhere, fmt::format("{}:{}: got byte 0x{:02X}, which is not valid UTF-8; expected UTF-8 text; set "
                                        "invalid_utf8: replace, or convert the file with iconv",
                                        place(), column, static_cast<unsigned char>(line[bad])));
  }
  ++replaced_;
  repaired_ = replace_invalid_utf8(line);
  return repaired_;
}

std::string LineReader::place() const { return fmt::format("{}:{}", path_.string(), line_number_); }

}  // namespace danlu::data
