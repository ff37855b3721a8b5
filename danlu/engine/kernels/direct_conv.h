// Convolutions by our own loops, where they are faster than oneDNN's: on processors with AVX2 and no AVX-512. Contracts
// as in conv.h.
//
// Nothing is unfolded into a matrix (im2col). Forward, 6 pixels by 2 vectors of filters stay in registers while the
// window passes; the gradient of the input is the same gathering with the kernel turned round (gather_plan.h); that of
// the weights keeps 6 rows of the kernel by 2 vectors of filters while the pixels of a few rows pass. Threads: parallel
// inside. Every element is summed by one thread in one order.
#pragma once

#include "danlu/engine/kernels/conv.h"

namespace danlu::kernels {

// Whether these loops take that shape here: one group, a kernel of several pixels, channels and filters in whole
// vectors. And those of one pixel with a stride and channels or filters in no whole vectors, where oneDNN errs.
bool direct_conv_takes(const Conv2dShape& shape);

void direct_conv_forward(const Conv2dShape& shape, const float* x, const float* w, const float* bias, float* y,
                         Activation activation);
void direct_conv_backward_data(const Conv2dShape& shape, const float* dy, const float* w, float* dx);
void direct_conv_backward_weights(const Conv2dShape& shape, const float* x, const float* dy, float* dw);

}  // namespace danlu::kernels
