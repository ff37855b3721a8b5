#include "danlu/engine/ops/reduce.h"

#include "danlu/engine/kernels/reference/reduce.h"
#include "danlu/engine/ops/cases/op_case.h"
#include "danlu/engine/ops/op.h"

namespace danlu::cases {
namespace {

namespace reference = kernels::reference;

constexpr Tolerance kSum{1e-4, 1e-5};  // up to 40 000 terms of size 1 that cancel

using AxisOp = Tensor (*)(const Tensor&, int, bool);
using AxisReference = std::function<Values(const Values&, reference::Axis)>;

reference::Axis axis_of(const Shape& shape, int axis) { return {shape.outer(axis), shape[axis], shape.inner(axis)}; }

void add_over_axis(std::vector<OpCase>& cases, const char* op, AxisOp f, const AxisReference& g, const Generator& values) {
  const auto add = [&](const char* name, const Shape& shape, int axis, bool keep = false, Use use = Use::test) {
    cases.push_back({op, name, {{shape, values}}, [=](const auto& in) { return f(in[0], axis, keep); },
                     [=](const auto& in) { return g(in[0], axis_of(shape, axis)); }, kSum, use});
  };
  add("first axis", {4, 5}, 0);
  add("last axis", {4, 5}, -1);
  add("middle axis, kept", {3, 17, 5}, 1, true);
  add("odd rows", {17, 33}, 1);
  add("odd columns", {17, 33}, 0);
  add("one element", {1}, 0);
  add("an axis of one", {7, 1, 3}, 1);
  add("empty", {0, 3}, 1);
  add("long row", {1, 40'001}, 1);
  add("rows above the grain", {211, 191}, 1);
  add("columns above the grain", {211, 191}, 0);
  add("rows of 1M", {1024, 1024}, 1, false, Use::bench);
  add("columns of 1M", {1024, 1024}, 0, false, Use::bench);
}

void add_over_everything(std::vector<OpCase>& cases, const char* op, Tensor (*f)(const Tensor&), const AxisReference& g) {
  const auto add = [&](const char* name, const Shape& shape, Use use = Use::test) {
    cases.push_back({op, name, {{shape}}, [f](const auto& in) { return f(in[0]); },
                     [=](const auto& in) { return g(in[0], {1, shape.numel(), 1}); }, kSum, use});
  };
  add("everything", {17, 33});
  add("everything of a scalar", {});
  add("everything above the grain", {211, 191});
  add("everything of 1M", {1024, 1024}, Use::bench);
}

}  // namespace

std::vector<OpCase> reduce_cases() {
  std::vector<OpCase> cases;
  add_over_axis(cases, op::sum, sum, reference::sum<double>, normal());
  add_over_everything(cases, op::sum, sum, reference::sum<double>);
  cases.push_back({op::sum, "an empty axis", {{{3, 0}}}, [](const auto& in) { return sum(in[0], 1); }, [](const auto&) { return Values(3); }});
  add_over_axis(cases, op::mean, mean, reference::mean<double>, normal());
  add_over_everything(cases, op::mean, mean, reference::mean<double>);
  add_over_axis(cases, op::max, max, reference::max<double>, distinct());
  const auto where = [](const Values& x, reference::Axis axis) {
    const std::vector<int64_t> index = reference::argmax(x, axis);
    return Values(index.begin(), index.end());
  };
  add_over_axis(cases, op::argmax, argmax, where, distinct());
  cases.push_back({op::argmax, "the first of equals", {{{5, 33}, repeat({1, 3, 2, 3})}}, [](const auto& in) { return argmax(in[0], 1); },
                   [=](const auto& in) { return where(in[0], {5, 33, 1}); }});
  return cases;
}

}  // namespace danlu::cases
