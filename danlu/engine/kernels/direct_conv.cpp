#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "danlu/engine/kernels/direct_conv.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include <algorithm>
#include <cstring>
#include <vector>

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/activation.inl.h"
#include "danlu/engine/kernels/direct_conv.h"
#include "danlu/engine/kernels/gather_plan.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/vector_map.inl.h"
#include "danlu/engine/kernels/workspace.h"

#ifndef DANLU_DIRECT_CONV_TYPES_
#define DANLU_DIRECT_CONV_TYPES_
namespace danlu::kernels {
namespace {

constexpr int64_t kTileRows = 6;  // by 2 vectors: 12 of 16 registers hold sums

// Some images, one block of outputs.
struct Gather {
  const GatherPlan* plan;
  const float* images;   // with their borders
  int64_t image_floats;  // from one to the next
  int64_t count;
  const float* weights;  // (taps, channels, block)
  const float* bias;     // of the block, or null
  float* out;            // the block's first number of the first pixel of the first image
  int64_t outputs;       // of the block
  Activation activation;
};

// Some pixels, and tiles of the weights of one block of filters.
struct WeightSums {
  const float* const* rows;  // kTileRows for each tile: what a row of the kernel meets at the first pixel
  const int64_t* windows;    // of the pixels
  int64_t pixels, tiles;
  const float* dy;  // (pixels, block)
  float* dw;        // (tiles, kTileRows, block), added to
};

}  // namespace
}  // namespace danlu::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {
namespace {

using Sums = VecF[kTileRows][2];

HWY_INLINE void multiply_add(Sums& sum, const float* const* rows, int64_t at, VecF low, VecF high) {
  const F32 d;
  HWY_UNROLL(6)
  for (int r = 0; r < kTileRows; ++r) {
    const VecF factor = hn::Set(d, rows[r][at]);
    sum[r][0] = hn::MulAdd(factor, low, sum[r][0]);
    sum[r][1] = hn::MulAdd(factor, high, sum[r][1]);
  }
}

// Of `count` numbers those that fit into a vector.
HWY_INLINE VecF load_some(F32 d, const float* p, int64_t count) {
  if (count >= static_cast<int64_t>(hn::Lanes(d))) return hn::LoadU(d, p);
  return count > 0 ? load_tail(d, p, count) : hn::Zero(d);
}

HWY_INLINE void store_some(VecF v, F32 d, float* p, int64_t count) {
  if (count >= static_cast<int64_t>(hn::Lanes(d))) hn::StoreU(v, d, p);
  else if (count > 0) store_tail(v, d, p, count);
}

// Pixels [first, first + kTileRows) of a phase, image after image; the last of all stands in for those beyond it.
HWY_INLINE void gather_tile(const Gather& g, const GatherPlan::Phase& phase, int64_t first) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const float* windows[kTileRows];
  float* out[kTileRows];
  for (int64_t r = 0; r < kTileRows; ++r) {
    const int64_t i = std::min(first + r, phase.pixels * g.count - 1), n = i / phase.pixels;
    const GatherPlan::Pixel& pixel = g.plan->pixels[static_cast<size_t>(phase.pixel + i % phase.pixels)];
    windows[r] = g.images + n * g.image_floats + pixel.in;
    out[r] = g.out + n * g.plan->out_pixels * g.plan->outputs + pixel.out;
  }
  Sums sum;
  const VecF low = g.bias == nullptr ? hn::Zero(d) : load_some(d, g.bias, g.outputs);
  const VecF high = g.bias == nullptr ? hn::Zero(d) : load_some(d, g.bias + lanes, g.outputs - lanes);
  HWY_UNROLL(6)
  for (int r = 0; r < kTileRows; ++r) {
    sum[r][0] = low;
    sum[r][1] = high;
  }
  const float* w = g.weights + phase.tap * g.plan->channels * 2 * lanes;
  for (const auto *tap = g.plan->taps.data() + phase.tap, *end = tap + phase.taps; tap != end;) {
    int64_t at = tap->offset, last = at;
    do last += g.plan->channels;  // taps beside each other are one run
    while (++tap != end && tap->offset == last);
    for (; at < last; ++at) {
      multiply_add(sum, windows, at, hn::Load(d, w), hn::Load(d, w + lanes));
      w += 2 * lanes;
    }
  }
  HWY_UNROLL(6)
  for (int r = 0; r < kTileRows; ++r) {
    store_some(sum[r][0], d, out[r], g.outputs);
    store_some(sum[r][1], d, out[r] + lanes, g.outputs - lanes);
  }
  if (g.activation == Activation::none) return;
  for (int64_t r = 0, rows = std::min(kTileRows, phase.pixels * g.count - first); r < rows; ++r)
    activate(g.activation, out[r], g.outputs);
}

