#include "danlu/engine/ops/pool.h"

#include "danlu/engine/kernels/reference/pool.h"
#include "danlu/engine/ops/cases/op_case.h"
#include "danlu/engine/ops/op.h"

namespace danlu::cases {
namespace {

namespace reference = kernels::reference;

struct PoolCase {
  const char* name;
  Shape x;
  Pool2dOptions options{};
  Use use = Use::test;
};

kernels::Pool2dShape shape_of(const Shape& x, const Pool2dOptions& o) {
  return {x[0], x[1], x[2], x[3], o.kernel.height, o.kernel.width, o.stride.height, o.stride.width, o.padding.height, o.padding.width,
          o.count_include_pad};
}

const std::vector<PoolCase>& table() {
  static const std::vector<PoolCase> cases = {
      {"ordinary", {2, 4, 6, 3}},
      {"odd image", {2, 5, 7, 17}},
      {"overlapping", {1, 7, 7, 5}, {.kernel = 3, .stride = 2}},
      {"overlapping everywhere", {1, 5, 5, 33}, {.kernel = 3, .stride = 1}},
      {"padded", {1, 6, 6, 4}, {.kernel = 2, .stride = 2, .padding = 1}},
      {"overlapping, padded", {2, 7, 6, 17}, {.kernel = 3, .stride = 2, .padding = 1}},
      {"gaps between windows", {1, 8, 9, 3}, {.kernel = 2, .stride = 3}},
      {"uneven", {1, 7, 9, 3}, {.kernel = {3, 2}, .stride = {2, 3}, .padding = {1, 0}}},
      {"the whole image", {2, 5, 4, 3}, {.kernel = {5, 4}, .stride = 1}},
      {"one pixel", {1, 1, 1, 1}, {.kernel = 1, .stride = 1}},
      {"one channel", {3, 8, 8, 1}},
      {"no images", {0, 4, 4, 3}},
      {"above the grain", {3, 27, 28, 19}},
      {"above the grain, overlapping", {3, 27, 28, 19}, {.kernel = 3, .stride = 2, .padding = 1}},
      {"a window of more than 255 pixels", {1, 18, 17, 5}, {.kernel = 17, .stride = 1}},
      {"64 x 28 x 28 x 32", {64, 28, 28, 32}, {}, Use::bench},
      {"64 x 14 x 14 x 64", {64, 14, 14, 64}, {}, Use::bench},
      {"64 x 28 x 28 x 32, 3 x 3 / 2", {64, 28, 28, 32}, {.kernel = 3, .stride = 2, .padding = 1}, Use::bench},
      {"64 x 7 x 7 x 512, global", {64, 7, 7, 512}, {.kernel = 7, .stride = 7}, Use::bench},
  };
  return cases;
}

}  // namespace

std::vector<OpCase> pool_cases() {
  std::vector<OpCase> cases;
  for (const PoolCase& c : table()) {
    const kernels::Pool2dShape s = shape_of(c.x, c.options);
    const Pool2dOptions o = c.options;
    cases.push_back({op::max_pool2d, c.name, {{c.x, distinct()}}, [o](const auto& in) { return max_pool2d(in[0], o); },
                     [s](const auto& in) { return reference::max_pool2d(s, in[0]); }, {}, c.use});
    cases.push_back({op::avg_pool2d, c.name, {{c.x}}, [o](const auto& in) { return avg_pool2d(in[0], o); },
                     [s](const auto& in) { return reference::avg_pool2d(s, in[0]); }, {}, c.use});
  }
  Pool2dOptions o{.kernel = 3, .stride = 2, .padding = 1, .count_include_pad = false};
  const Shape x{2, 7, 6, 5};
  cases.push_back({op::avg_pool2d, "padding does not count", {{x}}, [o](const auto& in) { return avg_pool2d(in[0], o); },
                   [s = shape_of(x, o)](const auto& in) { return reference::avg_pool2d(s, in[0]); }});
  return cases;
}

}  // namespace danlu::cases
