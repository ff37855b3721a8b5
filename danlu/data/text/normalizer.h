// Normal forms of Unicode: NFC and NFKC.
#pragma once

#include <string>
#include <string_view>

#include "danlu/data/text/tokenizer_model.h"

namespace danlu::data {

// "none", "nfc" or "nfkc". Throws ConfigError for other names.
Normalizer normalizer_named(const std::string& name);

// The text in its normal form: `text` itself where a quick look shows that it has that form, else `buffer`. Bytes that
// are not UTF-8 stay as they are. Time is linear, but for sorting the marks on one letter.
std::string_view normalize(std::string_view text, Normalizer form, std::string& buffer);
std::string normalize(std::string_view text, Normalizer form);

}  // namespace danlu::data
