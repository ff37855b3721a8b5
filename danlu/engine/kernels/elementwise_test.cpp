// Tails and alignment: every length around the vectors' own, from every start, and not one element beyond.

#include "danlu/engine/kernels/elementwise.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "danlu/base/rng.h"
#include "danlu/engine/kernels/dropout.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/reference/dropout.h"
#include "danlu/engine/kernels/reference/elementwise.h"

namespace danlu::kernels {
namespace {

constexpr int64_t kLongest = 70;  // four vectors of 16 and a tail
constexpr int64_t kStarts[] = {0, 1, 4, 7, 15};
constexpr float kCanary = -12345.0f;

// An array that begins `start` elements after an aligned place, with untouchable elements on both sides.
class Guarded {
 public:
  Guarded(int64_t start, int64_t n) : start_(start + 16), n_(n), all_(static_cast<size_t>(start_ + n + 16), kCanary) {}
  float* data() { return all_.data() + start_; }
  bool untouched_around() const {
    for (int64_t i = 0; i < static_cast<int64_t>(all_.size()); ++i) {
      if ((i < start_ || i >= start_ + n_) && all_[static_cast<size_t>(i)] != kCanary) return false;
    }
    return true;
  }

 private:
  int64_t start_, n_;
  std::vector<float> all_;
};

template <class Function>
void sweep(const Function& f) {
  const Isa before = active_isa();
  for (const Isa isa : supported_isas()) {
    set_isa(isa);
    for (const int64_t start : kStarts) {
      for (int64_t n = 0; n <= kLongest; ++n) {
        SCOPED_TRACE(std::string(isa_name(isa)) + ", n = " + std::to_string(n) + ", start = " + std::to_string(start));
        f(start, n);
        if (testing::Test::HasFailure()) return set_isa(before);
      }
    }
  }
  set_isa(before);
}

void fill(Guarded& x, int64_t n) {
  Rng rng(static_cast<uint64_t>(n));
  for (int64_t i = 0; i < n; ++i) x.data()[i] = 0.1f + 3 * rng.uniform();
}

TEST(Sweep, Unary) {
  const std::pair<Unary, double (*)(double)> functions[] = {
      {Unary::neg, reference::neg},         {Unary::exp, reference::exp},   {Unary::log, reference::log},
      {Unary::sqrt, reference::sqrt},       {Unary::square, reference::square}, {Unary::abs, reference::abs},
      {Unary::relu, reference::relu},       {Unary::leaky_relu, reference::leaky_relu}, {Unary::sigmoid, reference::sigmoid}, {Unary::tanh, reference::tanh},
      {Unary::gelu, reference::gelu},       {Unary::gelu_tanh, reference::gelu_tanh}, {Unary::silu, reference::silu}};
  sweep([&](int64_t start, int64_t n) {
    for (const auto& [f, expected] : functions) {
      Guarded x(start, n), y(start / 2, n);
      fill(x, n);
      unary(f, x.data(), y.data(), n);
      for (int64_t i = 0; i < n; ++i) {
        ASSERT_NEAR(y.data()[i], expected(static_cast<double>(x.data()[i])), 1e-5) << "function " << static_cast<int>(f) << " at " << i;
      }
      ASSERT_TRUE(y.untouched_around());
      unary(f, x.data(), x.data(), n);  // in place
      ASSERT_EQ(std::memcmp(x.data(), y.data(), static_cast<size_t>(n) * sizeof(float)), 0);
      ASSERT_TRUE(x.untouched_around());
    }
  });
}

TEST(Sweep, Binary) {
  sweep([](int64_t start, int64_t n) {
    Guarded a(start, n), b(0, n), y(start / 2, n);
    fill(a, n);
    fill(b, n);
    for (int64_t i = 0; i < n; ++i) b.data()[i] *= 0.3f + static_cast<float>(i);
    const int64_t sizes[] = {n};
    Broadcast plan;
    std::array<int64_t, Broadcast::kMaxLoops> result;
    int rank = 0;
    ASSERT_TRUE(Broadcast::plan(sizes, sizes, plan, result, rank));
    binary(Binary::sub, a.data(), b.data(), y.data(), plan);
    for (int64_t i = 0; i < n; ++i) ASSERT_EQ(y.data()[i], a.data()[i] - b.data()[i]);
    ASSERT_TRUE(y.untouched_around());
    add(y.data(), y.data(), b.data(), n);  // in place
    for (int64_t i = 0; i < n; ++i) ASSERT_EQ(y.data()[i], (a.data()[i] - b.data()[i]) + b.data()[i]);
    ASSERT_TRUE(y.untouched_around());
  });
}

TEST(Sweep, DropoutHasTheSameBitsEverywhere) {
  sweep([](int64_t start, int64_t n) {
    Guarded x(start, n), y(start / 2, n);
    fill(x, n);
    dropout(x.data(), y.data(), n, 1u << 31, 2, 7, uint64_t{1} << 33);
    const std::vector<float> expected = reference::dropout(std::vector<float>(x.data(), x.data() + n), 1u << 31, 2.0f, 7, uint64_t{1} << 33);
    ASSERT_TRUE(n == 0 || std::memcmp(y.data(), expected.data(), static_cast<size_t>(n) * sizeof(float)) == 0);
    ASSERT_TRUE(y.untouched_around());
  });
}

TEST(Broadcast, RefusesShapesThatDoNotMeet) {
  Broadcast plan;
  std::array<int64_t, Broadcast::kMaxLoops> result;
  int rank = 0;
  const int64_t a[] = {3, 4}, b[] = {3}, c[] = {2, 4};
  EXPECT_FALSE(Broadcast::plan(a, b, plan, result, rank));
  EXPECT_FALSE(Broadcast::plan(a, c, plan, result, rank));
  EXPECT_TRUE(Broadcast::plan(a, {}, plan, result, rank));
  EXPECT_EQ(rank, 2);
}

}  // namespace
}  // namespace danlu::kernels
