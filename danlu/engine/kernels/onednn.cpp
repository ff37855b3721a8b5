// What uses oneDNN in f32: large_gemm.h and onednn_conv.h. Written for oneDNN 2 (Debian 12) and 3, whose descriptors differ; the
// difference is in the make_* functions here and nowhere else.

#include <algorithm>
#include <cstring>
#include <dnnl.hpp>
#include <memory>
#include <unordered_map>
#include <vector>

#include "danlu/base/cpu.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/threads.h"
#include "danlu/engine/kernels/half_gemm.h"
#include "danlu/engine/kernels/elementwise.h"
#include "danlu/engine/kernels/large_gemm.h"
#include "danlu/engine/kernels/matmul_precision.h"
#include "danlu/engine/kernels/onednn_conv.h"
#include "danlu/engine/kernels/onednn_engine.inl.h"
#include "danlu/engine/kernels/reproducible.h"
#include "danlu/engine/kernels/transpose.h"
#include "danlu/engine/kernels/workspace.h"

namespace danlu::kernels {
namespace {

using Dims = dnnl::memory::dims;
using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;
constexpr auto kF32 = Type::f32;

dnnl::memory::desc matrix(int64_t rows, int64_t columns, bool transposed) {
  return {{rows, columns}, kF32, transposed ? Dims{1, rows} : Dims{columns, 1}};
}

dnnl::primitive_attr fused(Activation activation) {
  dnnl::primitive_attr attr;
  if (activation == Activation::none) return attr;
  const bool leaky = activation == Activation::leaky_relu;
  const auto algorithm = activation == Activation::relu || leaky ? dnnl::algorithm::eltwise_relu
                         : activation == Activation::sigmoid     ? dnnl::algorithm::eltwise_logistic
                                                                 : dnnl::algorithm::eltwise_tanh;
  const float slope = leaky ? kLeakySlope : 0.0f;
  dnnl::post_ops ops;
#if DNNL_VERSION_MAJOR >= 3
  ops.append_eltwise(algorithm, slope, 0.0f);
#else
  ops.append_eltwise(1.0f, algorithm, slope, 0.0f);
#endif
  attr.set_post_ops(ops);
  return attr;
}

// Products are divided into blocks of the result, each computed by one thread: about as many as this machine has processors,
// whatever the number of threads, so that the result does not depend on that. Each block packs its operands anew: few large ones
// near square cost least.
constexpr int64_t kMostBlocks = 64;
constexpr int64_t kLeastWork = int64_t{1} << 22;  // multiplications of a block
constexpr int64_t kMinBlock = 32;                 // rows and columns

int64_t blocks_for(int64_t work) {
  static const int64_t processors = cpu_info().processors;
  int64_t blocks = 2;
  while (blocks < std::min(processors, kMostBlocks) && work / (2 * blocks) >= kLeastWork) blocks *= 2;
  return blocks;
}

// oneDNN's own copies of a transposed operand slow down where the sum is long: it is transposed here then, in pieces of the sum.
constexpr int64_t kLongSum = 1024, kSumPiece = 256;

// One thread for oneDNN while it lives.
class OneThread {
 public:
  OneThread() : before_(num_threads()) { set_num_threads(1); }
  ~OneThread() { set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

// Calls run(first row, last, first column, last) for every block of an (m, n) result of sums of k products.
template <class Run>
void for_blocks(int64_t m, int64_t n, int64_t k, const Run& run) {
  const int64_t wanted = blocks_for(m * n * k);
  int64_t block_m = m, block_n = n;
  while (((m + block_m - 1) / block_m) * ((n + block_n - 1) / block_n) < wanted) {
    int64_t& block = block_m >= block_n ? block_m : block_n;
    if (block <= kMinBlock) break;
    block = ((block + 1) / 2 + kMinBlock - 1) / kMinBlock * kMinBlock;
  }
  const int64_t columns = (n + block_n - 1) / block_n, blocks = (m + block_m - 1) / block_m * columns;
  const auto run_block = [&](int64_t b) {
    const int64_t i = b / columns * block_m, j = b % columns * block_n;
    run(i, std::min(i + block_m, m), j, std::min(j + block_n, n));
  };
  if (blocks == 1) {
    const OneThread one_thread;
    return run_block(0);
  }
  parallel_for(blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) run_block(b);
  });
}

// A primitive with its memory objects, whose handles are set before each run.
struct Linear {
  dnnl::matmul primitive;
  dnnl::memory x, w, bias, y;
};

// y (m, n) lies in a matrix whose rows are `row_stride` apart.
std::unique_ptr<Linear> make_linear(int64_t m, int64_t n, int64_t k, int64_t row_stride, bool with_bias, Activation activation) {
  const auto x = matrix(m, k, false), w = matrix(k, n, true), bias = matrix(1, n, false);
  const dnnl::memory::desc y({m, n}, kF32, Dims{row_stride, 1});
  const dnnl::primitive_attr attr = fused(activation);
#if DNNL_VERSION_MAJOR >= 3
  const auto description = with_bias ? dnnl::matmul::primitive_desc(cpu_engine(), x, w, bias, y, attr)
                                     : dnnl::matmul::primitive_desc(cpu_engine(), x, w, y, attr);
#else
  const auto operation = with_bias ? dnnl::matmul::desc(x, w, bias, y) : dnnl::matmul::desc(x, w, y);
  const dnnl::matmul::primitive_desc description(operation, attr, cpu_engine());
#endif
  const auto memory = [](const dnnl::memory::desc& d) { return dnnl::memory(d, cpu_engine(), DNNL_MEMORY_NONE); };
  return std::make_unique<Linear>(Linear{dnnl::matmul(description), memory(x), memory(w), memory(bias), memory(y)});
}

void set(dnnl::memory& memory, const float* data) { memory.set_data_handle(const_cast<float*>(data)); }

}  // namespace

namespace {

struct Operand {
  const float* p;
  int64_t row;
  bool transposed;
};

// One thread's product c (m, n) = a b + beta c.
void sgemm(int64_t m, int64_t n, int64_t k, const Operand& a, const Operand& b, float beta, float* c, int64_t c_row) {
  const dnnl_status_t status = dnnl_sgemm(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', m, n, k, 1.0f, a.p, a.row, b.p, b.row, beta, c, c_row);
  if (status != dnnl_success) {
    throw InternalError("engine.onednn", fmt::format("sgemm {}x{}x{} failed with status {}", m, n, k, static_cast<int>(status)));
  }
}

// The same for a transposed a, a long sum.
void sgemm_of_pieces(int64_t m, int64_t n, int64_t k, const Operand& a, const Operand& b, float beta, float* c, int64_t c_row) {
  constexpr int64_t kRow = kSumPiece + 16;  // no power of two, whose lines would fall into few sets of the cache
  Workspace workspace(m * kRow);
  float* piece = workspace.take(m * kRow);
  for (int64_t p = 0; p < k; p += kSumPiece) {
    const int64_t length = std::min(kSumPiece, k - p);
    transpose_in_cache(a.p + p * a.row, a.row, length, m, piece, kRow);
    sgemm(m, n, length, {piece, kRow, false}, {b.p + (b.transposed ? p : p * b.row), b.row, b.transposed}, p > 0 ? 1.0f : beta, c, c_row);
  }
}

}  // namespace

void large_gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float* a, const float* b, float beta,
                float* c) {
  cpu_engine();
  const int64_t a_row = transpose_a ? m : k, b_row = transpose_b ? k : n;
  if (!reproducible()) return sgemm(m, n, k, {a, a_row, transpose_a}, {b, b_row, transpose_b}, beta, c, n);
  for_blocks(m, n, k, [&](int64_t i0, int64_t i1, int64_t j0, int64_t j1) {
    const auto product = transpose_a && k >= kLongSum ? sgemm_of_pieces : sgemm;
    product(i1 - i0, j1 - j0, k, {a + (transpose_a ? i0 : i0 * a_row), a_row, transpose_a},
            {b + (transpose_b ? j0 * b_row : j0), b_row, transpose_b}, beta, c + i0 * n + j0, n);
  });
}

namespace {

void linear_block(const float* x, const float* w, const float* bias, float* y, int64_t m, int64_t n, int64_t k, int64_t row_stride,
                  Activation activation) {
  static thread_local PrimitiveTable<Linear> table;
  try {
    Linear& linear = table.get({m, n, k, row_stride, bias != nullptr, static_cast<int64_t>(activation)},
                               [&] { return make_linear(m, n, k, row_stride, bias != nullptr, activation); });
    set(linear.x, x);
    set(linear.w, w);
    set(linear.y, y);
    if (bias != nullptr) {
      set(linear.bias, bias);
      linear.primitive.execute(stream(), {{DNNL_ARG_SRC, linear.x}, {DNNL_ARG_WEIGHTS, linear.w},
                                          {DNNL_ARG_BIAS, linear.bias}, {DNNL_ARG_DST, linear.y}});
    } else {
      linear.primitive.execute(stream(), {{DNNL_ARG_SRC, linear.x}, {DNNL_ARG_WEIGHTS, linear.w}, {DNNL_ARG_DST, linear.y}});
    }
  } catch (const dnnl::error& error) {
    library_failed(fmt::format("matmul {}x{}x{}", m, n, k), error);
  }
}

}  // namespace

// Without an activation sgemm and a pass for the bias are faster than the primitive, whose product is slower by 5 to 10 %.
void large_linear(const float* x, const float* w, const float* bias, float* y, int64_t m, int64_t n, int64_t k,
                  Activation activation) {
  cpu_engine();
  if (!reproducible()) return linear_block(x, w, bias, y, m, n, k, n, activation);
  for_blocks(m, n, k, [&](int64_t i0, int64_t i1, int64_t j0, int64_t j1) {
    float* y_block = y + i0 * n + j0;
    if (activation != Activation::none) {
      return linear_block(x + i0 * k, w + j0 * k, bias == nullptr ? nullptr : bias + j0, y_block, i1 - i0, j1 - j0, k, n, activation);
    }
    sgemm(i1 - i0, j1 - j0, k, {x + i0 * k, k, false}, {w + j0 * k, k, true}, 0, y_block, n);
    for (int64_t i = 0; bias != nullptr && i < i1 - i0; ++i) add(y_block + i * n, y_block + i * n, bias + j0, j1 - j0);
  });
}

std::string gemm_library() {
  const dnnl_version_t* v = dnnl_version();
  cpu_engine();
  const char* isa = "another instruction set";
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::sse41: isa = "SSE4.1"; break;
    case dnnl::cpu_isa::avx: isa = "AVX"; break;
    case dnnl::cpu_isa::avx2: isa = "AVX2"; break;
    case dnnl::cpu_isa::avx2_vnni: isa = "AVX2 with VNNI"; break;
    case dnnl::cpu_isa::avx512_core: isa = "AVX-512"; break;
    case dnnl::cpu_isa::avx512_core_vnni: isa = "AVX-512 with VNNI"; break;
    case dnnl::cpu_isa::avx512_core_bf16: isa = "AVX-512 with VNNI and bf16"; break;
    case dnnl::cpu_isa::avx512_core_amx: isa = "AVX-512 with AMX"; break;
    default: break;
  }
  return fmt::format("{}.{}.{}, {}", v->major, v->minor, v->patch, isa);
}

