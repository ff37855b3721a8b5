#include "danlu/engine/ops/recurrent.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/gemm.h"
#include "danlu/engine/kernels/recurrent.h"
#include "danlu/engine/kernels/reduce.h"
#include "danlu/engine/ops/op.h"
#include "danlu/engine/ops/require.h"

namespace danlu {
namespace {

using kernels::Cell;

void check_state(const char* op, const char* name, const Tensor& state, const Shape& expected) {
  if (!state.defined()) return;
  require_f32(op, state);
  if (!(state.shape() == expected)) bad_shape(op, name, state.shape(), expected.str());
}

kernels::RecurrentShape check(const char* op, Cell cell, const Tensor& x, const Tensor& weight, const Tensor& bias, const RecurrentOptions& o) {
  require_f32(op, x);
  require_f32(op, weight);
  const int64_t gates = kernels::gates_of(cell);
  if (weight.rank() != 2 || weight.size(0) != gates * weight.size(1)) bad_shape(op, "weight", weight.shape(), fmt::format("({} H, H)", gates));
  const int64_t hidden = weight.size(1);
  if (x.rank() != 3 || x.size(2) != gates * hidden) bad_shape(op, "x", x.shape(), fmt::format("(N, T, {})", gates * hidden));
  if (bias.defined()) require_f32(op, bias);
  if (bias.defined() && !(bias.shape() == Shape{gates * hidden})) bad_shape(op, "bias", bias.shape(), Shape{gates * hidden}.str());
  const int64_t batch = x.size(0), length = x.size(1);
  check_state(op, "first.h", o.first.h, {batch, hidden});
  check_state(op, "first.c", o.first.c, {batch, hidden});
  if (o.lengths.defined()) {
    if (o.lengths.dtype() != Dtype::i64) throw DtypeError(fmt::format("engine.ops.{}", op), fmt::format("lengths: got {}; expected i64", dtype_name(o.lengths.dtype())));
    if (!(o.lengths.shape() == Shape{batch})) bad_shape(op, "lengths", o.lengths.shape(), Shape{batch}.str());
    for (int64_t n = 0; n < batch; ++n) {
      const int64_t got = o.lengths.data<int64_t>()[n];
      if (got < 0 || got > length) throw DataError(fmt::format("engine.ops.{}", op), fmt::format("lengths[{}]: got {}; expected 0 to {}", n, got, length));
    }
  }
  return {cell, batch, length, hidden, o.reverse, o.lengths.defined() ? o.lengths.data<int64_t>() : nullptr};
}

const float* data_or_null(const Tensor& tensor) { return tensor.defined() ? tensor.data() : nullptr; }

Tensor run(const char* op, Cell cell, const Tensor& x, const Tensor& weight, const Tensor& bias, const RecurrentOptions& o) {
  const kernels::RecurrentShape s = check(op, cell, x, weight, bias, o);
  Tensor y = Tensor::empty({s.batch, s.length, s.hidden});
  Tensor gates = Tensor::empty(x.shape()), inner = cell == Cell::rnn ? Tensor() : Tensor::empty(y.shape());
  RecurrentState last;
  if (o.last != nullptr) {
    last.h = Tensor::empty({s.batch, s.hidden});
    if (cell == Cell::lstm) last.c = Tensor::empty({s.batch, s.hidden});
  }
  kernels::recurrent(s, x.data(), weight.data(), data_or_null(bias), data_or_null(o.first.h), data_or_null(o.first.c), y.mutable_data(),
                     gates.mutable_data(), inner.defined() ? inner.mutable_data() : nullptr, last.h.defined() ? last.h.mutable_data() : nullptr,
                     last.c.defined() ? last.c.mutable_data() : nullptr);
  if (o.last != nullptr) *o.last = last;
  if (!(recording(x, weight) || recording(bias))) return y;

  record(op, y, {&x, &weight, &bias},
         [s, lengths = o.lengths, h0 = o.first.h, c0 = o.first.c, w = Saved(weight), saved = Saved(y), gates, inner](GradContext& context) {
    const Tensor& states = saved.get();
    Tensor dx = Tensor::empty(gates.shape()), dhidden = s.cell == Cell::gru ? Tensor::empty(gates.shape()) : Tensor();
    kernels::recurrent_backward(s, context.dy().data(), w.get().data(), data_or_null(h0), data_or_null(c0), states.data(), gates.data(), data_or_null(inner),
                                dx.mutable_data(), dhidden.defined() ? dhidden.mutable_data() : nullptr);
    const Tensor& to_state = s.cell == Cell::gru ? dhidden : dx;
    const int64_t rows = s.batch * s.length;
    if (context.needs(1)) {
      Tensor before = Tensor::empty(states.shape());
      kernels::states_before(s, states.data(), data_or_null(h0), before.mutable_data());
      auto target = context.target(1);
      kernels::gemm(true, false, s.gates(), s.hidden, rows, to_state.data(), before.data(), target.beta(), target.gradient.mutable_data());
    }
    if (context.needs(2)) {
      auto target = context.target(2);
      kernels::column_sum(to_state.data(), target.gradient.mutable_data(), rows, s.gates(), target.accumulate);
    }
    if (context.needs(0)) context.add(0, std::move(dx));
  });
  return y;
}

}  // namespace

Tensor rnn(const Tensor& x, const Tensor& weight, const Tensor& bias, const RecurrentOptions& options) {
  return run(op::rnn, Cell::rnn, x, weight, bias, options);
}
Tensor lstm(const Tensor& x, const Tensor& weight, const Tensor& bias, const RecurrentOptions& options) {
  return run(op::lstm, Cell::lstm, x, weight, bias, options);
}
Tensor gru(const Tensor& x, const Tensor& weight, const Tensor& bias, const RecurrentOptions& options) {
  return run(op::gru, Cell::gru, x, weight, bias, options);
}

}  // namespace danlu
