// Where a registry is: the path of a SQLite file, ":memory:", or postgresql://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE.
#pragma once

#include <string>

namespace danlu::registry {

class Location {
 public:
  // Throws ConfigError for a URL of anything else, and for one whose password is not percent-encoded.
  explicit Location(std::string text);

  bool is_postgresql() const { return is_postgresql_; }
  // To open it, and for nothing else: it may hold a password.
  const std::string& secret_text() const { return text_; }
  // For messages: a password reads ***.
  std::string shown() const { return without_password(text_); }
  // The same for a text of others that may quote it.
  std::string without_password(std::string text) const;

 private:
  std::string text_;
  bool is_postgresql_ = false;
};

}  // namespace danlu::registry