void gather_block(const Gather& g) {
  for (const GatherPlan::Phase& phase : g.plan->phases) {
    for (int64_t i = 0; i < phase.pixels * g.count; i += kTileRows) gather_tile(g, phase, i);
  }
}

void weight_sums_block(const WeightSums& s) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t tile = 0; tile < s.tiles; ++tile) {
    float* dw = s.dw + tile * kTileRows * 2 * lanes;
    const float* rows[kTileRows];
    Sums sum;
    HWY_UNROLL(6)
    for (int r = 0; r < kTileRows; ++r) {
      rows[r] = s.rows[tile * kTileRows + r];
      sum[r][0] = hn::Load(d, dw + r * 2 * lanes);
      sum[r][1] = hn::Load(d, dw + (r * 2 + 1) * lanes);
    }
    const float* dy = s.dy;
    for (int64_t p = 0; p < s.pixels; ++p) {
      multiply_add(sum, rows, s.windows[p], hn::Load(d, dy), hn::Load(d, dy + lanes));
      dy += 2 * lanes;
    }
    HWY_UNROLL(6)
    for (int r = 0; r < kTileRows; ++r) {
      hn::Store(sum[r][0], d, dw + r * 2 * lanes);
      hn::Store(sum[r][1], d, dw + (r * 2 + 1) * lanes);
    }
  }
}

int64_t block_outputs() { return 2 * static_cast<int64_t>(hn::Lanes(F32())); }

}  // namespace
}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace danlu::kernels {
namespace {

HWY_EXPORT(gather_block);
HWY_EXPORT(weight_sums_block);
HWY_EXPORT(block_outputs);

constexpr int64_t kThreadWork = 1 << 16;  // multiplications below which another thread costs more than it gains
constexpr int64_t kPixels = 64;           // that pass while sums of the weight gradient stay in registers

int64_t quotient_up(int64_t a, int64_t b) { return b > 0 ? (a + b - 1) / b : a; }

// How weights of a kernel lie in memory: number (o, c, k) is w[o * output + c * channel + k].
struct WeightLayout {
  int64_t output, channel;
};
WeightLayout forward_layout(const Conv2dShape& s) {
  return {s.channels * s.kernel_h * s.kernel_w, s.kernel_h * s.kernel_w};
}
WeightLayout backward_layout(const Conv2dShape& s) {
  return {s.kernel_h * s.kernel_w, s.channels * s.kernel_h * s.kernel_w};
}

// Calls visit(among the weights, in the packed block, how many) for the outputs [output, output + block) at each place
// of the kernel: numbers that lie layout.output apart, and side by side in a block (taps, channels, block).
template <class Visit>
void for_block(const GatherPlan& plan, const WeightLayout& layout, int64_t output, int64_t block, const Visit& visit) {
  const int64_t count = std::min(block, plan.outputs - output), taps = static_cast<int64_t>(plan.taps.size());
  for (int64_t c = 0; c < plan.channels; ++c) {
    for (int64_t t = 0; t < taps; ++t) {
      visit(output * layout.output + c * layout.channel + plan.taps[static_cast<size_t>(t)].kernel,
            (t * plan.channels + c) * block, count);
    }
  }
}

void pack(const GatherPlan& plan, const WeightLayout& layout, const float* w, int64_t block, float* packed) {
  const int64_t blocks = quotient_up(plan.outputs, block),
                size = static_cast<int64_t>(plan.taps.size()) * plan.channels * block;
  parallel_for(blocks, quotient_up(kThreadWork, size), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      for_block(plan, layout, b * block, block, [&, to = packed + b * size](int64_t at, int64_t place, int64_t count) {
        for (int64_t o = 0; o < count; ++o) to[place + o] = w[at + o * layout.output];
        for (int64_t o = count; o < block; ++o) to[place + o] = 0;
      });
    }
  });
}

