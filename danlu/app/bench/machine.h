// The peaks of this machine, for `danlu bench` and for the shares of the roofline that bench/run.py computes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace danlu::app {

struct MachinePeak {
  std::string name;     // "f32_fma"
  std::string what;     // "f32 multiply-add"
  std::string unit;     // "GFLOP/s", "GOP/s", "GB/s"
  double value = 0;     // of all threads together
};

// About four seconds. What the processor does not have is left out.
std::vector<MachinePeak> measure_machine();

}  // namespace danlu::app
