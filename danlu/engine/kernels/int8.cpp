#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "danlu/engine/kernels/int8.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>
#include <vector>

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/elementwise.h"
#include "danlu/engine/kernels/int8.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/onednn_int8.h"
#include "danlu/engine/kernels/pool.h"
#include "danlu/engine/kernels/vector_map.inl.h"
#include "danlu/engine/kernels/workspace.h"

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {
namespace {

template <class Integer>
void quantize_to(const float* x, Integer* q, int64_t n, float inverse) {
  const F32 d;
  const hn::RebindToSigned<F32> whole;
  const hn::Rebind<Integer, F32> narrow;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto least = hn::Set(whole, std::is_signed_v<Integer> ? -127 : 0), most = hn::Set(whole, std::is_signed_v<Integer> ? 127 : 255);
  const auto convert = [&](VecF v) HWY_ATTR {
    // As floats first: what is no 32-bit integer would turn into the least one.
    const VecF bounded = hn::Min(hn::Max(hn::Mul(v, hn::Set(d, inverse)), hn::Set(d, -512.0f)), hn::Set(d, 512.0f));
    return hn::DemoteTo(narrow, hn::Min(hn::Max(hn::NearestInt(bounded), least), most));
  };
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(convert(hn::LoadU(d, x + i)), narrow, q + i);
  if (i == n) return;
  Integer rest[HWY_MAX_BYTES];
  hn::StoreU(convert(load_tail(d, x + i, n - i)), narrow, rest);
  std::copy_n(rest, n - i, q + i);
}

void quantize_signed(const float* x, int8_t* q, int64_t n, float inverse) { quantize_to(x, q, n, inverse); }
void quantize_unsigned(const float* x, uint8_t* q, int64_t n, float inverse) { quantize_to(x, q, n, inverse); }

// y = x * scale + shift for each of n columns.
void scale_row(const float* x, const float* scales, const float* shifts, float* y, int64_t n, bool relu) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const VecF least = hn::Set(d, relu ? 0.0f : -HUGE_VALF);
  int64_t j = 0;
  for (; j + lanes <= n; j += lanes) hn::StoreU(hn::Max(hn::MulAdd(hn::LoadU(d, x + j), hn::LoadU(d, scales + j), hn::LoadU(d, shifts + j)), least), d, y + j);
  for (; j < n; ++j) y[j] = std::max(x[j] * scales[j] + shifts[j], relu ? 0.0f : -HUGE_VALF);
}

// Rows [begin, end) of all images of y: the largest of each window stays in a register.
void pool_rows(const Pool2dShape& s, const uint8_t* x, uint8_t* y, int64_t begin, int64_t end) {
  const hn::ScalableTag<uint8_t> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t row = begin; row < end; ++row) {
    const uint8_t* image = x + row / s.out_height() * s.height * s.width * s.channels;
    const int64_t i = row % s.out_height() * s.stride_h - s.padding_h, top = std::max<int64_t>(i, 0), bottom = std::min(i + s.kernel_h, s.height);
    for (int64_t column = 0; column < s.out_width(); ++column) {
      const int64_t j = column * s.stride_w - s.padding_w, left = std::max<int64_t>(j, 0), right = std::min(j + s.kernel_w, s.width);
      uint8_t* out = y + (row * s.out_width() + column) * s.channels;
      const auto for_window = [&](const auto& take) HWY_ATTR {
        for (int64_t v = top; v < bottom; ++v) {
          for (int64_t u = left; u < right; ++u) take(image + (v * s.width + u) * s.channels);
        }
      };
      const auto pool = [&](auto tag, int64_t c) HWY_ATTR {
        auto largest = hn::Zero(tag);
        for_window([&](const uint8_t* in) HWY_ATTR { largest = hn::Max(largest, hn::LoadU(tag, in + c)); });
        hn::StoreU(largest, tag, out + c);
      };
      int64_t c = 0;
      for (; c + lanes <= s.channels; c += lanes) pool(d, c);
#if HWY_TARGET != HWY_SCALAR
      const hn::CappedTag<uint8_t, 16> few;
      for (; c + 16 <= s.channels; c += 16) pool(few, c);
#endif
      for (; c < s.channels; ++c) {
        uint8_t largest = 0;
        for_window([&](const uint8_t* in) { largest = std::max(largest, in[c]); });
        out[c] = largest;
      }
    }
  }
}

}  // namespace
}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace danlu::kernels {
namespace {

HWY_EXPORT(quantize_signed);
HWY_EXPORT(quantize_unsigned);
HWY_EXPORT(scale_row);
HWY_EXPORT(pool_rows);

constexpr int64_t kGrain = 1 << 15;  // numbers

void widen(const void* q, bool is_signed, int64_t n, float* x) {
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) x[i] = static_cast<float>(is_signed ? static_cast<const int8_t*>(q)[i] : static_cast<const uint8_t*>(q)[i]);
  });
}

}  // namespace

