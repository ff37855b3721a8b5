#include "danlu/engine/ops/elementwise.h"

#include "danlu/engine/kernels/reference/elementwise.h"
#include "danlu/engine/ops/cases/op_case.h"
#include "danlu/engine/ops/op.h"

namespace danlu::cases {
namespace {

namespace reference = kernels::reference;

using UnaryOp = std::function<Tensor(const Tensor&)>;
using UnaryReference = std::function<double(double)>;
using BinaryOp = Tensor (*)(const Tensor&, const Tensor&);
using BinaryReference = double (*)(double, double);

void add_unary(std::vector<OpCase>& cases, const char* op, const UnaryOp& f, const UnaryReference& g, const Generator& values) {
  const auto add = [&](const char* name, const Shape& shape, Use use = Use::test) {
    cases.push_back({op, name, {{shape, values}}, [f](const auto& in) { return f(in[0]); },
                     [g](const auto& in) { return reference::map(in[0], g); }, {}, use});
  };
  add("ordinary", {4, 5});
  add("odd sizes", {17, 33});
  add("one element", {1});
  add("scalar", {});
  add("empty", {0, 3});
  add("above the grain", {40'001});
  add("1M", {1024, 1024}, Use::bench);
}

void add_binary(std::vector<OpCase>& cases, const char* op, BinaryOp f, BinaryReference g, const Generator& b_values) {
  const auto add = [&](const char* name, const Shape& a, const Shape& b, Use use = Use::test) {
    cases.push_back({op, name, {{a}, {b, b_values}}, [f](const auto& in) { return f(in[0], in[1]); },
                     [=](const auto& in) { return reference::map(in[0], sizes_of(a), in[1], sizes_of(b), g); }, {}, use});
  };
  add("same shape", {4, 5}, {4, 5});
  add("odd sizes", {17, 33}, {17, 33});
  add("one element", {1}, {1});
  add("scalars", {}, {});
  add("empty", {0, 3}, {0, 3});
  add("empty with a row", {0, 3}, {3});
  add("a row to every row", {17, 33}, {33});
  add("every row to a row", {33}, {17, 33});
  add("a column", {17, 33}, {17, 1});
  add("a column and a row", {17, 1}, {1, 33});
  add("a scalar on the right", {17, 3}, {});
  add("a scalar on the left", {1}, {17, 3});
  add("middle axis", {3, 1, 5}, {3, 4, 5});
  add("alternating axes", {3, 1, 5, 1, 2}, {1, 4, 1, 3, 2});
  add("six axes", {2, 1, 3, 1, 2, 1}, {1, 2, 1, 3, 1, 2});
  add("above the grain", {40'001}, {40'001});
  add("rows above the grain", {211, 191}, {191});
  add("columns above the grain", {211, 191}, {211, 1});
  add("1M", {1024, 1024}, {1024, 1024}, Use::bench);
  add("1M + a row", {1024, 1024}, {1024}, Use::bench);
}

void add_all_unary(std::vector<OpCase>& cases) {
  add_unary(cases, op::neg, neg, reference::neg<double>, normal());
  add_unary(cases, op::exp, exp, reference::exp<double>, normal(3));
  add_unary(cases, op::log, log, reference::log<double>, uniform(0.1, 5));
  add_unary(cases, op::sqrt, sqrt, reference::sqrt<double>, uniform(0.1, 5));
  add_unary(cases, op::square, square, reference::square<double>, normal());
  add_unary(cases, op::abs, abs, reference::abs<double>, away_from({0}));
  add_unary(cases, op::relu, relu, reference::relu<double>, away_from({0}));
  add_unary(cases, op::leaky_relu, leaky_relu, reference::leaky_relu<double>, away_from({0}));
  add_unary(cases, op::sigmoid, sigmoid, reference::sigmoid<double>, normal(3));
  add_unary(cases, op::tanh, tanh, reference::tanh<double>, normal(2));
  add_unary(cases, op::gelu, gelu, reference::gelu<double>, normal(2));
  add_unary(cases, op::gelu_tanh, gelu_tanh, reference::gelu_tanh<double>, normal(2));
  add_unary(cases, op::silu, silu, reference::silu<double>, normal(3));
  add_unary(cases, op::affine, [](const Tensor& x) { return affine(x, -1.5f, 0.25f); }, [](double x) { return -1.5 * x + 0.25; }, normal());
  add_unary(cases, op::clamp, [](const Tensor& x) { return clamp(x, -0.5f, 0.75f); },
            [](double x) { return reference::clamp(x, -0.5, 0.75); }, away_from({-0.5, 0.75}));
}

// Far from 0, where exponentials leave the range of a float.
void add_extremes(std::vector<OpCase>& cases) {
  const auto add = [&](const char* op, Tensor (*f)(const Tensor&), double (*g)(double)) {
    cases.push_back({op, "far from 0", {{{37}, repeat({-1e4, -200, -89, -20, 20, 89, 200, 1e4})}},
                     [f](const auto& in) { return f(in[0]); }, [g](const auto& in) { return reference::map(in[0], g); }});
  };
  add(op::sigmoid, sigmoid, reference::sigmoid<double>);
  add(op::tanh, tanh, reference::tanh<double>);
  add(op::gelu, gelu, reference::gelu<double>);
  add(op::gelu_tanh, gelu_tanh, reference::gelu_tanh<double>);
  add(op::silu, silu, reference::silu<double>);
}

}  // namespace

std::vector<OpCase> elementwise_cases() {
  std::vector<OpCase> cases;
  add_binary(cases, op::add, add, [](double a, double b) { return a + b; }, normal());
  add_binary(cases, op::sub, sub, [](double a, double b) { return a - b; }, normal());
  add_binary(cases, op::mul, mul, [](double a, double b) { return a * b; }, normal());
  add_binary(cases, op::div, div, [](double a, double b) { return a / b; }, uniform(0.5, 2));
  add_all_unary(cases);
  add_extremes(cases);
  return cases;
}

}  // namespace danlu::cases
