// What it costs that training gives the same bits for any number of threads: steps of a perceptron, a CNN and a GPT, in turn with
// the same steps whose products and convolutions are divided as the library likes.
#pragma once

#include <string>
#include <vector>

namespace danlu::app {

struct DeterminismCost {
  std::string model;
  double reproducible_us = 0, free_us = 0;  // medians of a step
  bool same_for_threads = false;            // some steps with one thread and with all give the same weights
  bool same_again = false;                  // five times with all
  double ratio() const { return reproducible_us / free_us; }
};

// About `seconds` for each model.
std::vector<DeterminismCost> measure_determinism(double seconds = 8);

}  // namespace danlu::app
