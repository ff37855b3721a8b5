#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "danlu/engine/kernels/recurrent.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include <algorithm>
#include <cstring>
#include <optional>

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/half_gemm.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/matmul_precision.h"
#include "danlu/engine/kernels/recurrent.h"
#include "danlu/engine/kernels/small_gemm.h"
#include "danlu/engine/kernels/vector_map.inl.h"
#include "danlu/engine/kernels/workspace.h"

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {
namespace {

// Some lanes of rows that are `hidden` long; fewer than a vector has at the end.
struct Lanes {
  F32 d;
  int64_t at, count;
  bool whole;
  VecF load(const float* row) const { return whole ? hn::LoadU(d, row + at) : load_tail(d, row + at, count); }
  VecF load_or_zero(const float* row) const { return row == nullptr ? hn::Zero(d) : load(row); }
  void store(VecF v, float* row) const {
    if (whole) hn::StoreU(v, d, row + at);
    else store_tail(v, d, row + at, count);
  }
};

template <class Function>
HWY_INLINE void for_lanes(int64_t n, const Function& f) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) f(Lanes{d, i, lanes, true});
  if (i < n) f(Lanes{d, i, n - i, false});
}

// s (1 - s)
HWY_INLINE VecF slope_of_sigmoid(F32, VecF s) { return hn::NegMulAdd(s, s, s); }
// 1 - t^2
HWY_INLINE VecF slope_of_tanh(F32 d, VecF t) { return hn::NegMulAdd(t, t, hn::Set(d, 1.0f)); }

// gates: sums on the way in, activated on the way out. c_before may be null.
void lstm_cell(float* gates, const float* c_before, float* c, float* h, int64_t n) {
  for_lanes(n, [&](const Lanes& l) HWY_ATTR {
    const VecF i = sigmoid_of(l.d, l.load(gates)), f = sigmoid_of(l.d, l.load(gates + n));
    const VecF g = tanh_of(l.d, l.load(gates + 2 * n)), o = sigmoid_of(l.d, l.load(gates + 3 * n));
    const VecF state = hn::MulAdd(f, l.load_or_zero(c_before), hn::Mul(i, g));
    l.store(i, gates);
    l.store(f, gates + n);
    l.store(g, gates + 2 * n);
    l.store(o, gates + 3 * n);
    l.store(state, c);
    l.store(hn::Mul(o, tanh_of(l.d, state)), h);
  });
}

// dh and dc are what later positions give; dc becomes what this one gives.
void lstm_cell_backward(const float* gates, const float* c_before, const float* c, const float* dy, const float* dh, float* dc, float* dgates, int64_t n) {
  for_lanes(n, [&](const Lanes& l) HWY_ATTR {
    const VecF i = l.load(gates), f = l.load(gates + n), g = l.load(gates + 2 * n), o = l.load(gates + 3 * n);
    const VecF t = tanh_of(l.d, l.load(c)), d_h = hn::Add(l.load(dh), l.load(dy));
    const VecF d_c = hn::MulAdd(hn::Mul(d_h, o), slope_of_tanh(l.d, t), l.load(dc));
    l.store(hn::Mul(hn::Mul(d_c, g), slope_of_sigmoid(l.d, i)), dgates);
    l.store(hn::Mul(hn::Mul(d_c, l.load_or_zero(c_before)), slope_of_sigmoid(l.d, f)), dgates + n);
    l.store(hn::Mul(hn::Mul(d_c, i), slope_of_tanh(l.d, g)), dgates + 2 * n);
    l.store(hn::Mul(hn::Mul(d_h, t), slope_of_sigmoid(l.d, o)), dgates + 3 * n);
    l.store(hn::Mul(d_c, f), dc);
  });
}

// gates: what the input gives on the way in, activated on the way out; hidden: what the state gives, of which the last third is kept.
void gru_cell(float* gates, const float* hidden, const float* h_before, float* candidate, float* h, int64_t n) {
  for_lanes(n, [&](const Lanes& l) HWY_ATTR {
    const VecF r = sigmoid_of(l.d, hn::Add(l.load(gates), l.load(hidden)));
    const VecF z = sigmoid_of(l.d, hn::Add(l.load(gates + n), l.load(hidden + n)));
    const VecF inner = l.load(hidden + 2 * n);
    const VecF g = tanh_of(l.d, hn::MulAdd(r, inner, l.load(gates + 2 * n)));
    l.store(r, gates);
    l.store(z, gates + n);
    l.store(g, gates + 2 * n);
    l.store(inner, candidate);
    l.store(hn::MulAdd(z, hn::Sub(l.load(h_before), g), g), h);
  });
}

