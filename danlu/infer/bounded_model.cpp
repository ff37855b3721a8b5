#include "danlu/infer/bounded_model.h"

#include <new>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/json.h"
#include "danlu/engine/tensor/allocator.h"

namespace danlu::infer {

void make_bounded(const fs::path& weights, const std::string& config, const char* where, const std::function<void()>& make, int64_t more) {
  std::error_code error;
  const auto file_bytes = fs::file_size(weights, error);
  if (error) throw FileError(where, fmt::format("cannot read {}: {}", weights.string(), error.message()));
  constexpr int64_t kSpare = 1 << 20;  // rounding of small blocks
  try {
    const AllocationLimit limit(2 * static_cast<int64_t>(file_bytes) + kSpare + more);
    make();
  } catch (const Json::exception& wrong) {
    throw DataError(where, fmt::format("{}: {}", config, wrong.what()));
  } catch (const ConfigError& refused) {
    throw DataError(where, fmt::format("{}: {}", config, refused.message()));
  } catch (const ShapeError& refused) {
    throw DataError(where, fmt::format("{}: {}", config, refused.message()));
  } catch (const std::bad_alloc&) {
    throw DataError(where, fmt::format("{}: describes a model that is larger than {} ({} bytes)", config, weights.string(), file_bytes));
  }
}

}  // namespace danlu::infer
