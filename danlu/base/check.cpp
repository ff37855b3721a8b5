#include "danlu/base/check.h"

#include "danlu/base/format.h"

namespace danlu {

void check_failed(const char* file, int line, const char* condition, const char* why) {
  throw InternalError("check", fmt::format("{}:{}: {} does not hold: {}", file, line, condition, why));
}

}  // namespace danlu