// dh becomes the part that goes past the gates.
void gru_cell_backward(const float* gates, const float* h_before, const float* candidate, const float* dy, float* dh, float* dinputs, float* dhidden, int64_t n) {
  for_lanes(n, [&](const Lanes& l) HWY_ATTR {
    const VecF r = l.load(gates), z = l.load(gates + n), g = l.load(gates + 2 * n);
    const VecF d_h = hn::Add(l.load(dh), l.load(dy));
    const VecF d_g = hn::Mul(hn::NegMulAdd(d_h, z, d_h), slope_of_tanh(l.d, g));
    const VecF d_z = hn::Mul(hn::Mul(d_h, hn::Sub(l.load_or_zero(h_before), g)), slope_of_sigmoid(l.d, z));
    const VecF d_r = hn::Mul(hn::Mul(d_g, l.load(candidate)), slope_of_sigmoid(l.d, r));
    l.store(d_r, dinputs);
    l.store(d_z, dinputs + n);
    l.store(d_g, dinputs + 2 * n);
    l.store(d_r, dhidden);
    l.store(d_z, dhidden + n);
    l.store(hn::Mul(d_g, r), dhidden + 2 * n);
    l.store(hn::Mul(d_h, z), dh);
  });
}

void rnn_cell(float* gates, float* h, int64_t n) {
  for_lanes(n, [&](const Lanes& l) HWY_ATTR {
    const VecF t = tanh_of(l.d, l.load(gates));
    l.store(t, gates);
    l.store(t, h);
  });
}

void rnn_cell_backward(const float* gates, const float* dy, const float* dh, float* dgates, int64_t n) {
  for_lanes(n, [&](const Lanes& l) HWY_ATTR {
    l.store(hn::Mul(hn::Add(l.load(dh), l.load(dy)), slope_of_tanh(l.d, l.load(gates))), dgates);
  });
}

