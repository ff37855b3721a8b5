// The terms by which texts are found: those that two texts have in common when they speak of the same.
//
//   words      "Inserting page breaks"  ->  inserting, page, breaks
//   grams      the same                 ->  _ins inse nser sert erti rtin ting ing_ _pag page age_ _bre brea reak eaks aks_
//
// Texts are folded first: NFKC, no case. A word is a run of letters and numbers; Chinese, Japanese and Korean have no spaces between
// words, and their characters count in pairs. Grams of four letters find "insert" in "inserting" and "recieve" in "receive", in any
// language with spaces, and need no rules of any.
// Words that only hold a question together ("how", "do", "the", "怎么") are left out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace danlu::data {

enum class TermKind { words, grams };

// Every occurrence, in the order of the text. Bytes that are not UTF-8 divide words.
std::vector<std::string> search_terms(std::string_view text, TermKind kind);

// The text without differences that do not matter for its meaning: NFKC, no case, no bytes that are not UTF-8.
std::string folded(std::string_view text);

}  // namespace danlu::data
