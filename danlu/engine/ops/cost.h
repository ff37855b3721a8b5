// What an operation costs in arithmetic and memory traffic, from the shapes that a profile keeps: for shares of the peak, not for
// exact counts.
#pragma once

#include "danlu/engine/autograd/profiler.h"

namespace danlu {

struct Cost {
  double flops = 0;  // a multiplication and an addition are two
  double bytes = 0;  // inputs read and outputs written once
};

// Of a forward event: products and convolutions by their formula, others one operation an element of the output. Of a backward
// event: as much again for each gradient that was asked for. Nothing for other events.
Cost cost_of(const ProfileEvent& event);

}  // namespace danlu
