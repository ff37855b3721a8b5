#include "danlu/engine/kernels/amx_conv.h"

#include <hwy/base.h>

#if HWY_ARCH_X86_64

#include <algorithm>
#include <cstring>

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/amx_tiles.h"
#include "danlu/engine/kernels/bf16_vectors.inl.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/matmul_precision.h"
#include "danlu/engine/kernels/small_gemm.h"
#include "danlu/engine/kernels/workspace.h"

namespace danlu::kernels {
namespace {

using namespace bf16;

constexpr int64_t kBlock = 2 * kTile;  // positions, channels or filters of two tiles
constexpr int64_t kTileFloats = kTile * kTile;
constexpr int64_t kTileRow = kTile * sizeof(float);  // bytes
constexpr int64_t kSlack = 2 * kBlock;               // positions behind the last one that whole tiles read
constexpr int64_t kChunk = int64_t{1} << 17;  // pairs of the images whose share of a weight's gradient is summed at once: they stay in the caches

// One axis of a convolution. With a stride, position i of plane a of the grid is pixel i * stride + a - padding.
struct Axis {
  int64_t size, out, kernel, stride, padding;

  int64_t planes() const { return std::min(kernel, stride); }
  int64_t reach() const { return (kernel - 1) / stride; }  // of a kernel, in positions of a plane
  int64_t grid() const { return out + reach(); }

  // The pixels of class a, i * stride + a - padding, that exist.
  int64_t first(int64_t a) const { return padding > a ? quotient_up(padding - a, stride) : 0; }
  int64_t last(int64_t a) const {
    const int64_t most = size - 1 + padding - a;
    return most < 0 ? -1 : most / stride;
  }
  int64_t count(int64_t a) const { return std::max<int64_t>(last(a) - first(a) + 1, 0); }
  // Of dy, padded on both sides so that every pixel's taps are there.
  int64_t gradient_grid() const {
    int64_t most = out - 1;
    for (int64_t a = 0; a < stride; ++a) most = std::max(most, last(a));
    return reach() + most + 1;
  }
};

struct Axes {
  Axis h, w;
  explicit Axes(const Conv2dShape& s)
      : h{s.height, s.out_height(), s.kernel_h, s.stride_h, s.padding_h}, w{s.width, s.out_width(), s.kernel_w, s.stride_w, s.padding_w} {}
  int64_t taps() const { return h.kernel * w.kernel; }
};

// Where the numbers of a grid come from: for each position the pixel of the image, or -1 for what is padded.
struct Grid {
  int64_t pitch = 0, positions = 0;  // of a row; of all planes, to whole blocks
  int32_t* pixels = nullptr;

  static int64_t floats(int64_t planes, int64_t rows, int64_t pitch) { return Workspace::rounded(rounded_up(planes * rows * pitch, kBlock)); }
  void fill(int64_t position) { std::fill(pixels + position, pixels + positions, -1); }
};

Grid grid_of_image(const Axes& a, float* memory) {
  Grid g{a.w.grid(), rounded_up(a.h.planes() * a.w.planes() * a.h.grid() * a.w.grid(), kBlock), reinterpret_cast<int32_t*>(memory)};
  int64_t position = 0;
  for (int64_t ph = 0; ph < a.h.planes(); ++ph) {
    for (int64_t pw = 0; pw < a.w.planes(); ++pw) {
      for (int64_t i = 0; i < a.h.grid(); ++i) {
        for (int64_t j = 0; j < a.w.grid(); ++j) {
          const int64_t y = i * a.h.stride + ph - a.h.padding, x = j * a.w.stride + pw - a.w.padding;
          const bool inside = y >= 0 && y < a.h.size && x >= 0 && x < a.w.size;
          g.pixels[position++] = inside ? static_cast<int32_t>(y * a.w.size + x) : -1;
        }
      }
    }
  }
  g.fill(position);
  return g;
}
int64_t image_grid_floats(const Axes& a) { return Grid::floats(a.h.planes() * a.w.planes(), a.h.grid(), a.w.grid()); }

// The outputs within `rows` rows of `pitch` positions; the first of them at (top, left).
Grid grid_of_outputs(const Axes& a, int64_t rows, int64_t pitch, int64_t top, int64_t left, float* memory) {
  Grid g{pitch, rounded_up(rows * pitch, kBlock), reinterpret_cast<int32_t*>(memory)};
  int64_t position = 0;
  for (int64_t i = -top; i < rows - top; ++i) {
    for (int64_t j = -left; j < pitch - left; ++j) {
      const bool inside = i >= 0 && i < a.h.out && j >= 0 && j < a.w.out;
      g.pixels[position++] = inside ? static_cast<int32_t>(i * a.w.out + j) : -1;
    }
  }
  g.fill(position);
  return g;
}

// A tap of the kernel: how far behind an output's position it reads, and which of the weights it multiplies.
struct Tap {
  int32_t offset, weight;
};

// What is computed of an image: outputs (rows, columns), of which (i, j) is pixel first + i * row_step + j * column_step of the result.
struct Pass {
  int64_t rows, columns, first, row_step, column_step;
  const Tap* taps;
  int64_t count;
};

// Numbers of a result and of what it is made of, and the weights between them in tiles.
struct Layer {
  int64_t inputs, outputs, taps;
  const float* tiles;

