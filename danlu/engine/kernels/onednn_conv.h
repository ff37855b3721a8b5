// Convolutions by oneDNN; contracts as in conv.h. The sums of the weight gradient are divided by the images of the
// batch, not by the threads.
#pragma once

#include "danlu/engine/kernels/conv.h"

namespace danlu::kernels {

void onednn_conv_forward(const Conv2dShape& shape, const float* x, const float* w, const float* bias, float* y,
                         Activation activation);
void onednn_conv_backward_data(const Conv2dShape& shape, const float* dy, const float* w, float* dx);
void onednn_conv_backward_weights(const Conv2dShape& shape, const float* x, const float* dy, float* dw);

}  // namespace danlu::kernels
