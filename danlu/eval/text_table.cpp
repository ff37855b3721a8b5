#include "danlu/eval/text_table.h"

#include <algorithm>

#include "danlu/base/utf8.h"

namespace danlu::eval {
namespace {

struct CodePoints {
  uint32_t first, last;
};

// The blocks that matter in names; Unicode's East_Asian_Width W and F without the gaps inside blocks.
constexpr CodePoints kWide[] = {{0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},
                                {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},
                                {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
                                {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
constexpr CodePoints kCombining[] = {{0x0300, 0x036F}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200F},
                                     {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}};

template <size_t kSize>
bool is_in(uint32_t code, const CodePoints (&ranges)[kSize]) {
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [&](CodePoints r) { return code >= r.first && code <= r.last; });
}

// The bytes of the valid sequence that `text` begins with, and its code point; 1 and 0 for a byte that begins none.
struct Decoded {
  size_t bytes;
  uint32_t code;
};

Decoded decode(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text.front());
  const size_t bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (bytes > text.size() || !is_utf8(text.substr(0, bytes))) return {1, 0};
  uint32_t code = bytes == 1 ? lead : lead & (0xFFu >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) code = code << 6 | (static_cast<uint8_t>(text[i]) & 0x3Fu);
  return {bytes, code};
}

bool is_control(uint32_t code) { return code < 0x20 || (code >= 0x7F && code < 0xA0); }

}  // namespace

int64_t display_width(std::string_view text) {
  int64_t width = 0;
  while (!text.empty()) {
    const Decoded d = decode(text);
    width += is_in(d.code, kWide) ? 2 : is_in(d.code, kCombining) ? 0 : 1;
    text.remove_prefix(d.bytes);
  }
  return width;
}

std::string display_text(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const Decoded d = decode(text);
    shown += is_control(d.code) ? "?" : text.substr(0, d.bytes);
    text.remove_prefix(d.bytes);
  }
  return shown;
}

std::string TextTable::str(int indent) const {
  std::vector<int64_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], display_width(row[c]));
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line(static_cast<size_t>(indent), ' ');
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string space(static_cast<size_t>(widths[c] - display_width(row[c])), ' ');
      const Align align = alignment_[std::min(c, alignment_.size() - 1)];
      line += (c > 0 ? "  " : "") + (align == Align::left ? row[c] + space : space + row[c]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace danlu::eval
