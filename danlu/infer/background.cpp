#include "danlu/infer/background.h"

#include <cmath>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/rng.h"

namespace danlu::infer {
namespace {

constexpr const char* kWhere = "infer.background";
constexpr size_t kRows = 64;
constexpr size_t kMostRows = 4096;

}  // namespace

Json make_background(const data::TablePreprocessor& preprocessor, const Tensor& features, std::span<const int64_t> training, uint64_t seed) {
  const size_t count = std::min(kRows, training.size());
  std::vector<std::vector<float>> rows(count);
  Rng rng(seed);
  std::vector<int64_t> order(training.begin(), training.end());
  int64_t begin = 0;
  for (const data::FeatureColumn& column : preprocessor.columns()) {
    rng.shuffle(order);  // other training rows for each column, in another order
    for (size_t row = 0; row < count; ++row) {
      const float* from = features.data() + order[row] * features.size(1) + begin;
      rows[row].insert(rows[row].end(), from, from + column.num_features());
    }
    begin += column.num_features();
  }
  return {{"rows", std::move(rows)}};
}

Tensor read_background(const Json& json, int64_t features, const std::string& source) {
  const auto fail = [&](const std::string& got) {
    throw DataError(kWhere, fmt::format("{}: rows: got {}; expected 1 to {} lists of {} numbers; make the bundle again", source, got, kMostRows, features));
  };
  const auto rows = json.is_object() ? json.find("rows") : json.end();
  if (!json.is_object() || rows == json.end() || !rows->is_array()) fail("no list");
  if (rows->empty() || rows->size() > kMostRows) fail(fmt::format("{} of them", rows->size()));
  Tensor background = Tensor::empty({static_cast<int64_t>(rows->size()), features});
  float* out = background.mutable_data();
  for (const Json& row : *rows) {
    if (!row.is_array() || row.size() != static_cast<size_t>(features)) fail(row.is_array() ? fmt::format("one of {}", row.size()) : std::string("something else"));
    for (const Json& value : row) {
      const bool number = value.is_number() && std::isfinite(value.get<float>());
      if (!number) fail(to_line(value));
      *out++ = value.get<float>();
    }
  }
  return background;
}

}  // namespace danlu::infer
