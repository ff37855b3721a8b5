// Time of every operation, forward and backward, over the cases of engine/ops/cases that are marked for it.
//
//   bench_ops [WORD] [--isa NAME]     only operations whose name contains WORD; on one instruction set (scalar, sse4, ...)
//
// Microseconds are the median of repeated calls after a warm-up. GB/s counts every input once and the output once: what a
// perfect kernel would have to move. OMP_NUM_THREADS sets the threads.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/threads.h"
#include "danlu/base/timer.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/ops/cases/op_case.h"

namespace danlu {
namespace {

using cases::OpCase;

constexpr double kSeconds = 0.2;  // of measuring, for each direction of a case
constexpr int kLeastRuns = 5;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Median seconds of what `once` returns the seconds of; the first two calls only warm up.
template <class Function>
double measure(const Function& once) {
  once();
  once();
  std::vector<double> times;
  const Timer total;
  while (total.seconds() < kSeconds || times.size() < kLeastRuns) times.push_back(once());
  return median(times);
}

double gigabytes(const std::vector<Tensor>& inputs, const Tensor& y) {
  size_t bytes = y.bytes();
  for (const Tensor& input : inputs) bytes += input.bytes();
  return static_cast<double>(bytes) * 1e-9;
}

void run(const OpCase& c) {
  std::vector<Tensor> inputs;
  for (const cases::Input& input : c.inputs) inputs.push_back(input.make(inputs.size() + 1));
  Tensor y;
  const double forward = measure([&] {
    const NoGrad no_grad;
    const Timer timer;
    y = c.forward(inputs);
    return timer.seconds();
  });
  std::printf("%-18s %-26s %12.1f %9.1f", c.op.c_str(), c.name.c_str(), forward * 1e6, gigabytes(inputs, y) / forward);

  for (size_t i = 0; i < inputs.size(); ++i) {
    if (c.inputs[i].differentiable && inputs[i].dtype() == Dtype::f32) inputs[i].set_requires_grad();
  }
  if (needs_grad(c.forward(inputs))) {
    clear_tape();
    const Tensor dy = cases::Input{y.shape()}.make(99);
    const double backward_seconds = measure([&] {
      for (Tensor& input : inputs) input.zero_grad();
      const Tensor result = c.forward(inputs);
      const Timer timer;
      backward(result, dy);
      return timer.seconds();
    });
    std::printf(" %12.1f %9.1f", backward_seconds * 1e6, gigabytes(inputs, y) / backward_seconds);
  }
  std::printf("\n");
  std::fflush(stdout);
}

kernels::Isa isa_of(const std::string& name) {
  for (const kernels::Isa isa : kernels::supported_isas()) {
    if (name == kernels::isa_name(isa)) return isa;
  }
  throw ConfigError("bench", "got the instruction set " + name + "; expected one that this processor has");
}

void run_all(int argc, char** argv) {
  std::string word;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--isa") == 0 && i + 1 < argc) kernels::set_isa(isa_of(argv[++i]));
    else word = argv[i];
  }
  std::printf("%s, %d threads\n", kernels::isa_name(kernels::active_isa()), num_threads());
  std::printf("%-18s %-26s %12s %9s %12s %9s\n", "operation", "case", "forward us", "GB/s", "backward us", "GB/s");
  for (const OpCase& c : cases::op_cases()) {
    if (c.use == cases::Use::bench && c.op.find(word) != std::string::npos) run(c);
  }
}

}  // namespace
}  // namespace danlu

int main(int argc, char** argv) {
  try {
    danlu::run_all(argc, argv);
  } catch (const danlu::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
