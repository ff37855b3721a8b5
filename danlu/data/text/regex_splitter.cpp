#include "danlu/data/text/regex_splitter.h"

#include <pcre2.h>

#include <array>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/text/code_points.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.pre_tokenizer";
constexpr uint32_t kMatchLimit = 10'000'000;  // steps of a match; a pattern that needs more runs away

std::string message_of(int error) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(error, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

// Patterns of tokenizer.json are written for Oniguruma (Ruby). What that reads in another way than PCRE2 is refused, so
// that no text is cut differently in silence.
void check_dialect(const std::string& pattern) {
  bool in_class = false;
  const auto refuse = [&](std::string_view part) {
    throw DataError(
        kWhere, fmt::format("got {} in pattern \"{}\"; expected what PCRE2 and Oniguruma read alike", part, pattern));
  };
  for (size_t i = 0; i < pattern.size(); ++i) {
    const std::string_view rest = std::string_view(pattern).substr(i);
    if (rest.starts_with("\\h") || rest.starts_with("\\H")) refuse(rest.substr(0, 2));
    if (rest.starts_with("(?m") || rest.starts_with("(*")) refuse(rest.substr(0, 3));
    if (rest[0] == '\\') {
      ++i;
    } else if (!in_class) {
      in_class = rest[0] == '[';
      if (rest.starts_with("[^]") || rest.starts_with("[]")) refuse("an empty class");
    } else if (rest.starts_with("[:")) {
      i += 1;
      while (i + 1 < pattern.size() && !std::string_view(pattern).substr(i).starts_with(":]")) ++i;
      ++i;
    } else if (rest[0] == '[') {
      refuse("a class within a class");
    } else if (rest.starts_with("&&")) {
      refuse("an intersection of classes");
    } else {
      in_class = rest[0] != ']';
    }
  }
}

// Space for the place of a match, one a thread: it is read before the next match.
pcre2_match_data* match_data() {
  struct Free {
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  };
  thread_local const std::unique_ptr<pcre2_match_data, Free> data(pcre2_match_data_create(1, nullptr));
  return data.get();
}

}  // namespace

RegexSplitter::RegexSplitter(const PreTokenizerStep& step)
    : pattern_(step.kind == PreTokenizerStep::Kind::digits ? "\\p{N}" : step.pattern),
      invert_(step.invert),
      behavior_(step.behavior) {
  if (step.kind == PreTokenizerStep::Kind::digits) {
    behavior_ = step.individual_digits ? PreTokenizerStep::Behavior::isolated : PreTokenizerStep::Behavior::contiguous;
  }
  check_dialect(pattern_);
  int error = 0;
  size_t offset = 0;
  // Lines matter to ^ and $, as they do to Oniguruma.
  const uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
  code_ =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern_.data()), pattern_.size(), options, &error, &offset, nullptr);
  if (code_ == nullptr) {
    throw DataError(kWhere,
                    fmt::format("got pattern \"{}\", wrong at offset {}: {}; expected a regular expression in the "
                                "syntax of PCRE2",
                                pattern_, offset, message_of(error)));
  }
  pcre2_jit_compile(code_, PCRE2_JIT_COMPLETE);  // where it fails the interpreter takes over
  context_ = pcre2_match_context_create(nullptr);
  pcre2_set_match_limit(context_, kMatchLimit);
}

RegexSplitter::~RegexSplitter() {
  pcre2_match_context_free(context_);
  pcre2_code_free(code_);
}

bool RegexSplitter::find(std::string_view text, size_t from, Match& match) const {
  pcre2_match_data* data = match_data();
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  int found = pcre2_match(code_, subject, text.size(), from, PCRE2_NO_UTF_CHECK, data, context_);
  if (found == PCRE2_ERROR_JIT_STACKLIMIT) {
    found = pcre2_match(code_, subject, text.size(), from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, data, context_);
  }
  if (found == PCRE2_ERROR_NOMATCH) return false;
  if (found < 0) {
    throw DataError(kWhere,
                    fmt::format("got text on which pattern \"{}\" fails: {}; expected a pattern that matches in "
                                "bounded time",
                                pattern_, message_of(found)));
  }
  const size_t* places = pcre2_get_ovector_pointer(data);
  match = {places[0], places[1]};
  return true;
}

// Calls visit(begin, end, is_match) for the parts of the text, in order.
template <class Visit>
void RegexSplitter::cut(std::string_view text, const Visit& visit) const {
  size_t done = 0, from = 0;
  Match match;
  while (from <= text.size() && find(text, from, match)) {
    if (match.begin > done) visit(done, match.begin, invert_);
    visit(match.begin, match.end, !invert_);
    done = from = match.end;
    if (match.begin == match.end) from += from < text.size() ? code_point_at(text.data() + from).bytes : 1;
  }
  if (done < text.size()) visit(done, text.size(), invert_);
}

void RegexSplitter::split(std::string_view text, PieceSink& pieces) const {
  using enum PreTokenizerStep::Behavior;
  if (behavior_ == isolated || behavior_ == removed) {
    return cut(text, [&](size_t begin, size_t end, bool is_match) {
      if (behavior_ == isolated || !is_match) pieces.push(text.substr(begin, end - begin));
    });
  }
  // A part joins the one before it, or begins a new piece.
  bool last = false;  // whether the part before is a match
  size_t piece_begin = 0, piece_end = 0;
  cut(text, [&](size_t begin, size_t end, bool is_match) {
    const bool joins = behavior_ == merged_with_previous ? is_match && !last
                       : behavior_ == merged_with_next   ? last && !is_match
                                                         : is_match == last;
    if (!joins) {
      pieces.push(text.substr(piece_begin, piece_end - piece_begin));
      piece_begin = begin;
    }
    piece_end = end;
    last = is_match;
  });
  pieces.push(text.substr(piece_begin, piece_end - piece_begin));
}

}  // namespace danlu::data