void add_row(const float* a, const float* b, float* y, int64_t n) {
  if (b == nullptr) std::memcpy(y, a, static_cast<size_t>(n) * sizeof(float));
  else map(a, b, y, n, [](F32, VecF u, VecF v) HWY_ATTR { return hn::Add(u, v); });
}

}  // namespace
}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace danlu::kernels {
namespace {

HWY_EXPORT(lstm_cell);
HWY_EXPORT(lstm_cell_backward);
HWY_EXPORT(gru_cell);
HWY_EXPORT(gru_cell_backward);
HWY_EXPORT(rnn_cell);
HWY_EXPORT(rnn_cell_backward);
HWY_EXPORT(add_row);

constexpr int64_t kPanel = 64;  // columns
constexpr int64_t kThreadWork = int64_t{1} << 18;  // multiplications below which another thread costs more than it gains

// A matrix (k, n) as panels of columns, each of which lies in one piece: it is multiplied with at every position. Rounded to bf16 where
// this thread's precision says so and that many rows repay it.
class Panels {
 public:
  static int64_t floats(int64_t k, int64_t n) { return Workspace::rounded(std::max(k * n, HalfRight::floats(k, n))); }

  // From w (k, n), or its transpose (n, k), into floats(k, n).
  Panels(const float* w, int64_t k, int64_t n, bool transposed, int64_t rows, float* panels) : k_(k), n_(n), panels_(panels) {
    if (matmul_precision() == MatmulPrecision::medium && half_gemm_pays(rows, n, k)) {
      rounded_.emplace(w, transposed ? k : n, transposed, k, n, panels);
      return;
    }
    parallel_for((n + kPanel - 1) / kPanel, 1, [&](int64_t begin, int64_t end) {
      for (int64_t panel = begin; panel < end; ++panel) {
        const int64_t first = panel * kPanel, width = std::min(kPanel, n - first);
        float* out = panels_ + first * k;
        for (int64_t p = 0; p < k; ++p) {
          for (int64_t j = 0; j < width; ++j) out[p * width + j] = transposed ? w[(first + j) * k + p] : w[p * n + first + j];
        }
      }
    });
  }

  // c (m, n) += a (m, k) w, or = a w + bias. On the calling thread where that is one of a parallel loop.
  void multiply(int64_t m, const float* a, int64_t a_row, float* c, int64_t c_row, bool accumulate, const float* bias = nullptr) const {
    if (rounded_) return rounded_->multiply(m, a, a_row, c, c_row, accumulate, bias);
    for (int64_t first = 0; first < n_; first += kPanel) {
      const int64_t width = std::min(kPanel, n_ - first);
      small_gemm({.m = m, .n = width, .k = k_, .a = a, .a_row = a_row, .a_step = 1, .b = panels_ + first * k_, .b_row = width,
                  .b_transposed = false, .c = c + first, .c_row = c_row, .accumulate = accumulate, .bias = bias == nullptr ? nullptr : bias + first});
    }
  }

 private:
  int64_t k_, n_;
  float* panels_;
  std::optional<HalfRight> rounded_;
};

int64_t length_of(const RecurrentShape& s, int64_t n) { return s.lengths == nullptr ? s.length : s.lengths[n]; }

// The position before t in the order of time, or -1: the sequence begins at t.
int64_t before(const RecurrentShape& s, int64_t n, int64_t t) {
  if (!s.reverse) return t - 1;
  return t + 1 < length_of(s, n) ? t + 1 : -1;
}

int64_t grain(const RecurrentShape& s) { return std::max<int64_t>(1, kThreadWork / std::max<int64_t>(1, s.length * s.hidden * s.gates())); }

const float* row_of(const float* states, int64_t n, int64_t hidden) { return states == nullptr ? nullptr : states + n * hidden; }

}  // namespace

void recurrent(const RecurrentShape& s, const float* inputs, const float* weight, const float* bias, const float* h0, const float* c0,
               float* y, float* all_gates, float* inner, float* h_last, float* c_last) {
  active_isa();
  const int64_t H = s.hidden, G = s.gates();
  const bool is_gru = s.cell == Cell::gru;
  Workspace workspace(Panels::floats(H, G) + Workspace::rounded(s.batch * H) + (is_gru ? Workspace::rounded(s.batch * G) : 0));
  const Panels panels(weight, H, G, true, s.batch, workspace.take(Panels::floats(H, G)));
  float* const h = workspace.take(s.batch * H);  // of every sequence, as it is at the time
  float* const hidden = is_gru ? workspace.take(s.batch * G) : nullptr;
  if (h0 != nullptr) std::copy(h0, h0 + s.batch * H, h);
  else std::fill(h, h + s.batch * H, 0.0f);
  const auto lstm = HWY_DYNAMIC_DISPATCH(lstm_cell);
  const auto gru = HWY_DYNAMIC_DISPATCH(gru_cell);
  const auto rnn = HWY_DYNAMIC_DISPATCH(rnn_cell);
  const auto add = HWY_DYNAMIC_DISPATCH(add_row);
  parallel_for(s.batch, grain(s), [&](int64_t begin, int64_t end) {
    const int64_t rows = end - begin;
    for (int64_t step = 0; step < s.length; ++step) {
      const int64_t t = s.reverse ? s.length - 1 - step : step;
      float* sums = all_gates + (begin * s.length + t) * G;
      for (int64_t n = begin; n < end; ++n) {
        const int64_t at = (n * s.length + t) * G;
        add(inputs + at, is_gru ? nullptr : bias, all_gates + at, G);
      }
      if (is_gru) panels.multiply(rows, h + begin * H, H, hidden + begin * G, G, false, bias);
      else panels.multiply(rows, h + begin * H, H, sums, s.length * G, true);
      for (int64_t n = begin; n < end; ++n) {
        const int64_t at = n * s.length + t;
        float* gates = all_gates + at * G;
        float* out = y + at * H;
        float* state = h + n * H;
        if (t >= length_of(s, n)) {
          std::memset(out, 0, static_cast<size_t>(H) * sizeof(float));
          std::memset(gates, 0, static_cast<size_t>(G) * sizeof(float));
          if (inner != nullptr) std::memset(inner + at * H, 0, static_cast<size_t>(H) * sizeof(float));
          continue;
        }
        const int64_t earlier = before(s, n, t);
        switch (s.cell) {
          case Cell::rnn: rnn(gates, state, H); break;
          case Cell::lstm:
            lstm(gates, earlier < 0 ? row_of(c0, n, H) : inner + (n * s.length + earlier) * H, inner + at * H, state, H);
            break;
          case Cell::gru: gru(gates, hidden + n * G, state, inner + at * H, state, H); break;
        }
        std::memcpy(out, state, static_cast<size_t>(H) * sizeof(float));
      }
    }
    if (h_last != nullptr) std::copy(h + begin * H, h + end * H, h_last + begin * H);
    for (int64_t n = begin; c_last != nullptr && n < end; ++n) {
      const int64_t length = length_of(s, n), last = s.reverse ? 0 : length - 1;
      const float* from = length == 0 ? row_of(c0, n, H) : inner + (n * s.length + last) * H;
      if (from == nullptr) std::memset(c_last + n * H, 0, static_cast<size_t>(H) * sizeof(float));
      else std::memcpy(c_last + n * H, from, static_cast<size_t>(H) * sizeof(float));
    }
  });
}

void recurrent_backward(const RecurrentShape& s, const float* dy, const float* weight, const float* h0, const float* c0, const float* y,
                        const float* all_gates, const float* inner, float* dinputs, float* dhidden) {
  active_isa();
  const int64_t H = s.hidden, G = s.gates();
  const bool is_gru = s.cell == Cell::gru, is_lstm = s.cell == Cell::lstm;
  Workspace workspace(Panels::floats(G, H) + (is_lstm ? 2 : 1) * Workspace::rounded(s.batch * H));
  const Panels panels(weight, G, H, false, s.batch, workspace.take(Panels::floats(G, H)));
  float* const dh = workspace.take(s.batch * H);
  float* const dc = is_lstm ? workspace.take(s.batch * H) : nullptr;
  for (float* d : {dh, dc}) {
    if (d != nullptr) std::fill(d, d + s.batch * H, 0.0f);
  }
  const auto lstm = HWY_DYNAMIC_DISPATCH(lstm_cell_backward);
  const auto gru = HWY_DYNAMIC_DISPATCH(gru_cell_backward);
  const auto rnn = HWY_DYNAMIC_DISPATCH(rnn_cell_backward);
  parallel_for(s.batch, grain(s), [&](int64_t begin, int64_t end) {
    const int64_t rows = end - begin;
    const float* through = is_gru ? dhidden : dinputs;  // what goes on to the state
    for (int64_t step = s.length - 1; step >= 0; --step) {
      const int64_t t = s.reverse ? s.length - 1 - step : step;
      for (int64_t n = begin; n < end; ++n) {
        const int64_t at = n * s.length + t;
        float* d_h = dh + n * H;
        if (t >= length_of(s, n)) {
          std::memset(dinputs + at * G, 0, static_cast<size_t>(G) * sizeof(float));
          if (is_gru) std::memset(dhidden + at * G, 0, static_cast<size_t>(G) * sizeof(float));
          continue;
        }
        const int64_t earlier = before(s, n, t), from = (n * s.length + earlier) * H;
        const float* gates = all_gates + at * G;
        switch (s.cell) {
          case Cell::rnn: rnn(gates, dy + at * H, d_h, dinputs + at * G, H); break;
          case Cell::lstm:
            lstm(gates, earlier < 0 ? row_of(c0, n, H) : inner + from, inner + at * H, dy + at * H, d_h, dc + n * H,
                 dinputs + at * G, H);
            break;
          case Cell::gru:
            gru(gates, earlier < 0 ? row_of(h0, n, H) : y + from, inner + at * H, dy + at * H, d_h, dinputs + at * G, dhidden + at * G, H);
            break;
        }
        if (!is_gru) std::memset(d_h, 0, static_cast<size_t>(H) * sizeof(float));
      }
      panels.multiply(rows, through + (begin * s.length + t) * G, s.length * G, dh + begin * H, H, true);
    }
  });
}

void states_before(const RecurrentShape& s, const float* y, const float* h0, float* out) {
  const int64_t H = s.hidden;
  parallel_for(s.batch, std::max<int64_t>(1, (int64_t{1} << 14) / std::max<int64_t>(1, s.length * H)), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      for (int64_t t = 0; t < s.length; ++t) {
        const int64_t earlier = before(s, n, t);
        const float* from = t >= length_of(s, n) ? nullptr : earlier < 0 ? row_of(h0, n, H) : y + (n * s.length + earlier) * H;
        float* to = out + (n * s.length + t) * H;
        if (from == nullptr) std::memset(to, 0, static_cast<size_t>(H) * sizeof(float));
        else std::memcpy(to, from, static_cast<size_t>(H) * sizeof(float));
      }
    }
  });
}

}  // namespace danlu::kernels
#endif