// Images as windows see them: as they are, or copied, a few at a time, into memory with borders.
class Images {
 public:
  static int64_t floats(const GatherPlan& plan, int64_t most) {
    return plan.bordered ? most * plan.bordered_floats() : 0;
  }

  Images(const GatherPlan& plan, const float* x, float* memory, int64_t most) : plan_(plan), x_(x), memory_(memory) {
    std::fill_n(memory, floats(plan, most), 0.0f);
  }

  int64_t stride() const { return plan_.bordered ? plan_.bordered_floats() : plan_.image_floats(); }
  // Images [first, first + count), stride() apart. What was asked for last is kept.
  const float* get(int64_t first, int64_t count) {
    if (!plan_.bordered) return x_ + first * plan_.image_floats();
    for (int64_t n = 0; first != held_ && n < count; ++n)
      copy(x_ + (first + n) * plan_.image_floats(), memory_ + n * plan_.bordered_floats());
    held_ = first;
    return memory_;
  }

 private:
  void copy(const float* image, float* to) {
    const int64_t rows = std::min(plan_.height, plan_.rows - plan_.top),
                  columns = std::min(plan_.width, plan_.columns - plan_.left);
    for (int64_t i = 0; i < rows; ++i) {
      std::memcpy(to + ((i + plan_.top) * plan_.columns + plan_.left) * plan_.channels,
                  image + i * plan_.width * plan_.channels,
                  static_cast<size_t>(columns * plan_.channels) * sizeof(float));
    }
  }

  const GatherPlan& plan_;
  const float* x_;
  float* memory_;
  int64_t held_ = -1;
};

// How many images go together: small ones, whose pixels would not fill the last tile.
int64_t images_together(const GatherPlan& plan, int64_t batch) {
  constexpr int64_t kPixelsTogether = 300, kFloats = int64_t{1} << 16;
  const int64_t by_pixels = kPixelsTogether / plan.phases.front().pixels;
  return std::clamp(std::min(by_pixels, kFloats / std::max(plan.bordered_floats(), int64_t{1})), int64_t{1}, batch);
}

void gather(const GatherPlan& plan, const WeightLayout& layout, int64_t batch, const float* x, const float* w,
            const float* bias, Activation activation, float* y) {
  const int64_t block = HWY_DYNAMIC_DISPATCH(block_outputs)(), blocks = quotient_up(plan.outputs, block);
  const int64_t weights = static_cast<int64_t>(plan.taps.size()) * plan.channels * block;
  Workspace workspace(blocks * weights);
  float* packed = workspace.take(blocks * weights);
  pack(plan, layout, w, block, packed);
  const int64_t together = images_together(plan, batch), groups = quotient_up(batch, together);
  parallel_for(
      groups * blocks, quotient_up(kThreadWork, together * plan.out_pixels * weights), [&](int64_t begin, int64_t end) {
        const int64_t floats = Images::floats(plan, together);
        Workspace border(floats);
        Images images(plan, x, border.take(floats), together);
        for (int64_t i = begin; i < end; ++i) {
          const int64_t n = i / blocks * together, count = std::min(together, batch - n), o = i % blocks * block;
          HWY_DYNAMIC_DISPATCH(gather_block)
          ({&plan, images.get(n, count), images.stride(), count, packed + i % blocks * weights,
            bias == nullptr ? nullptr : bias + o, y + n * plan.out_pixels * plan.outputs + o,
            std::min(block, plan.outputs - o), activation});
        }
      });
}

}  // namespace

