#include "danlu/data/text/normalizer.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/utf8.h"
#include "danlu/data/text/code_points.h"
#include "danlu/data/text/unicode_classes.h"

namespace danlu::data {
namespace {

// Marks are sorted here: utf8proc's own sorting takes quadratic time, and text may be hostile.
void sort_marks(std::vector<utf8proc_int32_t>& codes) {
  const auto order = [](utf8proc_int32_t code) { return utf8proc_get_property(code)->combining_class; };
  for (auto begin = codes.begin(); begin != codes.end();) {
    begin = std::find_if(begin, codes.end(), [&](utf8proc_int32_t code) { return order(code) != 0; });
    const auto end = std::find_if(begin, codes.end(), [&](utf8proc_int32_t code) { return order(code) == 0; });
    std::stable_sort(begin, end, [&](utf8proc_int32_t a, utf8proc_int32_t b) { return order(a) < order(b); });
    begin = end;
  }
}

void append_normalized(std::string& out, std::string_view text, Normalizer form) {
  const int compat = form == Normalizer::nfkc ? UTF8PROC_COMPAT : 0;
  std::vector<utf8proc_int32_t> codes;
  std::array<utf8proc_int32_t, 32> parts{};  // the longest decomposition of all has 18 characters
  for (size_t i = 0; i < text.size();) {
    const CodePoint point = code_point_at(text.data() + i);
    i += point.bytes;
    const auto size =
        utf8proc_decompose_char(static_cast<utf8proc_int32_t>(point.code), parts.data(), std::ssize(parts),
                                static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | compat), nullptr);
    codes.insert(codes.end(), parts.begin(), parts.begin() + size);
  }
  sort_marks(codes);
  const auto size = utf8proc_normalize_utf32(
      codes.data(), std::ssize(codes), static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | compat));
  for (auto i = 0; i < size; ++i) append_utf8(out, static_cast<uint32_t>(codes[static_cast<size_t>(i)]));
}

// From `at` on the first character that may not stay as it is; `start` becomes the character before it.
size_t find_unstable(std::string_view text, size_t at, uint8_t unstable, size_t& start) {
  const UnicodeClasses& classes = UnicodeClasses::get();
  start = at;
  while (at < text.size()) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      start = at++;
      continue;
    }
    const CodePoint point = code_point_at(text.data() + at);
    if (classes[point.code] & unstable) return at;
    start = at;
    at += point.bytes;
  }
  start = at;
  return at;
}

size_t skip_unstable(std::string_view text, size_t at, uint8_t unstable) {
  const UnicodeClasses& classes = UnicodeClasses::get();
  while (at < text.size()) {
    const CodePoint point = code_point_at(text.data() + at);
    if (!(classes[point.code] & unstable)) break;
    at += point.bytes;
  }
  return at;
}

// text is valid.
bool is_stable(std::string_view text, uint8_t unstable) {
  size_t start = 0;
  return find_unstable(text, 0, unstable, start) == text.size();
}

// What stands between two characters that stay as they are does not depend on the rest, if the first of the two is
// taken with it: the marks behind may compose with it.
void append_valid(std::string& out, std::string_view text, Normalizer form, uint8_t unstable) {
  for (size_t done = 0;;) {
    size_t start = 0;
    const size_t at = find_unstable(text, done, unstable, start);
    out.append(text, done, start - done);
    if (start == text.size()) return;
    done = skip_unstable(text, at, unstable);
    append_normalized(out, text.substr(start, done - start), form);
  }
}

}  // namespace

Normalizer normalizer_named(const std::string& name) {
  if (name == "none") return Normalizer::none;
  if (name == "nfc") return Normalizer::nfc;
  if (name == "nfkc") return Normalizer::nfkc;
  throw ConfigError("data.normalizer", fmt::format("got normalizer \"{}\"; expected none, nfc or nfkc", name));
}

std::string_view normalize(std::string_view text, Normalizer form, std::string& buffer) {
  if (form == Normalizer::none) return text;
  const uint8_t unstable = form == Normalizer::nfc ? kNotNfc : kNotNfkc;
  if (is_utf8(text) && is_stable(text, unstable)) return text;
  buffer.clear();
  for_each_utf8_run(text, [&](std::string_view run, bool is_valid) {
    if (is_valid) {
      append_valid(buffer, run, form, unstable);
    } else {
      buffer += run;
    }
  });
  return buffer;
}

std::string normalize(std::string_view text, Normalizer form) {
  std::string buffer;
  return std::string(normalize(text, form, buffer));
}

}  // namespace danlu::data
