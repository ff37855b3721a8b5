#include "danlu/infer/text_stream.h"

#include <algorithm>
#include <utility>

#include "danlu/base/utf8.h"

namespace danlu::infer {

TextStream::TextStream(std::vector<std::string> stop) : stop_(std::move(stop)) {
  std::erase_if(stop_, [](const std::string& s) { return s.empty(); });
}

std::string TextStream::push(std::string_view bytes) {
  if (stopped_) return {};
  held_ += bytes;
  size_t certain = begin_of_stop();
  stopped_ = certain != std::string::npos;
  if (!stopped_) certain = std::min(begin_of_possible_stop(), held_.size() - incomplete_utf8_tail(held_));
  std::string text = replace_invalid_utf8(std::string_view(held_).substr(0, certain));
  held_.erase(0, stopped_ ? std::string::npos : certain);
  return text;
}

std::string TextStream::finish() { return replace_invalid_utf8(std::exchange(held_, {})); }

size_t TextStream::begin_of_stop() const {
  size_t first = std::string::npos;
  for (const std::string& stop : stop_) first = std::min(first, held_.find(stop));
  return first;
}

// Where the longest end of the text that begins a stop string begins.
size_t TextStream::begin_of_possible_stop() const {
  size_t first = held_.size();
  for (const std::string& stop : stop_) {
    for (size_t begin = held_.size() - std::min(held_.size(), stop.size() - 1); begin < first; ++begin) {
      if (std::string_view(stop).starts_with(std::string_view(held_).substr(begin))) first = begin;
    }
  }
  return first;
}

}  // namespace danlu::infer
