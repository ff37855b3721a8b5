// The patterns of the families of models by hand, many times as fast as an engine for regular expressions.
#pragma once

#include <memory>

#include "danlu/data/text/pre_tokenizer.h"

namespace danlu::data {

// Null unless the step isolates the matches of one of the patterns of split_pattern(). Cuts exactly where PCRE2 does.
std::unique_ptr<const Splitter> make_pattern_scanner(const PreTokenizerStep& step);

}  // namespace danlu::data