// ---- Convolution ----------------------------------------------------------------------------------------------------------

namespace {

// Forward, backward to the data or backward to the weights of one shape, with the reorder of its weights where the layout that
// oneDNN chose differs from PyTorch's, or they are rounded.
struct Convolution {
  dnnl::primitive primitive;
  dnnl::reorder reorder;        // weights in (forward, data) or out (weights gradient); empty if not needed
  bool reorders = false;
  dnnl::memory plain_weights;   // (O, C / groups, kh, kw), the caller's
  dnnl::memory weights;         // as the primitive wants them
  dnnl::memory x, y, bias;      // for a backward primitive: diff_x, diff_y where that is meant
};

enum class Direction { forward, data, weights };

struct ConvDescs {
  dnnl::memory::desc x, y, bias, plain_weights, any_weights;
  Dims strides, dilates, padding, right;

  // The operands are of type `in`, what comes out is f32.
  ConvDescs(const Conv2dShape& s, Type in, Direction direction) {
    const auto type = [&](Direction output) { return direction == output ? kF32 : in; };
    // Dimensions are named N, C, H, W for oneDNN whatever the order in memory.
    x = {{s.batch, s.channels, s.height, s.width}, type(Direction::data), Tag::nhwc};
    y = {{s.batch, s.filters, s.out_height(), s.out_width()}, type(Direction::forward), Tag::nhwc};
    bias = {{s.filters}, kF32, Tag::a};
    const bool grouped = s.groups > 1;
    const Dims dims = grouped ? Dims{s.groups, s.filters / s.groups, s.channels / s.groups, s.kernel_h, s.kernel_w}
                              : Dims{s.filters, s.channels, s.kernel_h, s.kernel_w};
    plain_weights = {dims, kF32, grouped ? Tag::goihw : Tag::oihw};
    any_weights = {dims, type(Direction::weights), Tag::any};
    strides = {s.stride_h, s.stride_w};
    dilates = {s.dilation_h - 1, s.dilation_w - 1};
    padding = {s.padding_h, s.padding_w};
    // The right and lower padding that makes the output size come out as floor() says.
    right = {(s.out_height() - 1) * s.stride_h + s.dilation_h * (s.kernel_h - 1) + 1 - s.height - s.padding_h,
             (s.out_width() - 1) * s.stride_w + s.dilation_w * (s.kernel_w - 1) + 1 - s.width - s.padding_w};
  }
};

constexpr auto kDirect = dnnl::algorithm::convolution_direct;

#if DNNL_VERSION_MAJOR >= 3
dnnl::convolution_forward::primitive_desc forward_desc(const ConvDescs& d, bool with_bias, const dnnl::primitive_attr& attr) {
  constexpr auto kind = dnnl::prop_kind::forward_training;
  return with_bias ? dnnl::convolution_forward::primitive_desc(cpu_engine(), kind, kDirect, d.x, d.any_weights, d.bias, d.y,
                                                               d.strides, d.dilates, d.padding, d.right, attr)
                   : dnnl::convolution_forward::primitive_desc(cpu_engine(), kind, kDirect, d.x, d.any_weights, d.y,
                                                               d.strides, d.dilates, d.padding, d.right, attr);
}
dnnl::convolution_backward_data::primitive_desc data_desc(const ConvDescs& d, const ConvDescs& hint) {
  return {cpu_engine(), kDirect, d.x, d.any_weights, d.y, d.strides, d.dilates, d.padding, d.right, forward_desc(hint, false, {})};
}
dnnl::convolution_backward_weights::primitive_desc weights_desc(const ConvDescs& d, const ConvDescs& hint) {
  return {cpu_engine(), kDirect, d.x, d.any_weights, d.y, d.strides, d.dilates, d.padding, d.right, forward_desc(hint, false, {})};
}
#else
dnnl::convolution_forward::primitive_desc forward_desc(const ConvDescs& d, bool with_bias, const dnnl::primitive_attr& attr) {
  constexpr auto kind = dnnl::prop_kind::forward_training;
  const auto operation =
      with_bias ? dnnl::convolution_forward::desc(kind, kDirect, d.x, d.any_weights, d.bias, d.y, d.strides, d.dilates, d.padding, d.right)
                : dnnl::convolution_forward::desc(kind, kDirect, d.x, d.any_weights, d.y, d.strides, d.dilates, d.padding, d.right);
  return {operation, attr, cpu_engine()};
}
dnnl::convolution_backward_data::primitive_desc data_desc(const ConvDescs& d, const ConvDescs& hint) {
  const dnnl::convolution_backward_data::desc operation(kDirect, d.x, d.any_weights, d.y, d.strides, d.dilates, d.padding, d.right);
  return {operation, cpu_engine(), forward_desc(hint, false, {})};
}
dnnl::convolution_backward_weights::primitive_desc weights_desc(const ConvDescs& d, const ConvDescs& hint) {
  const dnnl::convolution_backward_weights::desc operation(kDirect, d.x, d.any_weights, d.y, d.strides, d.dilates, d.padding, d.right);
  return {operation, cpu_engine(), forward_desc(hint, false, {})};
}
#endif

std::unique_ptr<Convolution> make_convolution(const Conv2dShape& s, Type in, Direction direction, bool with_bias, Activation activation) {
  const ConvDescs d(s, in, direction), hint(s, in, Direction::forward);
  auto conv = std::make_unique<Convolution>();
  dnnl::memory::desc chosen;
  switch (direction) {
    case Direction::forward: {
      const auto description = forward_desc(d, with_bias, fused(activation));
      conv->primitive = dnnl::convolution_forward(description);
      chosen = description.weights_desc();
      break;
    }
    case Direction::data: {
      const auto description = data_desc(d, hint);
      conv->primitive = dnnl::convolution_backward_data(description);
      chosen = description.weights_desc();
      break;
    }
    case Direction::weights: {
      const auto description = weights_desc(d, hint);
      conv->primitive = dnnl::convolution_backward_weights(description);
      chosen = description.diff_weights_desc();
      break;
    }
  }
  const auto memory = [](const dnnl::memory::desc& m) { return dnnl::memory(m, cpu_engine(), DNNL_MEMORY_NONE); };
  conv->x = memory(d.x);
  conv->y = memory(d.y);
  conv->bias = memory(d.bias);
  conv->plain_weights = memory(d.plain_weights);
  conv->reorders = chosen != d.plain_weights;
  if (conv->reorders) {
    conv->weights = dnnl::memory(chosen, cpu_engine());
    conv->reorder = direction == Direction::weights ? dnnl::reorder(conv->weights, conv->plain_weights)
                                                    : dnnl::reorder(conv->plain_weights, conv->weights);
  }
  return conv;
}

Convolution& convolution(const Conv2dShape& s, Type in, Direction direction, bool with_bias, Activation activation) {
  static thread_local PrimitiveTable<Convolution> table;
  try {
    return table.get({s.batch, s.height, s.width, s.channels, s.filters, s.kernel_h, s.kernel_w, s.stride_h, s.stride_w,
                      s.padding_h, s.padding_w, s.dilation_h, s.dilation_w, s.groups, static_cast<int64_t>(in),
                      static_cast<int64_t>(direction), with_bias, static_cast<int64_t>(activation)},
                     [&] { return make_convolution(s, in, direction, with_bias, activation); });
  } catch (const dnnl::error& error) {
    library_failed("convolution", error);
  }
}

// What goes into a convolution of this shape on this thread: as it is, or rounded to bf16, two numbers in the place of one. With few
// channels nothing is gained, and nothing where f16 is the faster format, which oneDNN has no convolution of.
class Images {
 public:
  explicit Images(const Conv2dShape& s)
      : x_(s.batch * s.height * s.width * s.channels),
        y_(s.batch * s.out_height() * s.out_width() * s.filters),
        rounds_(matmul_precision() == MatmulPrecision::medium && half_format() == HalfFormat::bf16 && s.groups == 1 && s.channels >= kLeastChannels && s.filters >= kLeastChannels) {}

