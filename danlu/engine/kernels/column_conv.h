// The gradient of a convolution to images of few channels: a product gives every output's share of the pixels of its window, and the shares are added up
// (col2im). For what a discriminator says of grey or coloured images, and for transposed convolutions that make them: there vectors of channels are
// nearly empty, and oneDNN is twenty times slower.
//
// Threads: parallel over images. Every element is summed by one thread in one order. Contract as in conv.h.
#pragma once

#include "danlu/engine/kernels/conv.h"

namespace danlu::kernels {

bool column_conv_takes(const Conv2dShape& shape);

void column_conv_backward_data(const Conv2dShape& shape, const float* dy, const float* w, float* dx);

}  // namespace danlu::kernels
