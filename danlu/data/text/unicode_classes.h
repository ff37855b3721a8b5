// What characters are, as far as tokenisers ask: a table of all of Unicode, made once.
#pragma once

#include <cstdint>
#include <vector>

namespace danlu::data {

enum CharacterClass : uint8_t {
  kOther = 0,
  kLetter = 1,   // \p{L}
  kNumber = 2,   // \p{N}
  kSpace = 4,    // \s
  kNewline = 8,  // \r or \n, which are spaces too
  kNotNfc = 16,  // changed by NFC, or by what stands beside it
  kNotNfkc = 32,
};

class UnicodeClasses {
 public:
  static const UnicodeClasses& get();

  // Bits of CharacterClass.
  uint8_t operator[](uint32_t code) const { return code < kTabled ? table_[code] : 0; }

 private:
  // Behind are no letters, numbers, spaces or characters that normalisation changes.
  static constexpr uint32_t kTabled = 0x40000;

  UnicodeClasses();
  std::vector<uint8_t> table_;
};

}  // namespace danlu::data