  int64_t tile(int64_t block, int64_t tap, int64_t depth) const { return ((block * taps + tap) * (inputs / kBlock) + depth) * 2 * kTileFloats; }
  static int64_t floats(int64_t inputs, int64_t outputs, int64_t taps) { return inputs * outputs * taps / 2; }
};

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512vl,avx512bf16,amx-tile,amx-bf16")

// Weight (input, output, tap) is w[input * input_step + output * output_step + tap]; those of a block of outputs.
void pack_weights(const Layer& layer, const float* w, int64_t input_step, int64_t output_step, int64_t block, float* tiles) {
  const __m512i lanes =
      _mm512_mullo_epi32(_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0), _mm512_set1_epi32(static_cast<int>(output_step)));
  const __m512 zero = _mm512_setzero_ps();
  for (int64_t half = 0; half < 2; ++half) {
    const float* const of_outputs = w + (block * kBlock + half * kTile) * output_step;
    for (int64_t k = 0; k < layer.inputs; k += 2) {
      const float* const even = of_outputs + k * input_step;
      for (int64_t tap = 0; tap < layer.taps; ++tap) {
        float* const row = tiles + layer.tile(block, tap, k / kBlock) + half * kTileFloats + k % kBlock / 2 * kTile;
        _mm512_store_ps(row, pairs_of_rows(_mm512_mask_i32gather_ps(zero, kAll, lanes, even + tap, 4),
                                           _mm512_mask_i32gather_ps(zero, kAll, lanes, even + input_step + tap, 4)));
      }
    }
  }
}

// Positions one after another, each of `numbers` numbers.
void round_grid(const Grid& grid, const float* image, int64_t numbers, float* out) {
  for (int64_t p = 0; p < grid.positions; ++p) {
    const int32_t pixel = grid.pixels[p];
    const float* const from = image + pixel * numbers;
    for (int64_t k = 0; k < numbers; k += kBlock, out += kTile) _mm512_storeu_ps(out, pixel < 0 ? _mm512_setzero_ps() : pairs_of(from + k, kBlock));
  }
}

template <bool kTwoRows>
HWY_INLINE void multiply_block(const float* a, int64_t a_row, const Pass& pass, const Layer& layer, int64_t output_block, float* sums) {
  constexpr int64_t kSumsRow = kBlock * sizeof(float);
  const int64_t a_bytes = a_row * static_cast<int64_t>(sizeof(float)), depth = layer.inputs / kBlock;
  _tile_zero(0);
  _tile_zero(1);
  if constexpr (kTwoRows) {
    _tile_zero(2);
    _tile_zero(3);
  }
  for (int64_t t = 0; t < pass.count; ++t) {
    const float* from = a + pass.taps[t].offset * a_row;
    const float* b = layer.tiles + layer.tile(output_block, pass.taps[t].weight, 0);
    for (int64_t k = 0; k < depth; ++k, from += kTile, b += 2 * kTileFloats) {
      _tile_loadd(4, b, kTileRow);
      _tile_loadd(5, b + kTileFloats, kTileRow);
      _tile_loadd(6, from, a_bytes);
      _tile_dpbf16ps(0, 6, 4);
      _tile_dpbf16ps(1, 6, 5);
      if constexpr (kTwoRows) {
        _tile_loadd(7, from + kTile * a_row, a_bytes);
        _tile_dpbf16ps(2, 7, 4);
        _tile_dpbf16ps(3, 7, 5);
      }
    }
  }
  _tile_stored(0, sums, kSumsRow);
  _tile_stored(1, sums + kTile, kSumsRow);
  if constexpr (kTwoRows) {
    _tile_stored(2, sums + kTile * kBlock, kSumsRow);
    _tile_stored(3, sums + kTile * kBlock + kTile, kSumsRow);
  }
}

// A pass over a rounded image.
void multiply_image(const Pass& pass, const Layer& layer, const float* grid, int64_t pitch, const float* bias, float* result) {
  alignas(64) float sums[kBlock * kBlock];
  const int64_t row = layer.inputs / 2, positions = (pass.rows - 1) * pitch + pass.columns;
  for (int64_t block = 0; block < layer.outputs / kBlock; ++block) {
    const __m512 low = bias == nullptr ? _mm512_setzero_ps() : _mm512_loadu_ps(bias + block * kBlock);
    const __m512 high = bias == nullptr ? _mm512_setzero_ps() : _mm512_loadu_ps(bias + block * kBlock + kTile);
    int64_t i = 0, j = 0;  // of the next position
    for (int64_t p = 0; p < positions; p += kBlock) {
      if (positions - p > kTile)
        multiply_block<true>(grid + p * row, row, pass, layer, block, sums);
      else
        multiply_block<false>(grid + p * row, row, pass, layer, block, sums);
      for (int64_t r = 0; r < std::min(kBlock, positions - p); ++r) {
        if (j < pass.columns) {
          float* const to = result + (pass.first + i * pass.row_step + j * pass.column_step) * layer.outputs + block * kBlock;
          _mm512_storeu_ps(to, _mm512_add_ps(low, _mm512_load_ps(sums + r * kBlock)));
          _mm512_storeu_ps(to + kTile, _mm512_add_ps(high, _mm512_load_ps(sums + r * kBlock + kTile)));
        }
        if (++j == pitch) {
          j = 0;
          ++i;
        }
      }
    }
  }
}

// Rows of positions, one for each channel, `row` floats apart: what a product along positions has as its left operand.
void round_turned(const Grid& grid, const float* image, int64_t channels, float* out, int64_t row) {
  for (int64_t p = 0; p < grid.positions; p += kBlock) {
    const int32_t* const pixels = grid.pixels + p;
    for (int64_t c = 0; c < channels; c += kTile) {
      __m512 v[kTile];
#pragma GCC unroll 16
      for (int64_t q = 0; q < kTile; ++q) {
        const auto number = [&](int32_t pixel) { return _mm512_maskz_loadu_ps(pixel < 0 ? __mmask16{0} : kAll, image + pixel * channels + c); };
        v[q] = pairs_of_rows(number(pixels[2 * q]), number(pixels[2 * q + 1]));
      }
      transpose_16(v);
#pragma GCC unroll 16
      for (int64_t r = 0; r < kTile; ++r) _mm512_storeu_ps(out + (c + r) * row + p / 2, v[r]);
    }
  }
}

// Pairs of positions, one after another: the right operand.
void round_pairs(const Grid& grid, const float* image, int64_t filters, float* out) {
  for (int64_t p = 0; p < grid.positions; p += 2) {
    const int32_t first_pixel = grid.pixels[p], second_pixel = grid.pixels[p + 1];
    for (int64_t f = 0; f < filters; f += kTile, out += kTile) {
      _mm512_storeu_ps(out, pairs_of_rows(_mm512_maskz_loadu_ps(first_pixel < 0 ? __mmask16{0} : kAll, image + first_pixel * filters + f),
                                          _mm512_maskz_loadu_ps(second_pixel < 0 ? __mmask16{0} : kAll, image + second_pixel * filters + f)));
    }
  }
}

// Adds to 32 x 32 sums the products of channels and filters over the positions of some images.
void add_products(const float* channels, int64_t channels_row, int64_t channels_image, const float* filters, int64_t filters_row, int64_t pairs,
                  int64_t images, int64_t offset, float* sums) {
  constexpr int64_t kSumsRow = kBlock * sizeof(float);
  const int64_t a_bytes = channels_row * static_cast<int64_t>(sizeof(float)), b_bytes = filters_row * static_cast<int64_t>(sizeof(float));
  _tile_loadd(0, sums, kSumsRow);
  _tile_loadd(1, sums + kTile, kSumsRow);
  _tile_loadd(2, sums + kTile * kBlock, kSumsRow);
  _tile_loadd(3, sums + kTile * kBlock + kTile, kSumsRow);
  for (int64_t n = 0; n < images; ++n) {
    // A position is half a float.
    const char* const a = reinterpret_cast<const char*>(channels + n * channels_image) + 2 * offset;
    const float* const b = filters + n * pairs * filters_row;
    for (int64_t p = 0; p < pairs; p += kTile) {
      _tile_loadd(4, b + p * filters_row, b_bytes);
      _tile_loadd(5, b + p * filters_row + kTile, b_bytes);
      _tile_loadd(6, a + 4 * p, a_bytes);
      _tile_dpbf16ps(0, 6, 4);
      _tile_dpbf16ps(1, 6, 5);
      _tile_loadd(7, a + 4 * p + kTile * a_bytes, a_bytes);
      _tile_dpbf16ps(2, 7, 4);
      _tile_dpbf16ps(3, 7, 5);
    }
  }
  _tile_stored(0, sums, kSumsRow);
  _tile_stored(1, sums + kTile, kSumsRow);
  _tile_stored(2, sums + kTile * kBlock, kSumsRow);
  _tile_stored(3, sums + kTile * kBlock + kTile, kSumsRow);
}

// Tiles belong to the thread that runs.
template <class Body>
void with_tiles(const Body& body) {
  static constexpr TileConfiguration kConfiguration;
  _tile_loadconfig(&kConfiguration);
  body();
  _tile_release();
}

HWY_POP_ATTRIBUTES

// body(image) for each of the batch, with tiles.
template <class Body>
void for_images(int64_t batch, const Body& body) {
  parallel_for(batch, 1, [&](int64_t begin, int64_t end) {
    with_tiles([&] {
      for (int64_t n = begin; n < end; ++n) body(n);
    });
  });
}

void pack_layer(const Layer& layer, const float* w, int64_t input_step, int64_t output_step, float* tiles) {
  parallel_for(layer.outputs / kBlock, 1, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) pack_weights(layer, w, input_step, output_step, block, tiles);
  });
}

