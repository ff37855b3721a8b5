#include "danlu/engine/ops/attention.h"

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/attention.h"
#include "danlu/engine/ops/op.h"
#include "danlu/engine/ops/require.h"

namespace danlu {
namespace {

kernels::AttentionShape shape_of(const Tensor& qkv, const AttentionOptions& o) {
  require_f32(op::attention, qkv);
  const bool grouped = o.heads >= 1 && o.kv_heads >= 1 && o.heads % o.kv_heads == 0 && qkv.rank() == 3 && o.heads <= qkv.size(2);
  const int64_t vectors = grouped ? o.heads + 2 * o.kv_heads : 1;
  if (!grouped || qkv.size(2) < vectors || qkv.size(2) % vectors != 0) {
    bad_shape(op::attention, "qkv", qkv.shape(),
              fmt::format("(N, T, (heads + 2 kv_heads) D) with {} heads, a multiple of {} kv_heads", o.heads, o.kv_heads));
  }
  const int64_t head_dim = qkv.size(2) / vectors;
  const float scale = o.scale.value_or(1.0f / std::sqrt(static_cast<float>(head_dim)));
  if (!std::isfinite(scale)) throw ConfigError("engine.ops.attention", fmt::format("got a scale of {}; expected a finite number", scale));
  return {qkv.size(0), qkv.size(1), o.heads, o.kv_heads, head_dim, o.causal, scale};
}

void check_first(const Tensor& first, const kernels::AttentionShape& s) {
  if (!(first.shape() == Shape{s.batch, s.length})) {
    bad_shape(op::attention, "first", first.shape(), Shape{s.batch, s.length}.str());
  }
  const int64_t* f = first.data<int64_t>();
  for (int64_t i = 0; i < first.numel(); ++i) {
    const int64_t position = i % s.length;
    if (f[i] < 0 || f[i] > position) {
      throw DataError("engine.ops.attention", fmt::format("got first[{}, {}] = {}; expected a position in [0, {}]", i / s.length, position, f[i], position));
    }
  }
}

}  // namespace

Tensor attention(const Tensor& qkv, const AttentionOptions& options, const Tensor& first) {
  const kernels::AttentionShape s = shape_of(qkv, options);
  if (first.defined()) check_first(first, s);
  const auto first_of = [](const Tensor& t) { return t.defined() ? t.data<int64_t>() : nullptr; };
  const bool records = recording(qkv);
  Tensor y = Tensor::empty({s.batch, s.length, s.heads * s.head_dim});
  Tensor log_sum_exp = records ? Tensor::empty({s.batch, s.heads, s.length}) : Tensor();
  kernels::attention(s, qkv.data(), first_of(first), y.mutable_data(), records ? log_sum_exp.mutable_data() : nullptr);
  if (records) {
    record(op::attention, y, {&qkv}, [s, first_of, log_sum_exp, qkv = Saved(qkv), first, y = Saved(y)](GradContext& context) {
      Tensor dqkv = Tensor::empty(qkv.get().shape());
      kernels::attention_backward(s, context.dy().data(), qkv.get().data(), first_of(first), y.get().data(), log_sum_exp.data(),
                                  dqkv.mutable_data());
      context.add(0, std::move(dqkv));
    });
  }
  return y;
}

}  // namespace danlu
