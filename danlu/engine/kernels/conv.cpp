#include "danlu/engine/kernels/conv.h"

#include "danlu/engine/kernels/amx_conv.h"
#include "danlu/engine/kernels/column_conv.h"
#include "danlu/engine/kernels/direct_conv.h"
#include "danlu/engine/kernels/onednn_conv.h"
#include "danlu/engine/kernels/reduce.h"

namespace danlu::kernels {

void conv2d_forward(const Conv2dShape& shape, const float* x, const float* w, const float* bias, float* y,
                    Activation activation) {
  if (amx_conv_takes(shape)) return amx_conv_forward(shape, x, w, bias, y, activation);
  if (direct_conv_takes(shape)) return direct_conv_forward(shape, x, w, bias, y, activation);
  onednn_conv_forward(shape, x, w, bias, y, activation);
}

void conv2d_backward_data(const Conv2dShape& shape, const float* dy, const float* w, float* dx) {
  if (amx_conv_takes(shape)) return amx_conv_backward_data(shape, dy, w, dx);
  if (column_conv_takes(shape)) return column_conv_backward_data(shape, dy, w, dx);
  if (direct_conv_takes(shape)) return direct_conv_backward_data(shape, dy, w, dx);
  onednn_conv_backward_data(shape, dy, w, dx);
}

void conv2d_backward_weights(const Conv2dShape& shape, const float* x, const float* dy, float* dw, float* dbias) {
  if (amx_conv_takes(shape)) amx_conv_backward_weights(shape, x, dy, dw);
  else if (direct_conv_takes(shape)) direct_conv_backward_weights(shape, x, dy, dw);
  else onednn_conv_backward_weights(shape, x, dy, dw);
  if (dbias != nullptr) column_sum(dy, dbias, shape.batch * shape.out_height() * shape.out_width(), shape.filters, false);
}

}  // namespace danlu::kernels
