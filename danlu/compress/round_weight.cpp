#include "danlu/compress/round_weight.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/float16.h"
#include "danlu/base/format.h"
#include "danlu/base/threads.h"
#include "danlu/compress/cholesky.h"
#include "danlu/engine/kernels/packed_weight.h"

namespace danlu::compress {
namespace {

using kernels::kGroup;

constexpr const char* kWhere = "compress.round_weight";
// Scales that are tried, as parts of the one that holds the largest number exactly.
constexpr float kLeastPart = 0.7f, kMostPart = 1.05f;
constexpr int kParts = 36;
// Added to the diagonal of H, as a part of its mean: inputs that are always 0 would make it singular.
constexpr double kDamping = 0.01;

struct Codes {
  int zero, most;  // the code of 0 and the largest

  explicit Codes(WeightFormat format) : zero(kernels::zero_code(format)), most(2 * zero - 1) {}
  // A scale may be negative, so that the number of largest magnitude, whatever its sign, has the code that reaches furthest.
  int code(float w, float inverse) const { return static_cast<int>(std::lrint(std::clamp(w * inverse, static_cast<float>(-zero), static_cast<float>(most - zero)))) + zero; }
  float value(int code, float scale) const { return scale * static_cast<float>(code - zero); }
};

// The scale, as an f16, with the least error of a group, each number's weighted by `importance` (null: all alike).
uint16_t best_scale(const Codes& codes, const float* w, const float* importance, int64_t count) {
  float furthest = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (std::abs(w[i]) > std::abs(furthest)) furthest = w[i];
  }
  uint16_t best = 0;
  double least = INFINITY;
  const auto attempt = [&](float scale) {
    const uint16_t bits = f32_to_f16(scale);
    const float stored = f16_to_f32(bits);
    if (!std::isfinite(stored)) return;
    const float inverse = stored == 0 ? 0.0f : 1 / stored;
    double error = 0;
    for (int64_t i = 0; i < count; ++i) {
      const double off = static_cast<double>(codes.value(codes.code(w[i], inverse), stored) - w[i]);
      error += off * off * (importance == nullptr ? 1.0 : static_cast<double>(importance[i]));
    }
    if (error < least) {
      least = error;
      best = bits;
    }
  };
  const float whole = -furthest / static_cast<float>(codes.zero);
  for (int part = 0; part < kParts; ++part) attempt(whole * (kLeastPart + (kMostPart - kLeastPart) * static_cast<float>(part) / (kParts - 1)));
  attempt(std::abs(furthest) / static_cast<float>(codes.zero - 1));  // both signs alike, the largest exact
  if (!(least < INFINITY)) throw DataError(kWhere, fmt::format("got a weight of {}; expected weights that a scale of 16 bits reaches", furthest));
  return best;
}

// One row. w is used up. correct(column, error) makes up for what a rounding got wrong, in the columns behind it.
template <class Correct>
void round_row(const Codes& codes, float* w, int64_t columns, const float* importance, int64_t row, const kernels::PackedWeight& layout, uint8_t* out,
               const Correct& correct) {
  for (int64_t group = 0; group * kGroup < columns; ++group) {
    const int64_t first = group * kGroup, count = std::min(kGroup, columns - first);
    const uint16_t bits = best_scale(codes, w + first, importance == nullptr ? nullptr : importance + first, count);
    const float scale = f16_to_f32(bits), inverse = scale == 0 ? 0.0f : 1 / scale;
    uint8_t chosen[kGroup];
    std::fill_n(chosen, kGroup, static_cast<uint8_t>(codes.zero));
    for (int64_t i = 0; i < count; ++i) {
      const int code = codes.code(w[first + i], inverse);
      chosen[i] = static_cast<uint8_t>(code);
      correct(first + i, w[first + i] - codes.value(code, scale));
    }
    kernels::put_group(layout, out, row, group, chosen, bits);
  }
}

}  // namespace

QuantizedWeight round_weight(const Tensor& weight, WeightFormat format, const Tensor& second_moments) {
  if (weight.rank() != 2) throw ShapeError(kWhere, fmt::format("got a weight of {}; expected (rows, columns)", weight.shape().str()));
  const int64_t rows = weight.size(0), columns = weight.size(1);
  if (second_moments.defined() && !(second_moments.shape() == Shape{columns, columns})) {
    throw ShapeError(kWhere, fmt::format("got second moments of {}; expected ({}, {})", second_moments.shape().str(), columns, columns));
  }
  if (!std::all_of(weight.span().begin(), weight.span().end(), [](float w) { return std::isfinite(w); })) {
    throw DataError(kWhere, "got a weight that is not finite; expected a trained network");
  }
  const Codes codes(format);
  Tensor packed = Tensor::zeros(QuantizedWeight::packed_shape(format, rows, columns), Dtype::u8);
  uint8_t* out = packed.mutable_data<uint8_t>();
  const kernels::PackedWeight layout{format, rows, columns, nullptr};
  const Tensor factor = second_moments.defined() ? inverse_factor(second_moments, kDamping) : Tensor();
  const float* u = factor.defined() ? factor.data() : nullptr;
  std::vector<float> importance;
  for (int64_t j = 0; u != nullptr && j < columns; ++j) importance.push_back(1 / (u[j * columns + j] * u[j * columns + j]));

  parallel_for(rows, kernels::kUnitRows, [&](int64_t begin, int64_t end) {
    std::vector<float> w(static_cast<size_t>(columns));
    for (int64_t row = begin; row < end; ++row) {
      std::copy_n(weight.data() + row * columns, columns, w.begin());
      const auto correct = [&](int64_t column, float error) {
        if (u == nullptr) return;
        const float* line = u + column * columns;
        const float part = error / line[column];
        for (int64_t j = column + 1; j < columns; ++j) w[static_cast<size_t>(j)] -= part * line[j];
      };
      round_row(codes, w.data(), columns, importance.empty() ? nullptr : importance.data(), row, layout, out, correct);
    }
  });
  return {format, rows, columns, packed};
}

}  // namespace danlu::compress
