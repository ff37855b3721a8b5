// The workloads that are measured, by the names of bench/workloads.py.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace danlu::bench {

// What is timed, called again and again. `items` is what the peer has to arrive at too, where that is to be compared: tokens, merges, cells.
struct Step {
  std::function<void()> run;
  int64_t items = 0;
};

// Makes ready what a step needs; `files` are what the command line names behind the workload.
using Prepare = std::function<Step(const std::vector<std::string>& files)>;
using Workloads = std::map<std::string, Prepare>;

Workloads training_workloads();
Workloads inference_workloads();
Workloads generation_workloads();
Workloads data_workloads();

}  // namespace danlu::bench