  int64_t x_size() const { return x_; }
  int64_t y_size() const { return y_; }
  Type type() const { return rounds_ ? Type::bf16 : Type::f32; }
  int64_t floats(int64_t size) const { return rounds_ ? Workspace::rounded((size + 1) / 2) : 0; }
  const float* ready(const float* from, int64_t size, Workspace& workspace) const {
    if (!rounds_) return from;
    float* const pairs = workspace.take(floats(size));
    round_to_bf16(from, size, pairs);
    return pairs;
  }
  // Number `at` of what is ready.
  const float* from(const float* ready, int64_t at) const {
    return rounds_ ? reinterpret_cast<const float*>(reinterpret_cast<const uint16_t*>(ready) + at) : ready + at;
  }

 private:
  static constexpr int64_t kLeastChannels = 16;
  int64_t x_, y_;
  bool rounds_;
};

// The weights as the primitive wants them.
dnnl::memory& bring_weights(Convolution& conv, const float* w) {
  set(conv.plain_weights, w);
  if (!conv.reorders) return conv.plain_weights;
  conv.reorder.execute(stream(), conv.plain_weights, conv.weights);
  return conv.weights;
}

}  // namespace

void onednn_conv_forward(const Conv2dShape& shape, const float* x, const float* w, const float* bias, float* y,
                         Activation activation) {
  try {
    const Images images(shape);
    Workspace workspace(images.floats(images.x_size()));
    Convolution& conv = convolution(shape, images.type(), Direction::forward, bias != nullptr, activation);
    set(conv.x, images.ready(x, images.x_size(), workspace));
    set(conv.y, y);
    std::unordered_map<int, dnnl::memory> arguments{
        {DNNL_ARG_SRC, conv.x}, {DNNL_ARG_WEIGHTS, bring_weights(conv, w)}, {DNNL_ARG_DST, conv.y}};
    if (bias != nullptr) {
      set(conv.bias, bias);
      arguments.emplace(DNNL_ARG_BIAS, conv.bias);
    }
    conv.primitive.execute(stream(), arguments);
  } catch (const dnnl::error& error) {
    library_failed("convolution forward", error);
  }
}