void quantize(const float* x, void* q, int64_t n, Int8Format format) {
  active_isa();
  const float inverse = 1 / format.scale;
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
    if (format.is_signed) HWY_DYNAMIC_DISPATCH(quantize_signed)(x + begin, static_cast<int8_t*>(q) + begin, end - begin, inverse);
    else HWY_DYNAMIC_DISPATCH(quantize_unsigned)(x + begin, static_cast<uint8_t*>(q) + begin, end - begin, inverse);
  });
}

struct Int8Product::Weights {
  Weights(const int8_t* weights, std::span<const float> of_weights, const float* bias, int64_t inputs, Int8Format format)
      : n(std::ssize(of_weights)), k(inputs), input(format), w(weights, weights + n * inputs) {
    for (int64_t j = 0; j < n; ++j) {
      const float scale = format.scale * of_weights[static_cast<size_t>(j)];
      scales.push_back(scale);
      shifts.push_back(bias == nullptr ? 0 : bias[j]);
      sum_shifts.push_back(shifts.back() / scale);
    }
  }

  // The integers as f32, for processors that multiply those faster.
  const float* as_floats() {
    const std::lock_guard lock(mutex);
    if (floats.empty()) floats.assign(w.begin(), w.end());
    return floats.data();
  }

  // Sums of `rows` results into what was asked for.
  void finish(float* sums, int64_t rows, Int8Activation activation, const Result& result) const {
    active_isa();
    const auto kernel = HWY_DYNAMIC_DISPATCH(scale_row);
    float* const real = result.format ? sums : static_cast<float*>(result.y);
    parallel_for(rows, std::max<int64_t>(1, kGrain / n), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) kernel(sums + i * n, scales.data(), shifts.data(), real + i * n, n, activation == Int8Activation::relu);
    });
    if (activation == Int8Activation::gelu) unary(Unary::gelu, real, real, rows * n);
    if (result.format) quantize(real, result.y, rows * n, *result.format);
  }

  int64_t n, k;  // k: of one output
  Int8Format input;
  std::vector<int8_t> w;
  std::vector<float> scales, shifts;  // from sums to real numbers
  std::vector<float> sum_shifts;      // the shifts in units of the sums
  std::mutex mutex;
  std::vector<float> floats;
  OnednnInt8 onednn{w.data(), sum_shifts, scales, input.is_signed};
};

Int8Product::Int8Product(const int8_t* w, std::span<const float> scales, const float* bias, int64_t k, Int8Format input)
    : weights_(std::make_unique<Weights>(w, scales, bias, k, input)) {}
Int8Product::Int8Product(const int8_t* w, std::span<const float> scales, const float* bias, const Conv2dShape& s, Int8Format input)
    : weights_(std::make_unique<Weights>(w, scales, bias, s.channels / s.groups * s.kernel_h * s.kernel_w, input)) {}
Int8Product::~Int8Product() = default;

void Int8Product::linear(const void* x, int64_t m, Int8Activation activation, const Result& result) const {
  Weights& s = *weights_;
  if (m == 0) return;
  if (onednn_has_int8()) return s.onednn.linear(s.n, s.k, x, m, activation, result);
  Workspace workspace(Workspace::rounded(m * s.k) + Workspace::rounded(m * s.n));
  float *inputs = workspace.take(m * s.k), *sums = workspace.take(m * s.n);
  widen(x, s.input.is_signed, m * s.k, inputs);
  linear_forward(inputs, s.as_floats(), nullptr, sums, m, s.n, s.k, Activation::none);
  s.finish(sums, m, activation, result);
}

void Int8Product::conv2d(const Conv2dShape& shape, const void* x, Int8Activation activation, const Result& result) const {
  Weights& s = *weights_;
  if (shape.batch == 0) return;
  if (onednn_has_int8()) return s.onednn.conv2d(shape, x, activation, result);
  const int64_t pixels = shape.batch * shape.height * shape.width * shape.channels, rows = shape.batch * shape.out_height() * shape.out_width();
  // No Workspace, of which the convolution has two.
  std::vector<float> inputs(static_cast<size_t>(pixels)), sums(static_cast<size_t>(rows * s.n));
  widen(x, s.input.is_signed, pixels, inputs.data());
  conv2d_forward(shape, inputs.data(), s.as_floats(), nullptr, sums.data(), Activation::none);
  s.finish(sums.data(), rows, activation, result);
}

void max_pool2d_u8(const Pool2dShape& s, const uint8_t* x, uint8_t* y) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(pool_rows);
  const int64_t row_work = s.out_width() * s.channels * s.kernel_h * s.kernel_w;
  parallel_for(s.batch * s.out_height(), std::max<int64_t>(1, kGrain / std::max<int64_t>(1, row_work)), [&](int64_t begin, int64_t end) { kernel(s, x, y, begin, end); });
}

}  // namespace danlu::kernels
#endif
