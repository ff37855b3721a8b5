#include "danlu/data/text/unicode_classes.h"

#include <utf8proc.h>

#include <array>

namespace danlu::data {
namespace {

uint8_t class_of_category(utf8proc_category_t category) {
  switch (category) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return kLetter;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return kNumber;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return kSpace;
    // Marks may compose with what stands before them, and change places.
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
      return kNotNfc | kNotNfkc;
    default:
      return kOther;
  }
}

bool is_changed_by(utf8proc_int32_t code, int form) {
  std::array<utf8proc_int32_t, 32> buffer{};  // the longest decomposition of all has 18 characters
  const auto size =
      utf8proc_decompose_char(code, buffer.data(), std::ssize(buffer),
                              static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | form), nullptr);
  const auto composed = utf8proc_normalize_utf32(
      buffer.data(), size, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | form));
  return composed != 1 || buffer[0] != code;
}

// Vowels and final consonants of Hangul compose with what stands before them.
// U+11A7, between them, does not; utf8proc 2.8 would swallow it.
bool is_joining_jamo(uint32_t code) { return code >= 0x1160 && code <= 0x11FF && code != 0x11A7; }

}  // namespace

UnicodeClasses::UnicodeClasses() : table_(kTabled) {
  for (uint32_t code = 0; code < kTabled; ++code) {
    const auto signed_code = static_cast<utf8proc_int32_t>(code);
    const utf8proc_property_t* property = utf8proc_get_property(signed_code);
    uint8_t bits = class_of_category(static_cast<utf8proc_category_t>(property->category));
    if ((code >= 0x09 && code <= 0x0D) || code == 0x85) bits = kSpace;
    if (code == '\n' || code == '\r') bits |= kNewline;
    if (property->combining_class != 0 || is_joining_jamo(code)) bits |= kNotNfc | kNotNfkc;
    if (property->decomp_seqindex != UINT16_MAX) {
      if (is_changed_by(signed_code, 0)) bits |= kNotNfc;
      if (is_changed_by(signed_code, UTF8PROC_COMPAT)) bits |= kNotNfkc;
    }
    table_[code] = bits;
  }
}

const UnicodeClasses& UnicodeClasses::get() {
  static const UnicodeClasses classes;
  return classes;
}

}  // namespace danlu::data
