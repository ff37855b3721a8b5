// Memory for the intermediate numbers of a kernel: one block a thread, kept from call to call.
#pragma once

#include <cstdint>

namespace danlu::kernels {

// Parts of the calling thread's block, one after another, each aligned for the widest vectors. Not initialised; one a thread at a
// time.
class Workspace {
 public:
  explicit Workspace(int64_t floats);  // the sum of what is taken, each rounded up by rounded()
  float* take(int64_t floats);

  static int64_t rounded(int64_t floats) { return (floats + kAlignment - 1) / kAlignment * kAlignment; }

 private:
  static constexpr int64_t kAlignment = 32;  // floats
  float* next_;
  float* end_;
};

}  // namespace danlu::kernels