void onednn_conv_backward_data(const Conv2dShape& shape, const float* dy, const float* w, float* dx) {
  try {
    const Images images(shape);
    Workspace workspace(images.floats(images.y_size()));
    Convolution& conv = convolution(shape, images.type(), Direction::data, false, Activation::none);
    set(conv.x, dx);
    set(conv.y, images.ready(dy, images.y_size(), workspace));
    conv.primitive.execute(stream(), {{DNNL_ARG_DIFF_DST, conv.y}, {DNNL_ARG_WEIGHTS, bring_weights(conv, w)},
                                      {DNNL_ARG_DIFF_SRC, conv.x}});
  } catch (const dnnl::error& error) {
    library_failed("convolution backward to the data", error);
  }
}

namespace {

// x and dy are of the type that is given.
void weights_gradient(const Conv2dShape& shape, Type type, const float* x, const float* dy, float* dw) {
  try {
    Convolution& conv = convolution(shape, type, Direction::weights, false, Activation::none);
    set(conv.x, x);
    set(conv.y, dy);
    set(conv.plain_weights, dw);
    conv.primitive.execute(stream(), {{DNNL_ARG_SRC, conv.x}, {DNNL_ARG_DIFF_DST, conv.y},
                                      {DNNL_ARG_DIFF_WEIGHTS, conv.reorders ? conv.weights : conv.plain_weights}});
    if (conv.reorders) conv.reorder.execute(stream(), conv.weights, conv.plain_weights);
  } catch (const dnnl::error& error) {
    library_failed("convolution backward to the weights", error);
  }
}

}  // namespace

