// Exceptions that end an operation.
//
// Every message reads `[where] got ...; expected ...; hint`. `where` is the room and the noun ("data.csv"), so that a
// reader finds the code; the text names the file, line, column, key or op, so that a user finds the cause.
// What is expected to happen (a bad cell, the end of a stream, a malformed request) is a return value, not an exception.
// The library throws or returns and never prints, exits or aborts; app/cli and serve turn these into exit codes and JSON.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace danlu {

class Error : public std::runtime_error {
 public:
  Error(std::string_view where, std::string_view message);
  const std::string& where() const { return where_; }
  // The text after "[where] ".
  const std::string& message() const { return message_; }

 private:
  std::string where_;
  std::string message_;
};

class ShapeError : public Error { using Error::Error; };   // sizes that do not fit together
class DtypeError : public Error { using Error::Error; };   // an element type that the operation does not take
class ConfigError : public Error { using Error::Error; };  // a recipe, an option or a command line that makes no sense
class DataError : public Error { using Error::Error; };    // contents that are not what they should be
class FileError : public Error { using Error::Error; };    // the system could not open, read, write or rename
class NumericError : public Error { using Error::Error; }; // NaN or infinity where a number is needed
class InternalError : public Error { using Error::Error; };// a broken invariant: our fault, please report

}  // namespace danlu
