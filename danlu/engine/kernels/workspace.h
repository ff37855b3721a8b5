// Memory for the intermediate numbers of a kernel: one block a thread, kept from call to call.
#pragma once

#include <cstdint>

namespace danlu::kernels {

// Parts of a block of the calling thread, one after another, each aligned for the widest vectors. Not initialised. A
// second may live inside the first: a kernel keeps what all threads read and works as one of them.
class Workspace {
 public:
  explicit Workspace(int64_t floats);  // the sum of what is taken, each rounded up by rounded()
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  float* take(int64_t floats);

  static int64_t rounded(int64_t floats) { return (floats + kAlignment - 1) / kAlignment * kAlignment; }

 private:
  static constexpr int64_t kAlignment = 32;  // floats
  float* next_;
  float* end_;
};

}  // namespace danlu::kernels
