// What is wrong with a template or with what it did. template.h turns both into a DataError that names the place.
#pragma once

#include <stdexcept>
#include <string>

namespace danlu::infer::jinja {

// While a template runs: the line is the one that runs.
class Fault : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// While it is read.
class SyntaxError : public Fault {
 public:
  SyntaxError(int line, const std::string& message) : Fault(message), line_(line) {}
  int line() const { return line_; }

 private:
  int line_;
};

}  // namespace danlu::infer::jinja
