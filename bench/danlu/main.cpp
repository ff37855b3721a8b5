// One workload in a process of its own, so that it can be measured in turn with a peer's and its memory is its own.
//
//   bench_danlu WORKLOAD PRECISION [FILE...]
//
// First out is a line of JSON about what is measured. Then, for each number that is read from standard input, so many steps are run, and a line says the
// median of their microseconds and the peak memory of the process in MB.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <vector>

#include "bench/danlu/workload.h"
#include "danlu/base/cpu.h"
#include "danlu/base/error.h"
#include "danlu/base/json.h"
#include "danlu/base/timer.h"
#include "danlu/base/version.h"
#include "danlu/engine/kernels/matmul_precision.h"

namespace danlu::bench {
namespace {

double median_us(const Step& step, int64_t steps) {
  std::vector<double> times;
  for (int64_t i = 0; i < steps; ++i) {
    const Timer timer;
    step.run();
    times.push_back(timer.seconds() * 1e6);
  }
  std::nth_element(times.begin(), times.begin() + steps / 2, times.end());
  return times[static_cast<size_t>(steps / 2)];
}

// What the engine computes products in: OUR_PRECISIONS of bench/workloads.py.
kernels::MatmulPrecision precision_of(const std::string& name) {
  if (name != "f32" && name != "medium") throw ConfigError("bench", "got the precision " + name + "; expected f32 or medium");
  return name == "f32" ? kernels::MatmulPrecision::highest : kernels::MatmulPrecision::medium;
}

int run(const std::vector<std::string>& arguments) {
  Workloads workloads = training_workloads();
  workloads.merge(inference_workloads());
  workloads.merge(generation_workloads());
  workloads.merge(data_workloads());
  const auto workload = arguments.size() < 2 ? workloads.end() : workloads.find(arguments[0]);
  if (workload == workloads.end()) {
    std::string names;
    for (const auto& [name, prepare] : workloads) names += " " + name;
    throw ConfigError("bench", "got no such workload; expected WORKLOAD PRECISION [FILE...], a workload of" + names);
  }
  const kernels::WithMatmulPrecision precision(precision_of(arguments[1]));
  const Step step = workload->second({arguments.begin() + 2, arguments.end()});
  std::cout << Json{{"version", version()}, {"items", step.items}}.dump() << std::endl;
  for (int64_t steps = 0; std::cin >> steps && steps > 0;) {
    const double us = median_us(step, steps);
    std::printf("%.2f %.1f\n", us, static_cast<double>(peak_memory_bytes()) / 1e6);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace danlu::bench

int main(int argc, char** argv) {
  try {
    return danlu::bench::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 2;
  }
}
