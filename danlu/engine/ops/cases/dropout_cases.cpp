#include "danlu/engine/ops/dropout.h"

#include "danlu/engine/kernels/reference/dropout.h"
#include "danlu/engine/ops/cases/op_case.h"
#include "danlu/engine/ops/op.h"
#include "danlu/engine/ops/random.h"

namespace danlu::cases {

std::vector<OpCase> dropout_cases() {
  std::vector<OpCase> cases;
  const auto add = [&](const char* name, const Shape& shape, float p, RandomState state, Use use = Use::test) {
    const auto threshold = static_cast<uint32_t>(static_cast<double>(p) * 0x1p32);
    cases.push_back({op::dropout, name, {{shape}},
                     [=](const auto& in) {
                       set_random_state(state);
                       return dropout(in[0], p);
                     },
                     [=](const auto& in) {
                       return kernels::reference::dropout(in[0], threshold, 1 / (1 - static_cast<double>(p)), state.seed, state.offset);
                     },
                     {}, use});
  };
  add("ordinary", {4, 5}, 0.5f, {1, 0});
  add("odd sizes", {17, 33}, 0.3f, {2, 5});
  add("wide seed and offset", {200}, 0.1f, {0x123456789abcdef0, 0xfedcba9876543210});
  add("nothing dropped", {7, 9}, 0, {3, 0});
  add("most dropped", {33, 17}, 0.95f, {4, 1});
  add("one element", {1}, 0.5f, {5, 0});
  add("scalar", {}, 0.5f, {5, 0});
  add("empty", {0, 3}, 0.5f, {6, 0});
  add("above the grain", {40'001}, 0.25f, {7, 0});
  add("1M", {1024, 1024}, 0.5f, {8, 0}, Use::bench);
  return cases;
}

}  // namespace danlu::cases
