// Convolutions whose operands are rounded to bf16 and whose sums are f32, by the tiles of AMX; contracts as in conv.h.
//
// An image is rounded once into a grid: padded, and for a stride s divided into s x s planes, so that what a tap of the kernel reads for neighbouring
// outputs lies side by side. A tile is then loaded as it lies there, at an offset for each tap; what belongs to no output is left out in the end.
// Every sum is taken in one order, for any number of threads.
#pragma once

#include "danlu/engine/kernels/conv.h"

namespace danlu::kernels {

// Whether this thread rounds, the processor has tiles, and channels and filters fill them.
bool amx_conv_takes(const Conv2dShape& shape);

void amx_conv_forward(const Conv2dShape& shape, const float* x, const float* w, const float* bias, float* y, Activation activation);
void amx_conv_backward_data(const Conv2dShape& shape, const float* dy, const float* w, float* dx);
void amx_conv_backward_weights(const Conv2dShape& shape, const float* x, const float* dy, float* dw);

}  // namespace danlu::kernels
