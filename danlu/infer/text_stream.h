// The text of an answer as it may be shown while it grows: whole characters only, and nothing that may still turn out to be a
// stop string.
//
//   TextStream stream({"\nUser:"});
//   for (TokenId id : tokens) std::cout << stream.push(tokenizer.token_bytes(id));
//   std::cout << stream.finish();
//
// Bytes that are no UTF-8 become U+FFFD, one for each maximal part of a character, as Unicode recommends and Python does.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace danlu::infer {

class TextStream {
 public:
  explicit TextStream(std::vector<std::string> stop = {});

  // The text that has become certain. Nothing after a stop string.
  std::string push(std::string_view bytes);
  // A stop string was found; the text ended before it.
  bool stopped() const { return stopped_; }
  // What was held back. The stream has ended.
  std::string finish();

 private:
  size_t begin_of_stop() const;
  size_t begin_of_possible_stop() const;

  std::vector<std::string> stop_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace danlu::infer
