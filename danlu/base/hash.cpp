#include "danlu/base/hash.h"

#include <xxhash.h>

#include "danlu/base/format.h"

namespace danlu {

std::string Hash128::hex() const { return fmt::format("{:016x}{:016x}", high, low); }

Hash128 hash_bytes(const void* data, size_t bytes) {
  const XXH128_hash_t h = XXH3_128bits(data, bytes);
  return {h.low64, h.high64};
}

}  // namespace danlu
