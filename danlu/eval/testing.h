// For tests of this room.
#pragma once

#include <string>

#include "danlu/base/error.h"

namespace danlu::eval {

// The words of the exception of that type that body throws, or an empty string.
template <class Exception = Error, class Body>
std::string error_of(const Body& body) {
  try {
    body();
  } catch (const Exception& error) {
    return error.what();
  }
  return "";
}

}  // namespace danlu::eval