// The sum runs over the images: in parts of the batch, each of one thread, that are added in their order. Left to itself oneDNN
// divides them by the number of threads, and so would the result.
void onednn_conv_backward_weights(const Conv2dShape& shape, const float* x, const float* dy, float* dw) {
  cpu_engine();
  const Images images(shape);
  const int64_t weights = shape.filters * (shape.channels / shape.groups) * shape.kernel_h * shape.kernel_w;
  const int64_t wanted = blocks_for(shape.batch * shape.out_height() * shape.out_width() * weights);
  const int64_t part = (shape.batch + wanted - 1) / std::max<int64_t>(wanted, 1), parts = (shape.batch + part - 1) / part;
  Workspace workspace(images.floats(images.x_size()) + images.floats(images.y_size()) + (parts - 1) * Workspace::rounded(weights));
  x = images.ready(x, images.x_size(), workspace);
  dy = images.ready(dy, images.y_size(), workspace);
  if (!reproducible()) return weights_gradient(shape, images.type(), x, dy, dw);
  std::vector<float*> dws = {dw};
  for (int64_t p = 1; p < parts; ++p) dws.push_back(workspace.take(weights));
  parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
    const OneThread one_thread;
    for (int64_t p = begin; p < end; ++p) {
      Conv2dShape some = shape;
      some.batch = std::min(part, shape.batch - p * part);
      const int64_t x_at = p * part * images.x_size() / shape.batch, y_at = p * part * images.y_size() / shape.batch;
      weights_gradient(some, images.type(), images.from(x, x_at), images.from(dy, y_at), dws[static_cast<size_t>(p)]);
    }
  });
  for (size_t p = 1; p < dws.size(); ++p) add(dw, dw, dws[p], weights);
}

}  // namespace danlu::kernels
