// A text that knows which of its characters a user wrote.
//
// A chat template weaves the words of a conversation into words of its own, and only its own may become special tokens.
// So every byte carries its origin through whatever the template does: a piece of a user's text remains the user's.
//
// The functions are those of Python's str, counting in Unicode characters where it does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace danlu::infer::jinja {

class Text {
 public:
  enum class Origin : char { program, user };

  Text() = default;
  Text(std::string_view bytes, Origin origin = Origin::program)
      : bytes_(bytes), origins_(bytes.size(), static_cast<char>(origin)) {}
  Text(const char* bytes) : Text(std::string_view(bytes)) {}
  Text(const std::string& bytes) : Text(std::string_view(bytes)) {}

  const std::string& bytes() const { return bytes_; }
  size_t size() const { return bytes_.size(); }  // in bytes
  bool empty() const { return bytes_.empty(); }
  Origin origin(size_t byte) const { return static_cast<Origin>(origins_[byte]); }

  Text& operator+=(const Text& other);
  // In bytes; `end` may lie behind the end.
  Text substr(size_t begin, size_t end = std::string::npos) const;
  // The same origins over other bytes, as many of them.
  Text with_bytes(std::string bytes) const;
  friend bool operator==(const Text& a, const Text& b) { return a.bytes_ == b.bytes_; }

 private:
  std::string bytes_;
  std::string origins_;  // one for each byte
};

// Where each character begins, and the size of the text. A stray byte of invalid UTF-8 is a character.
std::vector<size_t> character_starts(std::string_view text);

enum class Side { left, right, both };
// Without whitespace, as Unicode knows it, or without the characters of `characters`.
Text strip(const Text& text, Side side, const std::optional<std::string>& characters = std::nullopt);
// `limit` < 0: all of them. Without a separator, at runs of whitespace.
std::vector<Text> split(const Text& text, const std::optional<std::string>& separator, int64_t limit = -1);
std::vector<Text> rsplit(const Text& text, const std::string& separator, int64_t limit = -1);
std::vector<Text> splitlines(const Text& text);
Text replace(const Text& text, const std::string& from, const Text& to, int64_t limit = -1);

// Only texts of ASCII letters: nothing if there are others, whose case this library does not know.
std::optional<Text> upper(const Text& text);
std::optional<Text> lower(const Text& text);

// The origin of what is made from a whole text without a byte-to-byte relation is the user's if any of it is.
Text::Origin origin_of(const Text& text);

// The bytes of the whitespace character at the start of a text; 0 if there is none.
size_t whitespace_length(std::string_view text);

}  // namespace danlu::infer::jinja