// With AVX-512 oneDNN reaches 80 % of the peak, with AVX2 half to two thirds. Kernels of one pixel and images of one or three channels
// leave little to keep in registers: oneDNN is ahead there. But its 2.6.3 with AVX2 writes beyond its own memory where such a kernel
// has a stride and channels or filters are not in whole vectors.
bool direct_conv_takes(const Conv2dShape& s) {
  constexpr int64_t kLanes = 8;
  if (active_isa() != Isa::avx2 || s.groups != 1) return false;
  const bool whole_vectors = s.channels % kLanes == 0 && s.filters % kLanes == 0;
  return s.kernel_h * s.kernel_w > 1 ? whole_vectors : !whole_vectors && s.stride_h * s.stride_w > 1;
}

void direct_conv_forward(const Conv2dShape& s, const float* x, const float* w, const float* bias, float* y,
                         Activation activation) {
  gather(plan_forward(s), forward_layout(s), s.batch, x, w, bias, activation, y);
}

void direct_conv_backward_data(const Conv2dShape& s, const float* dy, const float* w, float* dx) {
  gather(plan_backward_data(s), backward_layout(s), s.batch, dy, w, nullptr, Activation::none, dx);
}

// The sums lie as packed weights do, (blocks, taps, channels, block), so that a tile is kTileRows rows of a block. A
// thread has some tiles and passes all images by them.
void direct_conv_backward_weights(const Conv2dShape& s, const float* x, const float* dy, float* dw) {
  const GatherPlan plan = plan_forward(s);
  const int64_t block = HWY_DYNAMIC_DISPATCH(block_outputs)(), blocks = quotient_up(s.filters, block);
  const int64_t kernel_rows = static_cast<int64_t>(plan.taps.size()) * s.channels,
                tiles = quotient_up(kernel_rows, kTileRows);
  const int64_t tile_size = kTileRows * block, block_size = tiles * tile_size, pixels = plan.out_pixels;
  Workspace workspace(blocks * block_size);
  float* sums = workspace.take(blocks * block_size);
  std::vector<int64_t> windows;
  for (const GatherPlan::Pixel& pixel : plan.pixels) windows.push_back(pixel.in);

  parallel_for(blocks * tiles, quotient_up(kThreadWork, s.batch * pixels * tile_size), [&](int64_t begin, int64_t end) {
    const int64_t floats = Images::floats(plan, 1);
    Workspace more(Workspace::rounded(floats) + kPixels * block);
    Images images(plan, x, more.take(floats), 1);
    float* panel = more.take(kPixels * block);
    std::vector<const float*> rows(static_cast<size_t>(tiles * kTileRows));
    std::fill(sums + begin * tile_size, sums + end * tile_size, 0.0f);
    for (int64_t n = 0; n < s.batch; ++n) {
      const float* image = images.get(n, 1);
      for (int64_t r = 0; r < tiles * kTileRows;
           ++r) {  // rows beyond the kernel fill the last tile and are not looked at
        const int64_t row = std::min(r, kernel_rows - 1);
        rows[static_cast<size_t>(r)] =
            image + plan.taps[static_cast<size_t>(row / s.channels)].offset + row % s.channels;
      }
      for (int64_t p = 0; p < pixels; p += kPixels) {
        const int64_t count = std::min(kPixels, pixels - p);
        for (int64_t b = begin / tiles; b * tiles < end; ++b) {
          const int64_t first = std::max(begin - b * tiles, int64_t{0}), last = std::min(end - b * tiles, tiles);
          const int64_t o = b * block, filters = std::min(block, s.filters - o);
          for (int64_t i = 0; i < count; ++i) {
            const float* from = dy + (n * pixels + p + i) * s.filters + o;
            std::copy_n(from, filters, panel + i * block);
            std::fill_n(panel + i * block + filters, block - filters, 0.0f);
          }
          HWY_DYNAMIC_DISPATCH(weight_sums_block)
          ({rows.data() + first * kTileRows, windows.data() + p, count, last - first, panel,
            sums + b * block_size + first * tile_size});
        }
      }
    }
  });
  const WeightLayout layout = forward_layout(s);
  parallel_for(blocks, quotient_up(kThreadWork, block_size), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      for_block(plan, layout, b * block, block,
                [&, from = sums + b * block_size](int64_t at, int64_t place, int64_t count) {
                  for (int64_t o = 0; o < count; ++o) dw[at + o * layout.output] = from[place + o];
                });
    }
  });
}

}  // namespace danlu::kernels
#endif
