// Checks of invariants. DANLU_CHECK stays on in release builds and throws InternalError; DANLU_DCHECK is for inner loops
// and vanishes in release. Neither is for user input: that gets a typed error with a hint.
#pragma once

#include "danlu/base/error.h"

namespace danlu {

[[noreturn]] void check_failed(const char* file, int line, const char* condition, const char* why);

}  // namespace danlu

#define DANLU_CHECK(condition, why)                                             \
  do {                                                                          \
    if (!(condition)) [[unlikely]]                                              \
      ::danlu::check_failed(__FILE__, __LINE__, #condition, why);               \
  } while (false)

#ifdef NDEBUG
#define DANLU_DCHECK(condition, why) static_cast<void>(0)
#else
#define DANLU_DCHECK(condition, why) DANLU_CHECK(condition, why)
#endif
