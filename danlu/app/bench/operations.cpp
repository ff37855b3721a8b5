#include "danlu/app/bench/operations.h"

#include <algorithm>
#include <vector>

#include "danlu/base/timer.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/cases/op_case.h"

namespace danlu::app {
namespace {

constexpr double kSeconds = 0.2;
constexpr int kLeastRuns = 5;

// Median seconds of what `once` returns the seconds of; the first two calls only warm up.
template <class Function>
double measure(const Function& once) {
  once();
  once();
  std::vector<double> times;
  for (const Timer total; total.seconds() < kSeconds || times.size() < kLeastRuns;) times.push_back(once());
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

OperationTime measure(const cases::OpCase& c) {
  std::vector<Tensor> inputs;
  for (const cases::Input& input : c.inputs) inputs.push_back(input.make(inputs.size() + 1));
  OperationTime time{.op = c.op, .name = c.name};
  Tensor y;
  time.forward_s = measure([&] {
    const NoGrad no_grad;
    const Timer timer;
    y = c.forward(inputs);
    return timer.seconds();
  });
  time.bytes = static_cast<double>(y.bytes());
  for (const Tensor& input : inputs) time.bytes += static_cast<double>(input.bytes());

  for (size_t i = 0; i < inputs.size(); ++i) {
    if (c.inputs[i].differentiable && inputs[i].dtype() == Dtype::f32) inputs[i].set_requires_grad();
  }
  if (needs_grad(c.forward(inputs))) {
    clear_tape();
    const Tensor dy = cases::Input{y.shape()}.make(99);
    time.backward_s = measure([&] {
      for (Tensor& input : inputs) input.zero_grad();
      const Tensor result = c.forward(inputs);
      const Timer timer;
      backward(result, dy);
      return timer.seconds();
    });
  }
  return time;
}

}  // namespace

void measure_operations(const std::string& word, const std::function<void(const OperationTime&)>& tell) {
  for (const cases::OpCase& c : cases::op_cases()) {
    if (c.use == cases::Use::bench && c.op.find(word) != std::string::npos) tell(measure(c));
  }
}

}  // namespace danlu::app
