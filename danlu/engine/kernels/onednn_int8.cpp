#include "danlu/engine/kernels/onednn_int8.h"

#include <atomic>
#include <bit>
#include <cstddef>
#include <mutex>
#include <utility>

#include "danlu/engine/kernels/onednn_engine.inl.h"

namespace danlu::kernels {

#if DNNL_VERSION_MAJOR >= 3
// Its scales are given another way, which is not written here yet.
bool onednn_has_int8() { return false; }
struct OnednnInt8::Packed {};
OnednnInt8::OnednnInt8(const int8_t*, const std::vector<float>&, const std::vector<float>&, bool) {}
OnednnInt8::~OnednnInt8() = default;
void OnednnInt8::linear(int64_t, int64_t, const void*, int64_t, Int8Activation, const Int8Product::Result&) { throw InternalError("engine.onednn", "no int8"); }
void OnednnInt8::conv2d(const Conv2dShape&, const void*, Int8Activation, const Int8Product::Result&) { throw InternalError("engine.onednn", "no int8"); }
#else

namespace {

using Dims = dnnl::memory::dims;
using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;
constexpr int64_t kMostExact = 64;  // rows
constexpr int kOutputs = 1 << 1;  // the axis of the outputs, in matrices and in images

Type type_of(bool is_signed) { return is_signed ? Type::s8 : Type::u8; }
Type type_of(const std::optional<Int8Format>& format) { return format ? type_of(format->is_signed) : Type::f32; }

dnnl::memory unbound(const dnnl::memory::desc& desc) { return dnnl::memory(desc, cpu_engine(), DNNL_MEMORY_NONE); }
void set(dnnl::memory& memory, const void* data) { memory.set_data_handle(const_cast<void*>(data)); }

struct Prepared {
  dnnl::primitive primitive;
  dnnl::memory x, w, bias, y;
};

}  // namespace

bool onednn_has_int8() {
  if (active_isa() < Isa::avx512) return false;
  cpu_engine();
  constexpr auto kVnni = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_vnni);
  return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & kVnni) == kVnni;
}

struct OnednnInt8::Packed {
  const int8_t* w;
  const std::vector<float>&bias, &scales;
  bool signed_input;
  int64_t serial;  // tells its primitives from those of others
  std::mutex mutex;
  std::vector<std::pair<dnnl::memory::desc, dnnl::memory>> layouts;

  // The weights as a primitive wants them; shapes that agree in that share them.
  dnnl::memory packed(const dnnl::memory::desc& plain, const dnnl::memory::desc& wanted) {
    const std::lock_guard lock(mutex);
    for (const auto& [desc, memory] : layouts) {
      if (desc == wanted) return memory;
    }
    dnnl::memory from = unbound(plain), to(wanted, cpu_engine());
    set(from, w);
    dnnl::reorder(from, to).execute(stream(), from, to);
    return layouts.emplace_back(wanted, to).second;
  }

  dnnl::primitive_attr attributes(Int8Activation activation, const std::optional<Int8Format>& format) const {
    dnnl::primitive_attr attr;
    std::vector<float> all = scales;
    const float divisor = format ? format->scale : 1;
    for (float& scale : all) scale /= activation == Int8Activation::gelu ? 1 : divisor;
    attr.set_output_scales(kOutputs, all);
    if (activation != Int8Activation::none) {
      dnnl::post_ops ops;
      const bool relu = activation == Int8Activation::relu;
      // The scale of the result comes behind gelu, which is not linear, and before everything else.
      ops.append_eltwise(relu ? 1.0f : 1 / divisor, relu ? dnnl::algorithm::eltwise_relu : dnnl::algorithm::eltwise_gelu_erf, 0.0f, 0.0f);
      attr.set_post_ops(ops);
    }
    return attr;
  }

  std::unique_ptr<Prepared> prepare(const dnnl::primitive& primitive, const dnnl::memory::desc& x, const dnnl::memory& weights,
                                    const dnnl::memory::desc& bias_desc, const dnnl::memory::desc& y) const {
    return std::make_unique<Prepared>(Prepared{primitive, unbound(x), weights, unbound(bias_desc), unbound(y)});
  }