constexpr int64_t kMostTaps = 32 * 32;

}  // namespace

bool amx_conv_takes(const Conv2dShape& s) {
  return matmul_precision() == MatmulPrecision::medium && active_isa() == Isa::amx && s.groups == 1 && s.dilation_h == 1 && s.dilation_w == 1 &&
         s.channels % kBlock == 0 && s.filters % kBlock == 0 && s.kernel_h * s.kernel_w <= kMostTaps && s.height * s.width < INT32_MAX &&
         s.out_height() > 0 && s.out_width() > 0;
}

void amx_conv_forward(const Conv2dShape& s, const float* x, const float* w, const float* bias, float* y, Activation activation) {
  const Axes axes(s);
  const int64_t weights = Layer::floats(s.channels, s.filters, axes.taps()), grid_floats = image_grid_floats(axes);
  Workspace shared(Workspace::rounded(weights) + grid_floats);
  float* const tiles = shared.take(weights);
  const Layer layer{s.channels, s.filters, axes.taps(), tiles};
  pack_layer(layer, w, axes.taps(), s.channels * axes.taps(), tiles);
  const Grid grid = grid_of_image(axes, shared.take(grid_floats));
  Tap taps[kMostTaps];
  for (int64_t u = 0, t = 0; u < axes.h.kernel; ++u) {
    for (int64_t v = 0; v < axes.w.kernel; ++v, ++t) {
      const int64_t plane = u % axes.h.stride * axes.w.planes() + v % axes.w.stride;
      taps[t] = {static_cast<int32_t>((plane * axes.h.grid() + u / axes.h.stride) * grid.pitch + v / axes.w.stride), static_cast<int32_t>(t)};
    }
  }
  const Pass pass{axes.h.out, axes.w.out, 0, axes.w.out, 1, taps, axes.taps()};
  const int64_t image = s.height * s.width * s.channels, result = axes.h.out * axes.w.out * s.filters,
                rounded_image = (grid.positions + kSlack) * s.channels / 2;
  for_images(s.batch, [&](int64_t n) {
    Workspace workspace(rounded_image);
    float* const rounded = workspace.take(rounded_image);
    round_grid(grid, x + n * image, s.channels, rounded);
    multiply_image(pass, layer, rounded, grid.pitch, bias, y + n * result);
    if (activation != Activation::none) activate_rows(activation, y + n * result, axes.h.out * axes.w.out, s.filters, s.filters);
  });
}

