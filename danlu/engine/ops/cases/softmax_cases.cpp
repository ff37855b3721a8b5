#include "danlu/engine/ops/softmax.h"

#include "danlu/engine/kernels/reference/softmax.h"
#include "danlu/engine/ops/cases/op_case.h"
#include "danlu/engine/ops/op.h"

namespace danlu::cases {

std::vector<OpCase> softmax_cases() {
  std::vector<OpCase> cases;
  const auto add = [&](const char* name, const Shape& shape, const Generator& values = normal(2), Use use = Use::test) {
    const int64_t n = shape[-1];
    cases.push_back({op::softmax, name, {{shape, values}}, [](const auto& in) { return softmax(in[0]); },
                     [n](const auto& in) { return kernels::reference::softmax(in[0], n); }, {}, use});
    cases.push_back({op::log_softmax, name, {{shape, values}}, [](const auto& in) { return log_softmax(in[0]); },
                     [n](const auto& in) { return kernels::reference::log_softmax(in[0], n); }, {}, use});
  };
  add("ordinary", {4, 5});
  add("odd sizes", {17, 33});
  add("three axes", {2, 3, 7});
  add("one class", {3, 1});
  add("a vector", {17});
  add("empty", {0, 5});
  add("logits of 1e4", {5, 17}, repeat({1e4, -1e4, 0, 9999, 30, -30, 1e4}));
  add("above the grain", {211, 191});
  add("rows of 1024", {1024, 1024}, normal(), Use::bench);
  return cases;
}

}  // namespace danlu::cases