  std::unique_ptr<Prepared> make_linear(int64_t m, int64_t n, int64_t k, Int8Activation activation, const std::optional<Int8Format>& format) {
    const dnnl::memory::desc x({m, k}, type_of(signed_input), Tag::ab), b({1, n}, Type::f32, Tag::ab), y({m, n}, type_of(format), Tag::ab);
    const dnnl::matmul::primitive_desc description({x, {{k, n}, Type::s8, Tag::any}, b, y}, attributes(activation, format), cpu_engine());
    return prepare(dnnl::matmul(description), x, packed({{k, n}, Type::s8, Tag::ba}, description.weights_desc()), b, y);
  }

  std::unique_ptr<Prepared> make_conv(const Conv2dShape& s, Int8Activation activation, const std::optional<Int8Format>& format) {
    const dnnl::memory::desc x({s.batch, s.channels, s.height, s.width}, type_of(signed_input), Tag::nhwc), b({s.filters}, Type::f32, Tag::a),
        y({s.batch, s.filters, s.out_height(), s.out_width()}, type_of(format), Tag::nhwc);
    const Dims dims = s.groups > 1 ? Dims{s.groups, s.filters / s.groups, s.channels / s.groups, s.kernel_h, s.kernel_w} : Dims{s.filters, s.channels, s.kernel_h, s.kernel_w};
    const Dims right = {(s.out_height() - 1) * s.stride_h + s.dilation_h * (s.kernel_h - 1) + 1 - s.height - s.padding_h,
                        (s.out_width() - 1) * s.stride_w + s.dilation_w * (s.kernel_w - 1) + 1 - s.width - s.padding_w};
    const dnnl::convolution_forward::desc operation(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, x, {dims, Type::s8, Tag::any}, b, y,
                                                    {s.stride_h, s.stride_w}, {s.dilation_h - 1, s.dilation_w - 1}, {s.padding_h, s.padding_w}, right);
    const dnnl::convolution_forward::primitive_desc description(operation, attributes(activation, format), cpu_engine());
    return prepare(dnnl::convolution_forward(description), x, packed({dims, Type::s8, s.groups > 1 ? Tag::goihw : Tag::oihw}, description.weights_desc()), b, y);
  }

  template <class Make>
  void run(std::vector<int64_t> key, const void* x, Int8Activation activation, const Int8Product::Result& result, const Make& make) {
    static thread_local PrimitiveTable<Prepared> table;
    key.insert(key.end(), {serial, static_cast<int64_t>(activation), result.format ? 1 + result.format->is_signed : 0, std::bit_cast<int32_t>(result.format ? result.format->scale : 1.0f)});
    try {
      Prepared& p = table.get(key, make);
      set(p.x, x);
      set(p.y, result.y);
      set(p.bias, bias.data());
      p.primitive.execute(stream(), {{DNNL_ARG_SRC, p.x}, {DNNL_ARG_WEIGHTS, p.w}, {DNNL_ARG_BIAS, p.bias}, {DNNL_ARG_DST, p.y}});
    } catch (const dnnl::error& error) {
      library_failed(fmt::format("int8 product of {}", fmt::join(key, "x")), error);
    }
  }
};

OnednnInt8::OnednnInt8(const int8_t* w, const std::vector<float>& bias, const std::vector<float>& scales, bool signed_input) {
  static std::atomic<int64_t> serials = 0;
  packed_ = std::make_unique<Packed>(w, bias, scales, signed_input, ++serials);
}
OnednnInt8::~OnednnInt8() = default;

// A primitive takes longer to make than to run, and texts come in any number of tokens: many rows are divided into powers of two.
void OnednnInt8::linear(int64_t n, int64_t k, const void* x, int64_t m, Int8Activation activation, const Int8Product::Result& result) {
  const auto* in = static_cast<const std::byte*>(x);
  auto* out = static_cast<std::byte*>(result.y);
  const int64_t out_row = n * (result.format ? 1 : static_cast<int64_t>(sizeof(float)));
  for (int64_t i = 0, rows = 0; i < m; i += rows) {
    rows = m - i <= kMostExact ? m - i : static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(m - i)));
    packed_->run({rows, n, k}, in + i * k, activation, {out + i * out_row, result.format}, [&] { return packed_->make_linear(rows, n, k, activation, result.format); });
  }
}

void OnednnInt8::conv2d(const Conv2dShape& s, const void* x, Int8Activation activation, const Int8Product::Result& result) {
  packed_->run({s.batch, s.height, s.width}, x, activation, result, [&] { return packed_->make_conv(s, activation, result.format); });
}

#endif

}  // namespace danlu::kernels
