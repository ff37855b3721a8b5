#include "danlu/engine/ops/movement.h"

#include "danlu/engine/kernels/reference/movement.h"
#include "danlu/engine/ops/cases/op_case.h"
#include "danlu/engine/ops/op.h"

namespace danlu::cases {
namespace {

namespace reference = kernels::reference;

reference::Axis axis_of(const Shape& shape, int axis) { return {shape.outer(axis), shape[axis], shape.inner(axis)}; }

void add_reshapes(std::vector<OpCase>& cases) {
  const auto add = [&](const char* name, const Shape& from, const std::vector<int64_t>& to, Use use = Use::test) {
    cases.push_back({op::reshape, name, {{from}}, [=](const auto& in) { return reshape(in[0], to); },
                     [](const auto& in) { return in[0]; }, {}, use});
  };
  add("flatten", {4, 5}, {20});
  add("derived size", {17, 33}, {3, -1, 11});
  add("to a scalar", {1}, {});
  add("empty", {0, 3}, {3, 0});
  add("above the grain", {211, 191}, {191, 211});
  add("1M", {1024, 1024}, {-1}, Use::bench);
}

void add_transposes(std::vector<OpCase>& cases) {
  const auto add = [&](const char* name, const Shape& shape, const std::vector<int>& order, Use use = Use::test) {
    cases.push_back({op::transpose, name, {{shape}}, [=](const auto& in) { return transpose(in[0], order); },
                     [=](const auto& in) { return reference::transpose(in[0], sizes_of(shape), order); }, {}, use});
  };
  add("matrix", {4, 5}, {1, 0});
  add("odd sizes", {17, 33}, {1, 0});
  add("one element", {1}, {0});
  add("scalar", {}, {});
  add("empty", {0, 3}, {1, 0});
  add("nothing moves", {3, 4, 5}, {0, 1, 2});
  add("channels last", {2, 3, 5, 7}, {0, 2, 3, 1});
  add("channels first", {2, 5, 7, 3}, {0, 3, 1, 2});
  add("a rotation of three axes", {3, 4, 5}, {2, 0, 1});
  add("six axes", {2, 3, 1, 2, 3, 2}, {5, 0, 3, 2, 4, 1});
  add("above the grain", {211, 191}, {1, 0});
  add("1M", {1024, 1024}, {1, 0}, Use::bench);
}

void add_slices(std::vector<OpCase>& cases) {
  const auto add = [&](const char* name, const Shape& shape, int axis, int64_t begin, int64_t end, Use use = Use::test) {
    const int64_t n = shape[axis], first = begin < 0 ? begin + n : begin, last = end < 0 ? end + n : end;
    cases.push_back({op::slice, name, {{shape}}, [=](const auto& in) { return slice(in[0], axis, begin, end); },
                     [=](const auto& in) { return reference::slice(in[0], axis_of(shape, axis), first, last); }, {}, use});
  };
  add("rows, a view", {4, 5}, 0, 1, 3);
  add("columns", {4, 5}, 1, 1, 4);
  add("odd sizes, from the end", {17, 33}, -1, -20, -3);
  add("middle axis", {3, 7, 5}, 1, 2, 6);
  add("one element", {1}, 0, 0, 1);
  add("empty", {4, 5}, 1, 2, 2);
  add("above the grain", {211, 191}, 1, 7, 190);
  add("half of 1M", {1024, 1024}, 1, 0, 512, Use::bench);
}

void add_concats(std::vector<OpCase>& cases) {
  const auto add = [&](const char* name, const std::vector<Shape>& shapes, int axis, Use use = Use::test) {
    std::vector<Input> inputs;
    std::vector<reference::Axis> axes;
    for (const Shape& shape : shapes) {
      inputs.push_back({shape});
      axes.push_back(axis_of(shape, axis));
    }
    cases.push_back({op::concat, name, inputs, [=](const auto& in) { return concat(in, axis); },
                     [=](const auto& in) { return reference::concat(in, axes); }, {}, use});
  };
  add("rows", {{4, 5}, {2, 5}}, 0);
  add("columns of odd sizes", {{17, 33}, {17, 1}, {17, 17}}, 1);
  add("middle axis", {{2, 3, 5}, {2, 1, 5}}, -2);
  add("one part", {{3}}, 0);
  add("one element each", {{1}, {1}}, 0);
  add("an empty part", {{4, 5}, {4, 0}}, 1);
  add("above the grain", {{211, 191}, {211, 9}}, 1);
  add("two halves of 1M", {{1024, 512}, {1024, 512}}, 1, Use::bench);
}

}  // namespace

std::vector<OpCase> movement_cases() {
  std::vector<OpCase> cases;
  add_reshapes(cases);
  add_transposes(cases);
  add_slices(cases);
  add_concats(cases);
  return cases;
}

}  // namespace danlu::cases
