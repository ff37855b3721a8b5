#include "danlu/infer/prompt_lookup.h"

#include <algorithm>

namespace danlu::infer {
namespace {

constexpr int64_t kLeastCommon = 2, kMostCommon = 4;  // tokens that are looked at

// How many of the tokens before `end` are those at the end of the text.
int64_t common_before(std::span<const data::TokenId> text, int64_t end) {
  const int64_t size = std::ssize(text), most = std::min(kMostCommon, end);
  int64_t common = 0;
  while (common < most && text[static_cast<size_t>(end - 1 - common)] == text[static_cast<size_t>(size - 1 - common)]) ++common;
  return common;
}

}  // namespace

std::vector<data::TokenId> look_up(std::span<const data::TokenId> text, int64_t most) {
  if (most <= 0) return {};
  int64_t best = 0, place = 0;
  for (int64_t end = std::ssize(text) - 1; end > 0 && best < kMostCommon; --end) {
    if (const int64_t common = common_before(text, end); common > best) {
      best = common;
      place = end;
    }
  }
  std::vector<data::TokenId> found;
  if (best < kLeastCommon) return found;
  // What repeats itself goes on doing so.
  const auto repeated = text.subspan(static_cast<size_t>(place));
  for (int64_t i = 0; i < most; ++i) found.push_back(repeated[static_cast<size_t>(i) % repeated.size()]);
  return found;
}

}  // namespace danlu::infer
