#include "danlu/engine/ops/loss.h"

#include "danlu/engine/kernels/reference/loss.h"
#include "danlu/engine/ops/cases/op_case.h"
#include "danlu/engine/ops/op.h"

namespace danlu::cases {
namespace {

namespace reference = kernels::reference;
using kernels::PointwiseLoss;

// The logarithm of a sum near 1e4 is a multiple of 1/1024 in f32, and a probability is as good as that.
Tolerance tolerance_for(std::string_view name) {
  return name.starts_with("logits of 1e4") ? Tolerance{1e-3, 1e-5, 1e-3, 1e-5} : Tolerance{};
}

void add_cross_entropies(std::vector<OpCase>& cases) {
  const auto add = [&](const char* name, const Shape& logits, const CrossEntropyOptions& o = {}, const Generator& values = normal(2),
                       const Generator& targets = nullptr, Use use = Use::test) {
    const int64_t n = logits[-1];
    const Input target{logits.without(-1), targets ? targets : index(n), false, Dtype::i64};
    cases.push_back({op::cross_entropy, name, {{logits, values}, target}, [=](const auto& in) { return cross_entropy(in[0], in[1], o); },
                     [=](const auto& in) {
                       const std::vector<int64_t> classes(in[1].begin(), in[1].end());
                       return Values{reference::cross_entropy<double>(in[0], classes, n, o.ignore_index, o.label_smoothing,
                                                                      o.reduction == Reduction::mean)};
                     },
                     tolerance_for(name), use});
  };
  add("ordinary", {4, 5});
  add("odd sizes", {17, 33});
  add("three axes", {2, 3, 5});
  add("one row", {7});
  add("one class", {3, 1});
  add("empty", {0, 5});
  add("sum", {9, 5}, {.reduction = Reduction::sum});
  add("label smoothing", {17, 5}, {.label_smoothing = 0.1f});
  add("rows ignored", {9, 5}, {}, normal(2), repeat({1, -100, 4}));
  add("rows ignored by a class index, smoothed, sum", {9, 5}, {.label_smoothing = 0.2f, .ignore_index = 2, .reduction = Reduction::sum},
      normal(2), repeat({1, 2, 4}));
  add("every row ignored", {3, 5}, {}, normal(2), repeat({-100}));
  add("logits of 1e4", {7, 17}, {}, repeat({1e4, -1e4, 0, 9999, 30}));
  add("logits of 1e4, smoothed", {7, 17}, {.label_smoothing = 0.1f}, repeat({1e4, -1e4, 0, 9999, 30}));
  add("above the grain", {4001, 10});
  add("wide rows above the grain", {41, 1003});
  add("64 x 10", {64, 10}, {}, normal(), nullptr, Use::bench);
  add("4096 x 1000", {4096, 1000}, {}, normal(), nullptr, Use::bench);
}

void add_soft_cross_entropies(std::vector<OpCase>& cases) {
  const auto add = [&](const char* name, const Shape& logits, const CrossEntropyOptions& o = {}, const Generator& values = normal(2),
                       Use use = Use::test) {
    const int64_t n = logits[-1];
    cases.push_back({op::cross_entropy_soft, name, {{logits, values}, {logits, uniform(0, 2.0 / static_cast<double>(n)), false}},
                     [=](const auto& in) { return cross_entropy(in[0], in[1], o); },
                     [=](const auto& in) {
                       return Values{reference::cross_entropy_soft<double>(in[0], in[1], n, o.label_smoothing, o.reduction == Reduction::mean)};
                     },
                     tolerance_for(name), use});
  };
  add("ordinary", {4, 5});
  add("odd sizes", {17, 33});
  add("one row", {7});
  add("one class", {3, 1});
  add("empty", {0, 5});
  add("sum", {9, 5}, {.reduction = Reduction::sum});
  add("label smoothing", {17, 5}, {.label_smoothing = 0.1f});
  add("logits of 1e4", {7, 17}, {}, repeat({1e4, -1e4, 0, 9999, 30}));
  add("above the grain", {4001, 10});
  add("4096 x 1000", {4096, 1000}, {}, normal(), Use::bench);
}

using LossOp = std::function<Tensor(const Tensor&, const Tensor&, const LossOptions&)>;

// The values of x lie around multiples of 1/4 and the targets on others, so that |x - t| stays away from 0 and from delta.
void add_pointwise(std::vector<OpCase>& cases, const char* op, PointwiseLoss kind, double delta, const LossOp& f, const Generator& target) {
  const auto add = [&](const char* name, const Shape& shape, Reduction reduction, const Generator& mask = nullptr,
                       const Generator& values = repeat({-1.5, 2.25, 0.625, -0.875, 1.125, -2.625, 0.375}), Use use = Use::test) {
    std::vector<Input> inputs = {{shape, values}, {shape, target, false}};
    if (mask) inputs.push_back({shape, mask, false});
    const bool masked = mask != nullptr;
    cases.push_back({op, name, inputs,
                     [=](const auto& in) { return f(in[0], in[1], {.mask = masked ? in[2] : Tensor(), .reduction = reduction}); },
                     [=](const auto& in) {
                       return Values{reference::pointwise_loss(kind, in[0], in[1], masked ? in[2] : Values(), delta, reduction == Reduction::mean)};
                     },
                     {}, use});
  };
  add("ordinary", {4, 5}, Reduction::mean);
  add("odd sizes", {17, 33}, Reduction::mean);
  add("sum", {17, 3}, Reduction::sum);
  add("one element", {1}, Reduction::mean);
  add("scalar", {}, Reduction::mean);
  add("empty", {0, 3}, Reduction::mean);
  add("mask", {9, 5}, Reduction::mean, repeat({1, 0, 1}));
  add("weights, sum", {9, 5}, Reduction::sum, uniform(0, 2));
  add("everything masked", {9}, Reduction::mean, repeat({0}));
  add("values of 1e4", {4, 5}, Reduction::mean, nullptr, repeat({1e4, -1e4, 300, -300, 100}));
  add("above the grain", {40'001}, Reduction::mean);
  add("above the grain, mask", {40'001}, Reduction::mean, repeat({1, 0, 1}));
  add("1M", {1024, 1024}, Reduction::mean, nullptr, normal(), Use::bench);
}

}  // namespace

std::vector<OpCase> loss_cases() {
  std::vector<OpCase> cases;
  add_cross_entropies(cases);
  add_soft_cross_entropies(cases);
  const Generator targets = repeat({0.5, -1, 0.25, 1.5});  // of regressions
  add_pointwise(cases, op::bce_with_logits, PointwiseLoss::bce_with_logits, 0, bce_with_logits, uniform(0, 1));
  // t x is a multiple of 1/8 other than 1: away from the corner.
  add_pointwise(cases, op::squared_hinge_loss, PointwiseLoss::squared_hinge, 0, squared_hinge_loss, repeat({1, -1, -1}));
  add_pointwise(cases, op::mse_loss, PointwiseLoss::squared, 0, mse_loss, targets);
  add_pointwise(cases, op::l1_loss, PointwiseLoss::absolute, 0, l1_loss, targets);
  add_pointwise(cases, op::huber_loss, PointwiseLoss::huber, 0.7f,
                [](const Tensor& x, const Tensor& t, const LossOptions& o) { return huber_loss(x, t, 0.7f, o); }, targets);
  return cases;
}

}  // namespace danlu::cases
