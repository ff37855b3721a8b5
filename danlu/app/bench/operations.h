// The time of every operation of ops.def, forward and backward, over the cases that are marked for it (engine/ops/cases).
#pragma once

#include <functional>
#include <string>

namespace danlu::app {

struct OperationTime {
  std::string op, name;  // as in op_case.h
  double bytes = 0;      // every input once and the output once: what a perfect kernel would have to move
  double forward_s = 0;  // medians of repeated calls
  double backward_s = 0; // 0 where there is no gradient
};

// Of operations whose name contains `word`, each told as soon as it is measured: about 0.2 s for each direction of a case.
void measure_operations(const std::string& word, const std::function<void(const OperationTime&)>& tell);

}  // namespace danlu::app