void amx_conv_backward_data(const Conv2dShape& s, const float* dy, const float* w, float* dx) {
  const Axes axes(s);
  const int64_t weights = Layer::floats(s.filters, s.channels, axes.taps()), rows = axes.h.gradient_grid(), pitch = axes.w.gradient_grid();
  const int64_t grid_floats = Grid::floats(1, rows, pitch);
  Workspace shared(Workspace::rounded(weights) + grid_floats);
  float* const tiles = shared.take(weights);
  const Layer layer{s.filters, s.channels, axes.taps(), tiles};
  pack_layer(layer, w, s.channels * axes.taps(), axes.taps(), tiles);
  const Grid grid = grid_of_outputs(axes, rows, pitch, axes.h.reach(), axes.w.reach(), shared.take(grid_floats));
  const int64_t image = axes.h.out * axes.w.out * s.filters, result = s.height * s.width * s.channels,
                rounded_image = (grid.positions + kSlack) * s.filters / 2;
  for_images(s.batch, [&](int64_t n) {
    Workspace workspace(rounded_image);
    float* const rounded = workspace.take(rounded_image);
    round_grid(grid, dy + n * image, s.filters, rounded);
    // The pixels of each class see taps of their own.
    for (int64_t a = 0; a < axes.h.stride; ++a) {
      for (int64_t b = 0; b < axes.w.stride; ++b) {
        Tap taps[kMostTaps];
        int64_t count = 0;
        for (int64_t u = a; u < axes.h.kernel; u += axes.h.stride) {
          for (int64_t v = b; v < axes.w.kernel; v += axes.w.stride) {
            const int64_t i = axes.h.first(a) - u / axes.h.stride + axes.h.reach(), j = axes.w.first(b) - v / axes.w.stride + axes.w.reach();
            taps[count++] = {static_cast<int32_t>(i * pitch + j), static_cast<int32_t>(u * axes.w.kernel + v)};
          }
        }
        const int64_t y = axes.h.first(a) * axes.h.stride + a - axes.h.padding, x = axes.w.first(b) * axes.w.stride + b - axes.w.padding;
        const Pass pass{axes.h.count(a), axes.w.count(b), y * s.width + x, axes.h.stride * s.width, axes.w.stride, taps, count};
        if (pass.rows > 0 && pass.columns > 0) multiply_image(pass, layer, rounded, pitch, nullptr, dx + n * result);
      }
    }
  });
}

