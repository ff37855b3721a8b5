// What a direct convolution reads for each pixel that it makes: its forward pass, and the gradient of its input, which
// is such a gathering too. Offsets are in floats.
//
//   out[pixel, o] = sum over taps t and channels c of in[pixel.in + t.offset + c] * w[t.kernel, c, o]
//
// `in` is an image with a border of zeros where the kernel reaches beyond it.
#pragma once

#include <cstdint>
#include <vector>

#include "danlu/engine/kernels/conv.h"

namespace danlu::kernels {

struct GatherPlan {
  struct Pixel {
    int64_t in, out;  // where its window begins, and where it lies itself
  };
  struct Tap {
    int64_t offset;  // from the beginning of a window
    int64_t kernel;  // u * kernel_w + v
  };
  // Pixels that are made of the same taps. There is one phase forward, and one for each pixel of a stride to the input.
  struct Phase {
    int64_t pixel, pixels, tap, taps;  // the first, and how many
  };

  int64_t channels = 0, outputs = 0;  // numbers of a pixel that is read, and of one that is made
  int64_t height = 0, width = 0;      // of the image that is read
  int64_t out_pixels = 0;             // of the image that is made
  int64_t top = 0, left = 0;          // the border before it
  int64_t rows = 0, columns = 0;      // of it with its border, or without what no window reaches
  bool bordered = false;  // whether there is any; if not, the image is read where it is and has its own width
  std::vector<Phase> phases = {};
  std::vector<Pixel> pixels = {};
  std::vector<Tap> taps = {};

  int64_t image_floats() const { return height * width * channels; }
  int64_t bordered_floats() const { return rows * columns * channels; }
};

// x to y.
GatherPlan plan_forward(const Conv2dShape& shape);
// dy to dx.
GatherPlan plan_backward_data(const Conv2dShape& shape);

}  // namespace danlu::kernels
