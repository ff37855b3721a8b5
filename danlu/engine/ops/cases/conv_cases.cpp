#include "danlu/engine/ops/conv.h"

#include "danlu/engine/kernels/reference/conv.h"
#include "danlu/engine/ops/cases/op_case.h"
#include "danlu/engine/ops/op.h"

namespace danlu::cases {
namespace {

namespace reference = kernels::reference;

struct ConvCase {
  const char* name;
  Shape x;
  int64_t filters, kernel_h, kernel_w;
  Conv2dOptions options{};
  bool bias = true;
  Use use = Use::test;
};

OpCase make(const ConvCase& c) {
  const Conv2dOptions& o = c.options;
  const kernels::Conv2dShape s{c.x[0], c.x[1], c.x[2], c.x[3], c.filters, c.kernel_h, c.kernel_w, o.stride.height, o.stride.width,
                               o.padding.height, o.padding.width, o.dilation.height, o.dilation.width, o.groups};
  std::vector<Input> inputs = {{c.x}, {{c.filters, c.x[3] / o.groups, c.kernel_h, c.kernel_w}, normal(0.3)}, {{c.filters}}};
  if (o.activation == Activation::relu || o.activation == Activation::leaky_relu) {  // odd multiples of 1/8 (of an odd number of products) or 1/16: never near 0
    inputs[0].values = grid(1, 0.5), inputs[1].values = grid(0.5, 0.25, 0.3), inputs[2].values = grid(0.125, 0.0625);
  }
  if (!c.bias) inputs.pop_back();
  const bool bias = c.bias;
  return {op::conv2d, c.name, inputs, [=](const auto& in) { return conv2d(in[0], in[1], bias ? in[2] : Tensor(), o); },
          [=](const auto& in) { return reference::conv2d(s, in[0], in[1], bias ? in[2] : Values(), o.activation); },
          {1e-4, 1e-4, 2e-4}, c.use, o.activation != Activation::relu};
}

struct TransposeCase {
  const char* name;
  Shape x;
  int64_t channels, kernel_h, kernel_w;  // of the result
  ConvTranspose2dOptions options{};
  bool bias = true;
  Use use = Use::test;
};

OpCase make(const TransposeCase& c) {
  const ConvTranspose2dOptions& o = c.options;
  const auto size = [](int64_t n, int64_t stride, int64_t padding, int64_t dilation, int64_t kernel, int64_t more) {
    return (n - 1) * stride - 2 * padding + dilation * (kernel - 1) + more + 1;
  };
  const int64_t height = size(c.x[1], o.stride.height, o.padding.height, o.dilation.height, c.kernel_h, o.output_padding.height);
  const int64_t width = size(c.x[2], o.stride.width, o.padding.width, o.dilation.width, c.kernel_w, o.output_padding.width);
  const kernels::Conv2dShape s{c.x[0],          height,          width,           c.channels,        c.x[3],           c.kernel_h, c.kernel_w,
                               o.stride.height, o.stride.width,  o.padding.height, o.padding.width, o.dilation.height, o.dilation.width, o.groups};
  std::vector<Input> inputs = {{c.x}, {{c.x[3], c.channels / o.groups, c.kernel_h, c.kernel_w}, normal(0.3)}, {{c.channels}}};
  if (!c.bias) inputs.pop_back();
  const bool bias = c.bias;
  return {op::conv_transpose2d, c.name, inputs, [=](const auto& in) { return conv_transpose2d(in[0], in[1], bias ? in[2] : Tensor(), o); },
          [=](const auto& in) { return reference::conv_transpose2d(s, in[0], in[1], bias ? in[2] : Values(), o.activation); },
          {1e-4, 1e-4, 2e-4}, c.use};
}

std::vector<TransposeCase> transpose_table() {
  return {
      {"ordinary", {2, 5, 4, 3}, 4, 3, 3},
      {"no bias", {2, 5, 4, 3}, 4, 3, 3, {}, false},
      {"one pixel", {1, 1, 1, 1}, 1, 1, 1},
      {"twice as large", {2, 7, 5, 6}, 3, 4, 4, {.stride = 2, .padding = 1}},
      {"to one channel", {2, 7, 7, 17}, 1, 4, 4, {.stride = 2, .padding = 1}},
      {"from one pixel", {3, 1, 1, 9}, 5, 4, 4},
      {"output padding", {1, 4, 3, 2}, 3, 3, 3, {.stride = 2, .padding = 1, .output_padding = 1}},
      {"uneven", {1, 4, 3, 2}, 3, 3, 5, {.stride = {3, 2}, .padding = {0, 1}, .output_padding = {2, 0}, .dilation = {2, 1}}},
      {"groups", {2, 4, 4, 6}, 9, 3, 3, {.stride = 2, .groups = 3}},
      {"tanh", {2, 4, 4, 3}, 2, 4, 4, {.stride = 2, .padding = 1, .activation = Activation::tanh}},
      {"no images", {0, 4, 4, 3}, 2, 4, 4, {.stride = 2, .padding = 1}},
      {"odd sizes, above the grain", {5, 17, 9, 33}, 17, 4, 4, {.stride = 2, .padding = 1}},
      {"64 x 7 x 7 x 128 -> 64", {64, 7, 7, 128}, 64, 4, 4, {.stride = 2, .padding = 1}, false, Use::bench},
      {"64 x 14 x 14 x 64 -> 1", {64, 14, 14, 64}, 1, 4, 4, {.stride = 2, .padding = 1, .activation = Activation::tanh}, true, Use::bench},
  };
}

}  // namespace

std::vector<OpCase> conv_cases() {
  const std::vector<ConvCase> table = {
      {"ordinary", {2, 6, 5, 3}, 4, 3, 3},
      {"no bias", {2, 6, 5, 3}, 4, 3, 3, {}, false},
      {"one channel", {2, 7, 7, 1}, 5, 3, 3, {.padding = 1}},
      {"one filter", {2, 5, 5, 4}, 1, 3, 3, {.padding = 1}},
      {"one pixel", {1, 1, 1, 1}, 1, 1, 1},
      {"1 x 1", {2, 4, 3, 17}, 9, 1, 1},
      {"padding", {1, 5, 6, 2}, 3, 3, 3, {.padding = 1}},
      {"uneven padding", {1, 5, 6, 2}, 3, 3, 5, {.padding = {1, 2}}},
      {"stride", {1, 8, 9, 2}, 3, 3, 3, {.stride = 2}},
      {"uneven stride and padding", {1, 8, 9, 2}, 3, 3, 2, {.stride = {3, 2}, .padding = {2, 1}}},
      {"dilation", {1, 9, 9, 2}, 3, 3, 3, {.padding = 2, .dilation = 2}},
      {"uneven dilation", {1, 9, 11, 2}, 3, 3, 3, {.dilation = {2, 3}}},
      {"groups", {2, 5, 5, 6}, 9, 3, 3, {.padding = 1, .groups = 3}},
      {"depthwise", {1, 6, 6, 17}, 17, 3, 3, {.padding = 1, .groups = 17}},
      {"groups, stride, dilation, no bias", {2, 9, 8, 4}, 6, 3, 3, {.stride = 2, .padding = 2, .dilation = 2, .groups = 2}, false},
      {"relu", {2, 6, 5, 3}, 4, 3, 3, {.padding = 1, .activation = Activation::relu}},
      {"relu, no bias", {2, 6, 5, 3}, 4, 3, 3, {.activation = Activation::relu}, false},
      {"leaky relu", {2, 6, 5, 3}, 4, 3, 3, {.padding = 1, .activation = Activation::leaky_relu}},
      {"sigmoid", {2, 6, 5, 3}, 4, 3, 3, {.activation = Activation::sigmoid}},
      {"tanh", {2, 6, 5, 3}, 4, 3, 3, {.activation = Activation::tanh}},
      {"odd sizes", {1, 17, 33, 3}, 5, 3, 3, {.padding = 1}},
      {"no images", {0, 6, 5, 3}, 4, 3, 3},
      {"no images, relu", {0, 6, 5, 3}, 4, 3, 3, {.activation = Activation::relu}},
      {"above the grain", {3, 20, 20, 17}, 8, 3, 3, {.padding = 1}},
      {"64 x 28 x 28 x 1 -> 32", {64, 28, 28, 1}, 32, 3, 3, {.padding = 1}, true, Use::bench},
      {"64 x 14 x 14 x 32 -> 64", {64, 14, 14, 32}, 64, 3, 3, {.padding = 1}, true, Use::bench},
  };
  std::vector<OpCase> cases;
  for (const ConvCase& c : table) cases.push_back(make(c));
  for (const TransposeCase& c : transpose_table()) cases.push_back(make(c));
  return cases;
}

}  // namespace danlu::cases