void amx_conv_backward_weights(const Conv2dShape& s, const float* x, const float* dy, float* dw) {
  const Axes axes(s);
  const int64_t taps = axes.taps(), sums_floats = taps * s.channels * s.filters;
  const int64_t image_grid = image_grid_floats(axes), output_grid = Grid::floats(1, axes.h.out, axes.w.grid());
  const int64_t x_pairs = image_grid / 2, y_pairs = output_grid / 2;  // positions of an image; a grid has a number for each
  const int64_t images = std::clamp<int64_t>(kChunk / (x_pairs * s.channels + y_pairs * s.filters), 1, s.batch);
  const int64_t x_row = rounded_up(images * x_pairs + kSlack, kTile) + kTile;  // no power of two
  Workspace workspace(Workspace::rounded(sums_floats) + image_grid + output_grid + Workspace::rounded(s.channels * x_row) +
                      Workspace::rounded(images * y_pairs * s.filters));
  float* const sums = workspace.take(sums_floats);
  const Grid of_image = grid_of_image(axes, workspace.take(image_grid)),
             of_outputs = grid_of_outputs(axes, axes.h.out, axes.w.grid(), 0, 0, workspace.take(output_grid));
  float* const turned = workspace.take(s.channels * x_row);
  float* const pairs = workspace.take(images * y_pairs * s.filters);
  for (int64_t c = 0; c < s.channels; ++c) std::fill(turned + c * x_row + images * x_pairs, turned + (c + 1) * x_row, 0.0f);
  std::fill(sums, sums + sums_floats, 0.0f);
  const int64_t channel_blocks = s.channels / kBlock, filter_blocks = s.filters / kBlock;
  for (int64_t first_image = 0; first_image < s.batch; first_image += images) {
    const int64_t count = std::min(images, s.batch - first_image);
    parallel_for(count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; ++n) {
        const int64_t at = first_image + n;
        round_turned(of_image, x + at * s.height * s.width * s.channels, s.channels, turned + n * x_pairs, x_row);
        round_pairs(of_outputs, dy + at * axes.h.out * axes.w.out * s.filters, s.filters, pairs + n * y_pairs * s.filters);
      }
    });
    parallel_for(taps * channel_blocks * filter_blocks, 1, [&](int64_t begin, int64_t end) {
      with_tiles([&] {
        for (int64_t task = begin; task < end; ++task) {
          const int64_t tap = task / (channel_blocks * filter_blocks), c = task / filter_blocks % channel_blocks * kBlock,
                        f = task % filter_blocks * kBlock;
          const int64_t u = tap / axes.w.kernel, v = tap % axes.w.kernel, plane = u % axes.h.stride * axes.w.planes() + v % axes.w.stride;
          const int64_t offset = (plane * axes.h.grid() + u / axes.h.stride) * of_image.pitch + v / axes.w.stride;
          add_products(turned + c * x_row, x_row, x_pairs, pairs + f, s.filters, y_pairs, count, offset, sums + task * kBlock * kBlock);
        }
      });
    });
  }
  parallel_for(s.filters, 1, [&](int64_t begin, int64_t end) {
    for (int64_t f = begin; f < end; ++f) {
      for (int64_t c = 0; c < s.channels; ++c) {
        for (int64_t tap = 0; tap < taps; ++tap) {
          const int64_t task = (tap * channel_blocks + c / kBlock) * filter_blocks + f / kBlock;
          dw[(f * s.channels + c) * taps + tap] = sums[task * kBlock * kBlock + c % kBlock * kBlock + f % kBlock];
        }
      }
    }
  });
}

}  // namespace danlu::kernels

#else

namespace danlu::kernels {

bool amx_conv_takes(const Conv2dShape&) { return false; }
void amx_conv_forward(const Conv2dShape&, const float*, const float*, const float*, float*, Activation) {}
void amx_conv_backward_data(const Conv2dShape&, const float*, const float*, float*) {}
void amx_conv_backward_weights(const Conv2dShape&, const float*, const float*, float*) {}

}  // namespace danlu::kernels

#endif
